"""Pools, pads, resizing and shuffles."""

from fractions import Fraction

from .errors import Inexpressible

INDICES = "return_indices gives a second output, and seq's pools give the values alone"
_MODES = {"nearest", "linear", "bilinear", "trilinear"}
_PADS = {
    "constant": "ConstantPad",
    "reflect": "ReflectionPad",
    "replicate": "ReplicationPad",
    "circular": "CircularPad",
}


def max_pool(dimensions):
    def mapping(
        call, input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False
    ):
        if return_indices:
            raise Inexpressible(INDICES)
        options = {"kernel_size": kernel_size, "stride": stride or None, "padding": padding, "dilation": dilation}
        return call.add(f"MaxPool{dimensions}d", [input], **options, ceil_mode=ceil_mode)

    return mapping


def with_indices(call, *arguments, **options):
    raise Inexpressible(INDICES)


def avg_pool(dimensions):
    def mapping(
        call, input, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True, divisor_override=None
    ):
        options = {"kernel_size": kernel_size, "stride": stride or None, "padding": padding, "ceil_mode": ceil_mode}
        options["count_include_pad"] = count_include_pad
        if divisor_override is not None:
            options["divisor_override"] = divisor_override
        return call.add(f"AvgPool{dimensions}d", [input], **options)

    return mapping


def lp_pool(dimensions):
    def mapping(call, input, norm_type, kernel_size, stride=None, ceil_mode=False):
        options = {"norm_type": norm_type, "kernel_size": kernel_size, "stride": stride, "ceil_mode": ceil_mode}
        return call.add(f"LPPool{dimensions}d", [input], **options)

    return mapping


def adaptive_pool(kind, dimensions):
    def mapping(call, input, output_size, return_indices=False):
        if return_indices:
            raise Inexpressible(INDICES)
        return call.add(f"Adaptive{kind}Pool{dimensions}d", [input], output_size=output_size)

    return mapping


def pad(call, input, pad, mode="constant", value=None):
    amounts = list(pad)
    while len(amounts) > 2 and amounts[-2:] == [0, 0] and mode == "constant":
        del amounts[-2:]
    if not any(amounts):
        return input
    dimensions = len(amounts) // 2
    if mode == "constant" and not value:
        return call.add(f"ZeroPad{dimensions}d", [input], padding=amounts)
    options = {"value": value} if mode == "constant" else {}
    return call.add(f"{_PADS[mode]}{dimensions}d", [input], padding=amounts, **options)


def _target(input, output_sizes):
    """`size` where the result's sizes are numbers, `scale_factor` where they follow the input's."""
    spatial = range(2, input.rank)
    sizes = [{sample[i] for sample in output_sizes} for i in spatial]
    if all(len(found) == 1 for found in sizes):
        return {"size": [found.pop() for found in sizes]}
    ratios = [{Fraction(o[i], s[i]) for o, s in zip(output_sizes, input.sizes)} for i in spatial]
    if any(len(found) > 1 for found in ratios):
        raise Inexpressible("resizes to sizes that follow the input's in no fixed ratio")
    return {"scale_factor": [float(found.pop()) for found in ratios]}


def check_mode(mode):
    if mode not in _MODES:
        raise Inexpressible(f"resizes by {mode}, and seq's Upsample knows {', '.join(sorted(_MODES))}")


def interpolate(
    call, input, size=None, scale_factor=None, mode="nearest", align_corners=None, recompute_scale_factor=None,
    antialias=False,
):  # fmt: skip
    if antialias:
        raise Inexpressible("smooths against aliasing, which no layer does")
    check_mode(mode)
    target = {"scale_factor": scale_factor} if scale_factor is not None else _target(input, call.output_sizes)
    options = {"mode": mode, "align_corners": align_corners, "recompute_scale_factor": recompute_scale_factor}
    return call.add("Upsample", [input], **target, **options)


def pixel_shuffle(call, input, upscale_factor):
    return call.add("PixelShuffle", [input], upscale_factor=upscale_factor)


def pixel_unshuffle(call, input, downscale_factor):
    return call.add("PixelUnshuffle", [input], downscale_factor=downscale_factor)


def channel_shuffle(call, input, groups):
    return call.add("ChannelShuffle", [input], groups=groups)


MAPPINGS = {
    "pad": pad,
    "interpolate": interpolate,
    "upsample": interpolate,
    "pixel_shuffle": pixel_shuffle,
    "pixel_unshuffle": pixel_unshuffle,
    "channel_shuffle": channel_shuffle,
}
for _dimensions in (1, 2, 3):
    MAPPINGS |= {
        f"max_pool{_dimensions}d": max_pool(_dimensions),
        f"avg_pool{_dimensions}d": avg_pool(_dimensions),
        f"lp_pool{_dimensions}d": lp_pool(_dimensions),
        f"adaptive_avg_pool{_dimensions}d": adaptive_pool("Avg", _dimensions),
        f"adaptive_max_pool{_dimensions}d": adaptive_pool("Max", _dimensions),
        f"max_pool{_dimensions}d_with_indices": with_indices,
        f"adaptive_max_pool{_dimensions}d_with_indices": with_indices,
    }
