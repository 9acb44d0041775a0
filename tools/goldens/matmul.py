"""MatMul: vectors, matrices, and leading dimensions that are broadcast."""

import torch

_SHAPES = [
    [[5], [5]],
    [[3, 5], [5, 4]],
    [[5], [5, 4]],
    [[3, 5], [5]],
    [[2, 3, 5], [5, 4]],
    [[3, 5], [2, 5, 4]],
    [[2, 3, 5], [2, 5, 4]],
    [[2, 3, 5], [5]],
    [[5], [2, 5, 4]],
    [[1, 3, 5], [2, 5, 4]],
    [[2, 1, 3, 5], [7, 5, 1]],
    [[2, 7, 3, 5], [2, 1, 5, 4]],
    [[2, 7, 1, 3], [3, 9]],
    [[1, 1], [1, 1]],
]


def make_module(layer):
    return torch.matmul


CASES = [(f"matmul_{index}", {"type": "MatMul"}, shapes) for index, shapes in enumerate(_SHAPES)]
