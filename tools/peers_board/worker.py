"""A worker: one peer with one network loaded, which times slices when it is told to; runs in the peers' Python.

worker.py PEER FILE X.npy Y.npy THREADS NETWORK f32|bf16

Once the first answer is there it prints `ready LOAD_MS BASE_KIB`: milliseconds since the peer's modules were imported,
and the memory that the process held at that point. Then, for each line of standard input:

  time MS       runs for about MS milliseconds after a warm-up; `times REPEATS NS NS ...`, each the nanoseconds of
                REPEATS runs one after the other
  write FILE    writes the answer as .npy, and further outputs beside it (FILE.1, FILE.2, ...); `written`

What a library prints goes to standard error. $SEQ_PEERS_LOOP is native_loop.c as a library, by which peers that have a C API
are timed without Python between their runs.
"""

import gc
import importlib
import itertools
import os
import sys
import time

from . import answers

clock = time.perf_counter_ns

# A sample shorter than this would be a measurement of the clock.
SAMPLE_NS = 50_000
LONG_RUN_NS = 20_000_000  # no doubt that one such run is a sample
WARM_UP = 0.2  # of a slice


def main():
    peer, *arguments = sys.argv[1:]
    out = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    adapter = importlib.import_module(f"peers_board.adapters.{peer.replace('-', '_')}")
    base_kib = peak_kib()
    began = clock()
    loaded = adapter.load(*arguments)
    loaded.run()
    out.write(f"ready {(clock() - began) / 1e6:.3f} {base_kib}\n")
    gc.freeze()
    gc.disable()
    sample = make_sample(loaded)
    repeats = None
    for line in sys.stdin:
        word, _, value = line.strip().partition(" ")
        if word == "time":
            repeats = repeats or choose_repeats(sample)
            times = time_slice(sample, repeats, float(value))
            out.write(" ".join(["times", str(repeats), *map(str, times)]) + "\n")
        elif word == "write":
            answers.write_parts(value, loaded.answer())
            out.write("written\n")


def peak_kib():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))


def make_sample(loaded):
    """A function that gives the nanoseconds of so many runs, without Python between them where the peer has a C API."""
    if loaded.native:
        return native_sample(os.environ["SEQ_PEERS_LOOP"], *loaded.native)

    def sample(repeats):
        run = loaded.run
        began = clock()
        for _ in itertools.repeat(None, repeats):
            run()
        return clock() - began

    return sample


def native_sample(path, name, address, arguments):
    import ctypes

    function = getattr(ctypes.CDLL(path), name)
    function.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64]
    function.restype = ctypes.c_int64
    packed = (ctypes.c_void_p * len(arguments))(*arguments)

    def sample(repeats):
        took = function(address, packed, repeats)
        if took < 0:
            raise RuntimeError("a run failed")
        return took

    return sample


def choose_repeats(sample, least_ns=SAMPLE_NS):
    """How many runs take `least_ns`."""
    repeats, first = 1, sample(1)
    if first >= max(LONG_RUN_NS, least_ns):
        return 1
    while True:
        took = min(sample(repeats) for _ in range(3))
        if took >= least_ns:
            return repeats
        repeats = max(2 * repeats, int(repeats * 1.1 * least_ns / max(took, 1)))


def time_slice(sample, repeats, milliseconds):
    warm_until = clock() + milliseconds * WARM_UP * 1e6
    sample(1)
    while clock() < warm_until:
        sample(repeats)
    until = clock() + milliseconds * 1e6
    times = [sample(repeats)]
    while clock() < until:
        times.append(sample(repeats))
    return times


if __name__ == "__main__":
    main()
