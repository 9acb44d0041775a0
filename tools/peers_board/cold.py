"""Cold start and memory: fresh processes, one after the other, from outside."""

from . import figures, networks
from .errors import PeerError

# Runs after the first answer, so that memory that comes with the second run counts too.
RUN_MS = 100


def measure(launch, files, threads, peers, runs, on_run=lambda number: None):
    """The medians of `runs` processes of each peer: process start to first answer, the part of it after the imports,
    the memory at the peak, and the memory that was held before the network was loaded."""
    suitable = [peer for peer in peers if networks.unsuitable(peer, files.batch) is None]
    taken, results = {peer: [] for peer in suitable}, {}
    for number in range(runs):
        on_run(number)
        for peer in figures.order(suitable, number):
            if peer not in results:
                try:
                    taken[peer].append(once(launch, files, threads, peer))
                except PeerError as error:
                    results[peer] = {"error": str(error)}
    for peer in suitable:
        if peer not in results:
            results[peer] = {key: figures.median([run[key] for run in taken[peer]]) for key in taken[peer][0]}
    case = {"network": files.network.name, "batch": files.batch, "threads": threads}
    return case | {f"{key}_ratio": ratio(results, key) for key in ("cold_ms", "load_ms", "peak_kib")} | {"peers": results}


def once(launch, files, threads, peer):
    with launch.worker(peer, files, threads, tune="none") as worker:
        run = worker.wait_ready()
        worker.time(RUN_MS)
        return run | {"peak_kib": worker.peak_kib()}


def ratio(results, key):
    """The best peer's figure over seq's: above 1 seq is ahead."""
    peers = [result[key] for peer, result in results.items() if peer != "seq" and key in result]
    own = results.get("seq", {}).get(key)
    return min(peers) / own if peers and own else None
