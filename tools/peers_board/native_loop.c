// Calls a function of an engine's C API many times over, so that its runs are timed without Python between them.

#include <stdint.h>
#include <time.h>

typedef void* (*RunOfEight)(void*, void*, void*, void*, uint64_t, void*, uint64_t, void*);
typedef int (*RunOfOne)(void*);

static int64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * INT64_C(1000000000) + time.tv_nsec;
}

/// Nanoseconds of `repeats` calls; -1 where one of them returned an error.
int64_t time_of_eight(RunOfEight run, void** a, int64_t repeats) {
    int failed = 0;
    const int64_t began = now();
    for (int64_t i = 0; i < repeats; ++i)
        failed |= run(a[0], a[1], a[2], a[3], (uint64_t)a[4], a[5], (uint64_t)a[6], a[7]) != 0;
    const int64_t took = now() - began;
    return failed ? -1 : took;
}

int64_t time_of_one(RunOfOne run, void** a, int64_t repeats) {
    int failed = 0;
    const int64_t began = now();
    for (int64_t i = 0; i < repeats; ++i) failed |= run(a[0]) != 0;
    const int64_t took = now() - began;
    return failed ? -1 : took;
}
