"""A worker: one peer with one network loaded, which times slices when it is told to; runs in the peers' Python.

worker.py PEER FILE X.npy BATCH THREADS NETWORK

Once the first answer is there it prints `ready LOAD_MS BASE_KIB`: milliseconds since the peer's modules were imported,
and the memory that the process held at that point. Then, for each line of standard input:

  time MS       runs for about MS milliseconds after a warm-up; `times REPEATS NS NS ...`, each the nanoseconds of
                REPEATS runs one after the other
  write FILE    writes the answer as .npy; `written`

What a library prints goes to standard error.
"""

import gc
import importlib
import itertools
import os
import sys
import time

clock = time.perf_counter_ns

# A sample shorter than this would be a measurement of the clock.
SAMPLE_NS = 50_000
WARM_UP = 0.2  # of a slice


def main():
    peer, *arguments = sys.argv[1:]
    out = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    adapter = importlib.import_module(f"peers_board.adapters.{peer.replace('-', '_')}")
    base_kib = peak_kib()
    began = clock()
    run, answer = adapter.load(*arguments)
    run()
    out.write(f"ready {(clock() - began) / 1e6:.3f} {base_kib}\n")
    gc.freeze()
    gc.disable()
    repeats = None
    for line in sys.stdin:
        word, _, value = line.strip().partition(" ")
        if word == "time":
            repeats = repeats or choose_repeats(run)
            times = time_slice(run, repeats, float(value))
            out.write(" ".join(["times", str(repeats), *map(str, times)]) + "\n")
        elif word == "write":
            import numpy

            numpy.save(value, answer())
            out.write("written\n")


def peak_kib():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))


def sample(run, repeats):
    began = clock()
    for _ in itertools.repeat(None, repeats):
        run()
    return clock() - began


def choose_repeats(run):
    repeats = 1
    while True:
        took = min(sample(run, repeats) for _ in range(3))
        if took >= SAMPLE_NS:
            return repeats
        repeats = max(2 * repeats, int(repeats * 1.1 * SAMPLE_NS / max(took, 1)))


def time_slice(run, repeats, milliseconds):
    warm_until = clock() + milliseconds * WARM_UP * 1e6
    sample(run, 1)
    while clock() < warm_until:
        sample(run, repeats)
    until = clock() + milliseconds * 1e6
    times = [sample(run, repeats)]
    while clock() < until:
        times.append(sample(run, repeats))
    return times


if __name__ == "__main__":
    main()
