"""bench.json as text, and what was to be reached."""

PEERS = ("seq", "torch-eager", "torch-graph", "torch-compile")
HEAD = f"{'network':<13} {'dtype':<5} {'batch':>5}  {'by':<13} {'ms':>9} {'p90':>9} {'GPU ms':>8} {'flow ms':>9} {'images/s':>9} {'distance':>9}  "


def text(document):
    lines = [HEAD.rstrip()]
    for case in document["cases"]:
        lines += rows(case)
        ratios = ", ".join(f"{name} {ratio:.2f} ({flow:.2f} back to back)" for name, (ratio, flow) in ratios_of(case).items())
        lines.append(f"{'':<27}seq is faster by: {ratios}" if ratios else "")
    lines += ["", *goals(document["cases"]), ""]
    lines += [f"left out: {' '.join(map(str, case))}" for case in document["left_out"]]
    lines += document["notes"]
    lines += ["", "ms: a run that is waited for, from the host; GPU ms: the GPU's own time for it; flow ms: of runs back to back.",
              "distance: the norm of the difference from PyTorch's answer in f64, over that of the answer."]  # fmt: skip
    return "\n".join(lines) + "\n"


def rows(case):
    for name in PEERS:
        entry = case["peers"].get(name)
        if entry is None:
            continue
        head = f"{case['network']:<13} {case['dtype']:<5} {case['batch']:>5}  {name:<13} "
        if "flow" not in entry:
            yield head + entry.get("error", "not measured")
            continue
        gpu = f"{entry['gpu_us'] / 1000:>8.3f}" if "gpu_us" in entry else " " * 8
        apart = f"{entry['distance']:>9.1e}" if "distance" in entry else " " * 9
        words = ["" if entry.get("agrees", True) else "WRONG", "" if entry.get("tune", "fast") == "fast" else "not tuned"]
        words.append("not captured" if entry.get("plan", {}).get("not_captured") else "")
        yield (
            f"{head}{entry['time']['median_ms']:>9.3f} {entry['time']['p90_ms']:>9.3f} {gpu} {entry['flow']['median_ms']:>9.3f} "
            f"{entry['samples_per_s']:>9.0f} {apart}  {' '.join(filter(None, words))}"
        ).rstrip()


def ratios_of(case):
    """For each peer that has a right answer: how many times faster seq is, waited for and back to back."""
    own = case["peers"].get("seq", {})
    others = {name: case["peers"].get(name, {}) for name in PEERS[1:]}
    if "flow" not in own:
        return {}
    return {
        name: tuple(other[what]["median_ms"] / own[what]["median_ms"] for what in ("time", "flow"))
        for name, other in others.items()
        if "flow" in other and other.get("agrees", True)
    }


def line(case):
    """One case in few words."""
    own = case["peers"].get("seq", {})
    name = f"{case['network']} {case['dtype']} batch {case['batch']}"
    if "flow" not in own:
        return f"{name}: {own.get('error', 'not measured')}"
    ratios = ", ".join(f"{peer} {ratio:.2f}/{flow:.2f}" for peer, (ratio, flow) in ratios_of(case).items())
    failed = ", ".join(peer for peer, entry in case["peers"].items() if "error" in entry)
    return (
        f"{name}: {own['time']['median_ms']:.3f} ms, {own['samples_per_s']:.0f} images/s"
        + (f"; times faster: {ratios}" if ratios else "") + (f"; failed: {failed}" if failed else "")
    )  # fmt: skip


def goals(cases):
    """What was to be reached, and what was."""
    found = {(case["network"], case["dtype"], case["batch"]): case for case in cases}

    def own(dtype, batch):
        entry = found.get(("resnet50", dtype, batch), {}).get("peers", {}).get("seq", {})
        return entry if "flow" in entry else None

    for dtype, least in (("f16", 30000), ("tf32", 14000)):
        entry = own(dtype, 128)
        yield verdict(f"resnet50 {dtype}, batch 128: at least {least} images/s", entry and entry["samples_per_s"], least, "{:.0f}")
    entry = own("f16", 1)
    yield verdict("resnet50 f16, batch 1: 0.4 ms at most", entry and -entry["time"]["median_ms"], -0.4, "{:.3f} ms", -1)
    for batch, least in ((1, 1.2), (32, 1.0), (128, 1.0)):
        ratios = ratios_of(found.get(("resnet50", "f16", batch), {"peers": {}})).get("torch-compile")
        yield verdict(f"resnet50 f16, batch {batch}: at least {least} times torch.compile", ratios and min(ratios), least, "{:.2f}")


def verdict(what, value, least, form, sign=1):
    if value is None:
        return f"{what}: not measured"
    return f"{what}: {form.format(sign * value)}, {'reached' if value >= least else 'MISSED'}"
