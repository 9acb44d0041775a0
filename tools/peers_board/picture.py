"""Draws the ratios of a board; runs in the peers' Python.

picture.py BOARD.json PICTURE.svg|.png
"""

import json
import sys

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot  # noqa: E402
from matplotlib.lines import Line2D  # noqa: E402

AHEAD, BEHIND = "#2b7a5d", "#c0603a"
MARKS = {"onnxruntime": "o", "openvino": "s", "ncnn": "^", "torch-jit": "D", "torch-eager": "x", "rtneural": "+"}


def draw_panel(axes, cases, threads):
    cases = [case for case in cases if case["threads"] == threads and case["ratio"]]
    for y, case in enumerate(cases):
        ratio = case["ratio"]
        axes.barh(y, ratio - 1, left=1, height=0.62, color=AHEAD if ratio >= 1 else BEHIND, zorder=2)
        axes.text(1.03, y, f"{ratio:.2f}", transform=axes.get_yaxis_transform(), va="center", ha="left")
        own = case["peers"]["seq"]["median_ms"]
        for peer, mark in MARKS.items():
            result = case["peers"].get(peer, {})
            if "median_ms" in result and result.get("agrees"):
                axes.plot(result["median_ms"] / own, y, mark, color="#333333", markersize=4, zorder=3)
    axes.axvline(1, color="black", linewidth=1, zorder=4)
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(matplotlib.ticker.FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_formatter(matplotlib.ticker.NullFormatter())
    axes.set_xticks(ticks(*axes.get_xlim()))
    axes.set_yticks(range(len(cases)), [f"{case['network']}:{case['batch']}" for case in cases])
    axes.invert_yaxis()
    axes.grid(axis="x", color="#dddddd", zorder=0)
    axes.set_title(f"{threads} thread{'s' if threads > 1 else ''}", loc="left")
    axes.set_xlabel("time of a peer / time of seq (right of 1: seq is ahead)")


def ticks(low, high):
    fine = (0.3, 0.5, 0.7, 1, 1.5, 2, 3, 5, 7, 10)
    coarse = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
    return [value for value in (fine if high / low < 10 else coarse) if low <= value <= high]


def draw(board, path):
    threads = sorted({case["threads"] for case in board["cases"] if case["ratio"]})
    if not threads:
        raise SystemExit("no case has a ratio: there is nothing to draw")
    rows = max(sum(1 for c in board["cases"] if c["threads"] == t and c["ratio"]) for t in threads)
    figure, panels = pyplot.subplots(
        1, len(threads), figsize=(6.5 * len(threads), 2.2 + 0.32 * rows), squeeze=False, layout="constrained"
    )
    for axes, count in zip(panels[0], threads):
        draw_panel(axes, board["cases"], count)
    facts = board["machine"]
    noise = "\nNOT A QUIET MACHINE" if board["noise"] else ""
    figure.suptitle(
        f"seq {board['versions']['seq']}\n{facts['cpu']}, {facts['cores']} cores, {board['date']}{noise}", fontsize=10
    )
    there = {peer for case in board["cases"] for peer, result in case["peers"].items() if "median_ms" in result}
    handles = [
        Line2D([], [], color="#333333", marker=mark, linestyle="", label=peer) for peer, mark in MARKS.items() if peer in there
    ]
    handles.append(Line2D([], [], color=AHEAD, linewidth=8, label="best peer / seq"))
    figure.legend(handles=handles, loc="outside lower center", ncols=min(len(handles), 4 * len(threads)), frameon=False)
    figure.savefig(path, dpi=120)


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as file:
        draw(json.load(file), sys.argv[2])
