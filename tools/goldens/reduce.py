"""Mean and Sum: one dimension, several, all; kept or not; integers."""

import torch


def make_module(layer):
    dim = layer.get("dim")
    reduce = {"Mean": torch.mean, "Sum": torch.sum}[layer["type"]]
    return lambda x: reduce(x, dim=dim, keepdim=layer.get("keepdim", False))


CASES = []
for kind in ("Mean", "Sum"):
    for dim in (0, 1, -1, [2, 3], [-1, 0], [1, 3], [0, 1, 2, 3], None):
        for keepdim in (False, True):
            options = {"dim": dim, "keepdim": keepdim}
            CASES.append(
                (f"{kind.lower()}_{dim}_{keepdim}".replace(" ", ""), {"type": kind, **options}, [[2, 3, 4, 5]])
            )
    CASES.append((f"{kind.lower()}_vector", {"type": kind, "dim": 0}, [[9]]))
    CASES.append(
        (
            f"{kind.lower()}_special",
            {"type": kind, "dim": 1},
            [torch.tensor([[1.0, float("inf")], [float("inf"), float("-inf")], [float("nan"), 1.0]])],
        )
    )
for dtype in (torch.uint8, torch.int8, torch.int32, torch.int64, torch.bool):
    name = str(dtype).removeprefix("torch.")
    CASES.append((f"sum_{name}", {"type": "Sum", "dim": 1}, [(torch.arange(600) % 251).reshape(2, 300).to(dtype)]))
