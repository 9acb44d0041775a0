"""Views and permutations: every position, from the front and from the end."""

import itertools

import torch

_FUNCTIONS = {
    "Reshape": lambda o: lambda x: x.reshape([x.shape[i] if n == 0 else n for i, n in enumerate(_list(o["shape"]))]),
    "Squeeze": lambda o: lambda x: torch.squeeze(x, tuple(_list(o["dim"]))),
    "Unsqueeze": lambda o: lambda x: torch.unsqueeze(x, o["dim"]),
    "Permute": lambda o: lambda x: torch.permute(x, o["dims"]),
    "Transpose": lambda o: lambda x: torch.transpose(x, o["dim0"], o["dim1"]),
}


def _list(value):
    return value if isinstance(value, list) else [value]


def make_module(layer):
    options = {key: value for key, value in layer.items() if key != "type"}
    if layer["type"] in _FUNCTIONS:
        return _FUNCTIONS[layer["type"]](options)
    return getattr(torch.nn, layer["type"])(**options)


CASES = [("flatten", {"type": "Flatten"}, [[2, 3, 4, 5]])]
for start, end in ((0, -1), (0, 1), (1, 2), (2, 3), (-3, -2), (2, 2), (-1, -1), (0, 3)):
    CASES.append((f"flatten_{start}_{end}", {"type": "Flatten", "start_dim": start, "end_dim": end}, [[2, 3, 4, 5]]))
for dim, sizes in (
    (1, [3, 4]),
    (-1, [7, -1]),
    (0, [-1, 2]),
    (1, [2, -1, 3]),
    (1, [12]),
    (-2, [-1, 4, 3, 1]),
    (2, [-1]),
):
    CASES.append(
        (f"unflatten_{dim}_{len(sizes)}", {"type": "Unflatten", "dim": dim, "unflattened_size": sizes}, [[4, 12, 7]])
    )
for index, shape in enumerate(
    ([6, 20], [0, -1], [-1], 120, [0, 0, 20], [-1, 0, 5, 4], [3, 2, 1, 1, 4, 5], [2, -1, 0, 5], [-1, 1])
):
    CASES.append(
        (f"reshape_{index}", {"type": "Reshape", "shape": shape}, [[2, 3, 4, 5] if index == 7 else [2, 3, 20]])
    )
for index, dim in enumerate((0, 2, -1, [0, 2], [-1, 0], 1, [1, 2])):
    CASES.append((f"squeeze_{index}", {"type": "Squeeze", "dim": dim}, [[1, 3, 1, 5, 1]]))
for dim in (0, 1, 2, 3, -1, -2, -4):
    CASES.append((f"unsqueeze_{dim}", {"type": "Unsqueeze", "dim": dim}, [[2, 3, 4]]))
for index, dims in enumerate(itertools.permutations(range(3))):
    CASES.append((f"permute_{index}", {"type": "Permute", "dims": list(dims)}, [[2, 3, 5]]))
CASES += [
    ("permute_last", {"type": "Permute", "dims": [0, 2, 3, 1]}, [[2, 3, 4, 5]]),
    ("permute_negative", {"type": "Permute", "dims": [-1, 0, -2, 1]}, [[2, 3, 4, 5]]),
    ("permute_five", {"type": "Permute", "dims": [4, 2, 0, 3, 1]}, [[2, 3, 4, 5, 2]]),
    ("permute_integers", {"type": "Permute", "dims": [1, 0]}, [torch.arange(15).reshape(3, 5)]),
]
for dim0, dim1 in ((0, 1), (1, 2), (-1, -2), (0, -1), (3, 1), (2, 2)):
    CASES.append((f"transpose_{dim0}_{dim1}", {"type": "Transpose", "dim0": dim0, "dim1": dim1}, [[2, 3, 4, 5]]))
