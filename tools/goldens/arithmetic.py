"""Add, Sub, Mul, Div: broadcasting, several inputs, a number for the second one, integers that wrap around."""

import functools
import operator

import torch

_OPERATORS = {"Add": operator.add, "Sub": operator.sub, "Mul": operator.mul, "Div": operator.truediv}


def make_module(layer):
    combine = _OPERATORS[layer["type"]]
    if layer.get("other") is not None:
        return lambda x: combine(x, layer["other"])
    return lambda *inputs: functools.reduce(combine, inputs)


_SHAPES = [
    [[2, 3, 4], [2, 3, 4]],
    [[2, 3, 4], [1]],
    [[2, 3, 4], [4]],
    [[4], [2, 3, 4]],
    [[2, 3, 1], [3, 4]],
    [[2, 1, 4], [1, 3, 1]],
    [[1, 1], [2, 5, 1, 3]],
    [[7], [7]],
    [[2, 3], [2, 3], [2, 3]],
    [[3], [2, 1], [4, 1, 1]],
    [[2, 5, 3, 3], [2, 5, 1, 1]],
    [[2, 5, 3, 3], [5, 1, 1]],
    [[1, 5, 3, 3], [4, 1, 1, 3]],
    [[], [2, 3]],
    [[2], [2], [2], [2], [2], [2], [2], [2], [2], [2]],
]
_I8 = torch.tensor([[100, -100, 127, -128, 3]], dtype=torch.int8)
_U8 = torch.tensor([[100, 200, 255, 0, 3]], dtype=torch.uint8)
_I32 = torch.tensor([[2**31 - 1, -(2**31), 7, -7, 0]], dtype=torch.int32)
_I64 = torch.tensor([[2**63 - 1, -(2**63), 7, -7, 0]])

CASES = []
for kind in _OPERATORS:
    for index, shapes in enumerate(_SHAPES):
        CASES.append((f"{kind.lower()}_{index}", {"type": kind}, shapes))
    for other in (2, -0.3, 1e-3):
        CASES.append((f"{kind.lower()}_number_{other}", {"type": kind, "other": other}, [[2, 3, 4]]))
    if kind != "Div":
        for x in (_I8, _U8, _I32, _I64):
            name = str(x.dtype).removeprefix("torch.")
            CASES.append((f"{kind.lower()}_{name}", {"type": kind}, [x, x.flip(1)]))
            CASES.append((f"{kind.lower()}_{name}_number", {"type": kind, "other": 3}, [x]))
CASES.append(
    (
        "div_by_zero",
        {"type": "Div"},
        [torch.tensor([1.0, 0.0, -1.0, float("inf")]), torch.tensor([0.0, 0.0, 0.0, float("inf")])],
    )
)
