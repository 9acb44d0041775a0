"""Conv1d, Conv2d, Conv3d: every padding mode, "same", groups, dilation and odd sizes."""

from choose import at, generator, per_dim


def random_case(rng, index):
    rank = rng.choice([1, 1, 2, 2, 2, 3])
    groups = rng.choice([1, 1, 2, 3])
    mode = rng.choice(["zeros", "zeros", "reflect", "replicate", "circular"])
    layer = {
        "type": f"Conv{rank}d",
        "in_channels": groups * rng.randint(1, 3),
        "out_channels": groups * rng.randint(1, 3),
        "kernel_size": per_dim(rng, rank, 1, 4 if rank < 3 else 3),
        "stride": per_dim(rng, rank, 1, 3),
        "padding": per_dim(rng, rank, 0, 3),
        "dilation": per_dim(rng, rank, 1, 3 if rank < 3 else 2),
        "groups": groups,
        "bias": rng.random() < 0.7,
        "padding_mode": mode,
    }
    if rng.random() < 0.2:
        layer["padding"], layer["stride"] = "same", 1
    elif rng.random() < 0.1:
        layer["padding"] = "valid"
    shape = [rng.randint(1, 2), layer["in_channels"]]
    for i in range(rank):
        extent = at(layer["dilation"], i) * (at(layer["kernel_size"], i) - 1) + 1
        least = max(extent, 5)
        shape.append(rng.randint(least, least + (6 if rank < 3 else 2)))
    return f"random_{index}", layer, [shape]


_rng = generator(1)
CASES = [random_case(_rng, index) for index in range(60)]
CASES += [
    ("row_longer_than_a_tile",
     {"type": "Conv1d", "in_channels": 2, "out_channels": 3, "kernel_size": 5, "stride": 2, "padding": 4}, [[1, 2, 300]]),
    ("depthwise", {"type": "Conv2d", "in_channels": 5, "out_channels": 5, "kernel_size": 3, "padding": 1, "groups": 5},
     [[2, 5, 6, 7]]),
    ("depthwise_multiplier", {"type": "Conv2d", "in_channels": 3, "out_channels": 9, "kernel_size": 3, "groups": 3},
     [[1, 3, 5, 5]]),
    ("pointwise", {"type": "Conv2d", "in_channels": 7, "out_channels": 11, "kernel_size": 1}, [[2, 7, 3, 5]]),
    ("padding_wider_than_input",
     {"type": "Conv2d", "in_channels": 1, "out_channels": 2, "kernel_size": 3, "padding": 4, "dilation": 2}, [[1, 1, 2, 2]]),
]
