"""One case of the board: a network at a batch and a number of threads, on every peer, in interleaved rounds."""

import contextlib
import dataclasses
import pathlib
import tempfile
import time

from . import answers, dtypes, figures
from .client import Worker
from .errors import PeerError
from .quiet import Watch

# Threads of a peer may spin for a while after its last run: they are given this long to fall asleep.
SETTLE_S = 0.02


@dataclasses.dataclass
class Launch:
    """How workers are started."""

    python: str
    seq_worker: str
    env: dict
    rtneural_worker: str = None
    timeout: float = 300.0
    dtype: str = "f32"

    def worker(self, peer, files, threads, tune="fast", plan=None):
        """`tune`: how long seq measures before it runs; what it has measured is kept beside the networks. `plan`: a
        compiled plan that it loads instead of the network's own file."""
        if peer == "seq":
            timings = pathlib.Path(files.folder).parent / "timings.json"
            command = [self.seq_worker, plan or files.spec, files.x, files.batch, threads, tune, timings, self.dtype]
        elif peer == "rtneural":
            command = [self.rtneural_worker, files.network.name, files.of(peer), files.x]
        else:
            command = [self.python, "-m", "peers_board.worker", peer, files.of(peer), files.x, files.y, threads,
                       files.network.argument or files.network.name, self.dtype]  # fmt: skip
        return Worker(command, self.env, self.timeout)


def check(worker, expected, dtype):
    """Whether the worker's answer is PyTorch's, `expected` of each output, and how far away it is."""
    with tempfile.TemporaryDirectory() as folder:
        file = f"{folder}/y.npy"
        worker.write(file)
        try:
            apart = answers.largest_difference(answers.read_parts(file), expected)
        except (OSError, ValueError) as error:
            raise PeerError(f"its answer cannot be compared: {error}") from error
    return {"difference": apart, "agrees": apart <= dtypes.TOLERANCES[dtype]}


def open_workers(stack, launch, files, threads, peers, results):
    """A ready worker with a checked answer for each peer that has one; the others get an error in `results`."""
    expected = answers.read_parts(files.y)
    workers = {}
    for peer in peers:
        try:
            worker = stack.enter_context(launch.worker(peer, files, threads))
            worker.wait_ready()
            results[peer] = check(worker, expected, launch.dtype)
            workers[peer] = worker
        except PeerError as error:
            results[peer] = {"error": str(error)}
    return workers


def run_rounds(workers, rounds, slice_ms, results, on_round=lambda number: None):
    """Times every worker in every round; one that fails is left out from there on. Returns the rounds of each."""
    taken = {peer: [] for peer in workers}
    for number in range(rounds):
        on_round(number)
        for peer in figures.order(list(workers), number):
            if "error" in results[peer]:
                continue
            time.sleep(SETTLE_S)
            try:
                taken[peer].append(workers[peer].time(slice_ms))
            except PeerError as error:
                results[peer]["error"] = str(error)
    return taken


def measure(launch, files, threads, peers, rounds, slice_ms, on_round=lambda number: None):
    """The case as it goes into the board."""
    results = {}
    for peer in peers:
        reason = dtypes.unsuitable(peer, files.network, files.batch, launch.dtype)
        if reason:
            results[peer] = {"unsuitable": reason}
    with contextlib.ExitStack() as stack:
        workers = open_workers(stack, launch, files, threads, [p for p in peers if p not in results], results)
        watch = Watch([worker.pid for worker in workers.values()])
        taken = run_rounds(workers, rounds, slice_ms, results, on_round)
        others = watch.others()
    for peer, times in taken.items():
        if times and "error" not in results[peer]:
            results[peer] |= figures.summarize(times)
    case = {"network": files.network.name, "batch": files.batch, "threads": threads}
    return case | {"others_busy_cores": others} | figures.compare(results) | {"peers": results}
