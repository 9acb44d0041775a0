"""The board as text: Markdown tables that read well in a terminal too."""

from . import figures, networks


def number(value):
    """Three significant digits, without an exponent."""
    if value is None:
        return ""
    digits = 2 if value == 0 else max(0, 2 - _magnitude(value))
    return f"{value:.{digits}f}"


def _magnitude(value):
    return int(f"{value:.2e}".partition("e")[2])


def table(header, rows):
    """The first column is words, the others are numbers."""
    rows = [[str(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(header, *rows)]
    lines = [header, ["-" * width if i == 0 else "-" * (width - 1) + ":" for i, width in enumerate(widths)], *rows]
    return "\n".join("| " + " | ".join(_pad(cell, i, widths) for i, cell in enumerate(line)) + " |" for line in lines)


def _pad(cell, column, widths):
    return cell.ljust(widths[column]) if column == 0 else cell.rjust(widths[column])


def text(board):
    parts = [machine(board)]
    for threads in sorted({case["threads"] for case in board["cases"]}):
        cases = [case for case in board["cases"] if case["threads"] == threads]
        parts.append(f"### {threads} thread{'s' if threads > 1 else ''}: median (90th percentile), ms\n")
        parts.append(latencies(cases, board["settings"]["peers"]) + "\n")
        mean = figures.geometric_mean([case["ratio"] for case in cases if case["ratio"]])
        if mean:
            parts.append(f"Geometric mean of the ratios: {mean:.2f}.\n")
    if board["cold"]:
        peers = board["settings"]["peers"]
        parts.append("### Process start to first answer (without what it takes to start Python and import the peer), ms\n")
        parts.append(cold(board["cold"], peers, "cold_ms", "load_ms") + "\n")
        parts.append("### Memory at the peak (before the network was loaded), MiB\n")
        parts.append(cold(board["cold"], peers, "peak_kib", "base_kib", 1 / 1024) + "\n")
    notes = remarks(board)
    if notes:
        parts.append("### What is not in the tables, or is there with a grain of salt\n")
        parts.append("\n".join(f"- {note}" for note in notes) + "\n")
    return "\n".join(parts)


def latencies(cases, peers):
    """With the ratios where there can be some."""
    compares = networks.compares(peers)
    header = ["network:batch", *peers, *(["best peer", "ratio", "quartiles"] if compares else [])]
    rows = []
    for case in cases:
        best = case["best_peer"] if compares else None
        cells = [_latency(case["peers"].get(peer, {}), peer == best) for peer in peers]
        rows.append([f"{case['network']}:{case['batch']}", *cells, *(_compared(case) if compares else [])])
    return table(header, rows)


def _compared(case):
    if not case["ratio"]:
        return [case["best_peer"] or "", "", ""]
    quartiles = "to".join(f" {value:.2f} " for value in case["ratio_quartiles"]).strip()
    return [case["best_peer"], f"{case['ratio']:.2f}", quartiles]


def _latency(result, best):
    if "median_ms" not in result:
        return "failed" if "error" in result else ""
    words = f"{number(result['median_ms'])} ({number(result['p90_ms'])})"
    if not result["agrees"]:
        return f"wrong answer, {words}"
    return f"**{words}**" if best else words


def cold(cases, peers, key, part, scale=1.0):
    columns = [peer for peer in [networks.COMPILED, *peers] if any(peer in case["peers"] for case in cases)]
    kinds = {"_compiled": f"ratio, {networks.COMPILED}", "": "ratio, seq"} if networks.COMPILED in columns else {"": "ratio"}
    kinds = kinds if networks.compares(peers) else {}
    rows = []
    for case in cases:
        results = [case["peers"].get(peer, {}) for peer in columns]
        cells = [
            f"{number(result[key] * scale)} ({number(result[part] * scale)})"
            if key in result else "failed" if "error" in result else ""
            for result in results
        ]  # fmt: skip
        found = [_cold_ratio(case, key, part, kind) for kind in kinds]
        rows.append([f"{case['network']}:{case['batch']}", *cells, *found])
    return table(["network:batch", *columns, *kinds.values()], rows)


def _cold_ratio(case, key, part, kind):
    """In brackets that of the part, where it is a time too."""
    ratio, inner = (case.get(f"{name}_ratio{kind}") for name in (key, part))
    words = f"{ratio:.2f}" if ratio else ""
    return f"{words} ({inner:.2f})" if words and inner else words


def machine(board):
    facts, versions = board["machine"], board["versions"]
    caches = ", ".join(f"{level} {size}" for level, size in facts["caches"].items())
    packages = ", ".join(f"{name} {version}" for name, version in versions.items() if version)
    lines = [
        f"{board['date']}: {facts['cpu']}, {facts['cores']} cores{' of a virtual machine' if facts['virtual'] else ''}, "
        f"{facts['memory_gib']:g} GiB; {caches}; {' '.join(facts['isa'])}; {facts['system']}.",
        f"Versions: {packages}.",
        f"{board['settings']['rounds']} interleaved rounds of {board['settings']['slice_ms']:g} ms, {board['settings'].get('dtype', 'f32')}.",
    ]
    if board["noise"]:
        lines.append(f"**The machine was not quiet**: {'; '.join(board['noise'])}. These figures prove nothing.")
    return "\n".join(lines) + "\n"


def remarks(board):
    """Who failed, who disagrees and which cases were disturbed, each in a line."""
    found = []
    for case in board["cases"] + board["cold"]:
        where = f"{case['network']}:{case['batch']}, {case['threads']} thread{'s' if case['threads'] > 1 else ''}"
        for peer, result in case["peers"].items():
            if "error" in result:
                found.append(f"{where}: {peer} failed: {result['error']}")
            elif result.get("agrees") is False:
                found.append(f"{where}: {peer}'s answer is {result['difference']:.2g} of the largest magnitude from PyTorch's")
        if case.get("others_busy_cores", 0) > 0.1:
            found.append(f"{where}: others kept {case['others_busy_cores']:.2f} cores busy meanwhile")
    reasons = {r["unsuitable"] for case in board["cases"] for r in case["peers"].values() if "unsuitable" in r}
    return list(dict.fromkeys(found)) + sorted(reasons)
