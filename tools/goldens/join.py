"""Concat, Split, Slice: every dimension, from the front and from the end; positions that are clamped."""

import torch


def make_module(layer):
    options = {key: value for key, value in layer.items() if key != "type"}
    if layer["type"] == "Concat":
        return lambda *inputs: torch.cat(inputs, options.get("dim", 1))
    if layer["type"] == "Split":
        return lambda x: torch.split(x, options["sizes"], options.get("dim", 1))
    dim = options.get("dim", 0)
    taken = slice(options.get("start"), options.get("end"), options.get("step"))
    return lambda x: x[(slice(None),) * (dim % x.dim()) + (taken,)]


CASES = [
    ("concat", {"type": "Concat"}, [[2, 3, 4], [2, 1, 4], [2, 5, 4]]),
    ("concat_first", {"type": "Concat", "dim": 0}, [[2, 3], [1, 3]]),
    ("concat_last", {"type": "Concat", "dim": -1}, [[2, 3, 4, 1], [2, 3, 4, 6]]),
    ("concat_middle", {"type": "Concat", "dim": -2}, [[2, 3, 4, 5], [2, 3, 1, 5], [2, 3, 2, 5], [2, 3, 7, 5]]),
    ("concat_vectors", {"type": "Concat", "dim": 0}, [[3], [1], [2]]),
    ("concat_one", {"type": "Concat"}, [[2, 3]]),
    ("concat_integers", {"type": "Concat", "dim": 0}, [torch.arange(6).reshape(2, 3), torch.arange(3).reshape(1, 3)]),
    ("split", {"type": "Split", "sizes": [1, 4, 2]}, [[2, 7, 3]]),
    ("split_first", {"type": "Split", "sizes": [3, 2], "dim": 0}, [[5, 2]]),
    ("split_last", {"type": "Split", "sizes": [1, 5], "dim": -1}, [[2, 3, 6]]),
    ("split_one", {"type": "Split", "sizes": [7]}, [[2, 7]]),
    ("split_runs", {"type": "Split", "sizes": 3}, [[2, 7, 2]]),
    ("split_even_runs", {"type": "Split", "sizes": 2, "dim": 2}, [[2, 3, 6]]),
    ("split_bytes", {"type": "Split", "sizes": [2, 1], "dim": 0}, [torch.arange(6, dtype=torch.uint8).reshape(3, 2)]),
]
for _index, (_start, _end, _step) in enumerate(
    [
        (None, None, None),
        (1, None, None),
        (None, 3, None),
        (2, 5, None),
        (-3, None, None),
        (None, -2, None),
        (-5, -1, None),
        (0, 100, None),
        (-100, 4, None),
        (-100, 100, 1),
        (None, None, 2),
        (1, None, 3),
        (1, 6, 2),
        (-6, -1, 4),
        (6, 7, 5),
        (0, 1, 100),
    ]
):
    for _dim in (0, 1, -1):
        _layer = {"type": "Slice", "dim": _dim}
        _layer |= {
            key: value for key, value in (("start", _start), ("end", _end), ("step", _step)) if value is not None
        }
        CASES.append((f"slice_{_index}_{_dim}", _layer, [[7, 7, 7]]))
