"""The figures of a board from the times of its rounds. A round is (repeats, [nanoseconds of a sample, ...])."""

import math

from . import networks


def order(peers, number):
    """The peers in the order of this round: rotated by one each round, every other one backwards, so that each peer
    comes first equally often and has no fixed neighbour before it."""
    if not peers:
        return []
    first = number % len(peers)
    turned = [*peers[first:], *peers[:first]]
    return turned[::-1] if number // len(peers) % 2 else turned


def percentile(weighted, fraction):
    """The least value with at least `fraction` of the weight at or below it; `weighted` is (value, weight) pairs."""
    ranked = sorted(weighted)
    wanted = fraction * sum(weight for _, weight in ranked) * (1 - 1e-12)
    seen = 0.0
    for value, weight in ranked:
        seen += weight
        if seen >= wanted:
            return value
    raise ValueError("a percentile of nothing")


def median(values):
    return percentile([(value, 1) for value in values], 0.5)


def summarize(rounds):
    """Milliseconds a run. Each round has the same weight, however many samples it holds."""
    weighted = [(ns / repeats / 1e6, 1 / len(times)) for repeats, times in rounds for ns in times]
    return {
        "median_ms": percentile(weighted, 0.5),
        "p90_ms": percentile(weighted, 0.9),
        "min_ms": min(value for value, _ in weighted),
        "samples": len(weighted),
        "runs": sum(repeats * len(times) for repeats, times in rounds),
        "round_medians_ms": [median([ns / repeats / 1e6 for ns in times]) for repeats, times in rounds],
    }


def best_peer(results):
    """The name of the fastest engine other than seq that has a right answer, or None."""
    measured = [
        (result["median_ms"], name)
        for name, result in results.items()
        if name not in ("seq", *networks.ASIDE) and "median_ms" in result and result.get("agrees")
    ]
    return min(measured)[1] if measured else None


def compare(results):
    """The best peer, seq's ratio to it (above 1: seq is ahead), and the quartiles of the ratios round by round."""
    best, seq = best_peer(results), results.get("seq", {})
    if best is None or "median_ms" not in seq or not seq.get("agrees"):
        return {"best_peer": best, "ratio": None}
    pairs = zip(results[best]["round_medians_ms"], seq["round_medians_ms"])
    ratios = [(peer / own, 1) for peer, own in pairs]
    return {
        "best_peer": best,
        "ratio": results[best]["median_ms"] / seq["median_ms"],
        "ratio_quartiles": [percentile(ratios, 0.25), percentile(ratios, 0.75)],
    }


def geometric_mean(values):
    return math.exp(sum(map(math.log, values)) / len(values)) if values else None
