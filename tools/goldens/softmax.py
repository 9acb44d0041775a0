"""Softmax and its kin over every dimension, with large and special values."""

import torch

_LARGE = torch.tensor([[1000.0, 999.0, -1000.0], [float("-inf"), 0.0, 1.0], [float("nan"), 0.0, 1.0]])
_NOTHING = torch.full([1, 3], float("-inf"))

CASES = []
for kind in ("Softmax", "Softmin", "LogSoftmax"):
    for dim in (0, 1, 2, -1, -3):
        CASES.append((f"{kind.lower()}_{dim}", {"type": kind, "dim": dim}, [[3, 4, 5]]))
    for shape in ([5], [3, 5], [2, 3, 5], [2, 3, 4, 5]):
        CASES.append((f"{kind.lower()}_implicit_{len(shape)}", {"type": kind}, [shape]))
    CASES.append((f"{kind.lower()}_large", {"type": kind, "dim": 1}, [_LARGE]))
    CASES.append((f"{kind.lower()}_nothing", {"type": kind, "dim": 1}, [_NOTHING]))
CASES.append(("softmax2d", {"type": "Softmax2d"}, [[2, 3, 4, 5]]))
