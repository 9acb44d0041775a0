"""The pads: every mode and rank, sides of their own, negative amounts where PyTorch has them."""

import torch

from choose import generator


def _shape(rng, rank, batched):
    return ([rng.randint(1, 2)] if batched else []) + [rng.randint(1, 3)] + [rng.randint(4, 7) for _ in range(rank)]


def random_case(rng, index, kind):
    rank = rng.choice([1, 2, 3])
    shape = _shape(rng, rank, kind == "CircularPad" and rank == 3 or rng.random() < 0.7)
    layer = {"type": f"{kind}{rank}d"}
    low = -1 if kind in ("ZeroPad", "ConstantPad") else 0
    layer["padding"] = rng.randint(1, 3) if rng.random() < 0.3 else [rng.randint(low, 3) for _ in range(2 * rank)]
    if kind == "ConstantPad":
        layer["value"] = rng.choice([0.0, 1.5, -2.0, 3])
    return f"{kind.lower()}_{index}", layer, [shape]


_rng = generator(11)
CASES = [
    random_case(_rng, index, kind)
    for kind in ("ZeroPad", "ConstantPad", "ReflectionPad", "ReplicationPad", "CircularPad")
    for index in range(10)
]
CASES += [
    ("zeropad_more_dimensions", {"type": "ZeroPad1d", "padding": [1, 2]}, [[2, 3, 2, 5]]),
    ("zeropad_fewer_dimensions", {"type": "ZeroPad2d", "padding": [1, 0, 2, 0]}, [[3, 5]]),
    ("constantpad_crops", {"type": "ConstantPad2d", "padding": [-1, -2, -1, 3], "value": 7.0}, [[1, 2, 4, 5]]),
    ("constantpad_integers", {"type": "ConstantPad1d", "padding": 2, "value": -3}, [torch.arange(6).reshape(1, 2, 3)]),
    ("reflection_widest", {"type": "ReflectionPad1d", "padding": [4, 4]}, [[1, 2, 5]]),
    ("reflection_crops", {"type": "ReflectionPad2d", "padding": [-1, 2, 1, -2]}, [[1, 2, 5, 6]]),
    ("replication_wide", {"type": "ReplicationPad2d", "padding": [5, 9, 0, 7]}, [[1, 2, 1, 3]]),
    ("replication_crops", {"type": "ReplicationPad2d", "padding": [-1, 2, 1, -2]}, [[1, 2, 5, 6]]),
    ("circular_whole", {"type": "CircularPad1d", "padding": [5, 5]}, [[1, 2, 5]]),
    ("circular_crops", {"type": "CircularPad2d", "padding": [-1, 2, 1, -2]}, [[1, 2, 5, 6]]),
]
