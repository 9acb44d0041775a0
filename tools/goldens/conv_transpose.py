"""ConvTranspose1d, 2d, 3d: output padding, groups, dilation and odd sizes."""

from choose import at, generator, per_dim


def random_case(rng, index):
    rank = rng.choice([1, 2, 2, 3])
    groups = rng.choice([1, 1, 2, 3])
    layer = {
        "type": f"ConvTranspose{rank}d",
        "in_channels": groups * rng.randint(1, 3),
        "out_channels": groups * rng.randint(1, 3),
        "kernel_size": per_dim(rng, rank, 1, 4 if rank < 3 else 3),
        "stride": per_dim(rng, rank, 1, 3),
        "padding": per_dim(rng, rank, 0, 2),
        "dilation": per_dim(rng, rank, 1, 2),
        "groups": groups,
        "bias": rng.random() < 0.7,
    }
    most = [max(at(layer["stride"], i), at(layer["dilation"], i)) - 1 for i in range(rank)]
    layer["output_padding"] = [rng.randint(0, limit) for limit in most]
    shape = [rng.randint(1, 2), layer["in_channels"]]
    for i in range(rank):
        size = rng.randint(3, 6 if rank < 3 else 4)
        while (size - 1) * at(layer["stride"], i) + at(layer["kernel_size"], i) <= 2 * at(layer["padding"], i):
            size += 1
        shape.append(size)
    return f"random_{index}", layer, [shape]


_rng = generator(2)
CASES = [random_case(_rng, index) for index in range(40)]
