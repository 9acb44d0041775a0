"""Cold start and memory: fresh processes, one after the other, from outside."""

import pathlib
import tempfile

from . import dtypes, figures, networks
from .errors import PeerError

# Runs after the first answer, so that memory that comes with the second run counts too.
RUN_MS = 100
KEYS = ("cold_ms", "load_ms", "peak_kib")


def measure(launch, files, threads, peers, runs, on_run=lambda number: None):
    """The medians of `runs` processes of each peer: process start to first answer, the part of it after the imports,
    the memory at the peak, and the memory that was held before the network was loaded. Where seq is among the peers it
    is there twice: from the model's file, and from a plan that was compiled before."""
    suitable = [peer for peer in peers if dtypes.unsuitable(peer, files.network, files.batch, launch.dtype) is None]
    with tempfile.TemporaryDirectory() as folder:
        plan, results = pathlib.Path(folder) / "plan.seqx", {}
        if "seq" in suitable:
            suitable.insert(suitable.index("seq") + 1, networks.COMPILED)
            try:
                compile_plan(launch, files, threads, plan)
            except PeerError as error:
                results[networks.COMPILED] = {"error": str(error)}
        take(launch, files, threads, suitable, runs, plan, results, on_run)
    case = {"network": files.network.name, "batch": files.batch, "threads": threads}
    return case | ratios(results) | {"peers": results}


def compile_plan(launch, files, threads, path):
    with launch.worker("seq", files, threads) as worker:
        worker.wait_ready()
        worker.save(path)


def take(launch, files, threads, peers, runs, plan, results, on_run):
    taken = {peer: [] for peer in peers}
    for number in range(runs):
        on_run(number)
        for peer in figures.order(peers, number):
            if peer not in results:
                try:
                    taken[peer].append(once(launch, files, threads, peer, plan))
                except PeerError as error:
                    results[peer] = {"error": str(error)}
    for peer in peers:
        if peer not in results:
            results[peer] = {key: figures.median([run[key] for run in taken[peer]]) for key in taken[peer][0]}


def once(launch, files, threads, peer, plan):
    own = {"plan": plan} if peer == networks.COMPILED else {}
    with launch.worker("seq" if own else peer, files, threads, tune="none", **own) as worker:
        run = worker.wait_ready()
        worker.time(RUN_MS)
        return run | {"peak_kib": worker.peak_kib()}


def ratios(results):
    """The best peer's figures over seq's, and over those of seq with a compiled plan: above 1 seq is ahead."""
    found = {}
    for key in KEYS:
        apart = ("seq", networks.COMPILED, *networks.ASIDE)
        peers = [r[key] for peer, r in results.items() if peer not in apart and key in r]
        for own, name in (("seq", f"{key}_ratio"), (networks.COMPILED, f"{key}_ratio_compiled")):
            value = results.get(own, {}).get(key)
            found[name] = min(peers) / value if peers and value else None
    return found
