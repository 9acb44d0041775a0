"""Max, average, p-norm and adaptive pools: ceil_mode, dilation, padding, divisors; NaN and infinity in the input."""

import torch

from choose import at, generator, per_dim


def random_case(rng, index):
    rank = rng.choice([1, 2, 2, 3])
    kind = rng.choice(["MaxPool", "MaxPool", "AvgPool", "AvgPool", "LPPool"])
    kernel = per_dim(rng, rank, 1, 4)
    layer = {"type": f"{kind}{rank}d", "kernel_size": kernel, "ceil_mode": rng.random() < 0.5}
    if rng.random() < 0.7:
        layer["stride"] = per_dim(rng, rank, 1, 4)
    if kind == "MaxPool":
        layer["dilation"] = per_dim(rng, rank, 1, 2)
    if kind != "LPPool":
        layer["padding"] = [rng.randint(0, at(kernel, i) // 2) for i in range(rank)]
    if kind == "AvgPool":
        layer["count_include_pad"] = rng.random() < 0.5
        if rank > 1 and rng.random() < 0.3:
            layer["divisor_override"] = rng.randint(1, 7)
    shape = [rng.randint(1, 2), rng.randint(1, 3)]
    for i in range(rank):
        extent = at(layer.get("dilation", 1), i) * (at(kernel, i) - 1) + 1
        shape.append(rng.randint(extent, extent + (7 if rank < 3 else 3)))
    x = torch.randn(shape, generator=torch.Generator().manual_seed(index))
    if kind == "LPPool":
        layer["norm_type"] = rng.choice([1.0, 2.0, 2.5, 3.0])
        if rank == 1:
            layer["kernel_size"] = at(kernel, 0)
        x = x.abs()
    return f"random_{index}", layer, [x]


def adaptive_case(rng, index):
    rank = rng.choice([1, 2, 2, 3])
    kind = rng.choice(["AdaptiveAvgPool", "AdaptiveMaxPool"])
    layer = {"type": f"{kind}{rank}d", "output_size": per_dim(rng, rank, 1, 7)}
    return f"adaptive_{index}", layer, [[2, 3] + [rng.randint(1, 9) for _ in range(rank)]]


_SPECIAL = torch.tensor([[[1.0, float("nan"), -2.0, float("-inf"), float("-inf"), 3.0, float("inf"), 0.0, -1.0]]])
_rng = generator(3)
CASES = [random_case(_rng, index) for index in range(70)] + [adaptive_case(_rng, index) for index in range(24)]
CASES += [
    ("max_special", {"type": "MaxPool1d", "kernel_size": 2}, [_SPECIAL]),
    ("avg_special", {"type": "AvgPool1d", "kernel_size": 2, "ceil_mode": True}, [_SPECIAL]),
    ("adaptive_max_special", {"type": "AdaptiveMaxPool1d", "output_size": 4}, [_SPECIAL]),
    ("window_larger_than_input", {"type": "MaxPool2d", "kernel_size": 3, "stride": 2, "ceil_mode": True}, [[1, 2, 2, 2]]),
    ("odd_power_of_negatives", {"type": "LPPool1d", "norm_type": 3.0, "kernel_size": 2}, [[1, 2, 6]]),
    ("adaptive_avg_keeps_height", {"type": "AdaptiveAvgPool2d", "output_size": [None, 2]}, [[1, 2, 3, 5]]),
    ("adaptive_max_keeps_width", {"type": "AdaptiveMaxPool3d", "output_size": [2, 2, None]}, [[1, 2, 3, 5, 3]]),
]
