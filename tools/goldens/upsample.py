"""Upsample and its kin: every mode, sizes and factors, whole and not, up and down."""

import torch

_SIZES = {1: [[11], [5], [3], [13]], 2: [[11, 4], [5, 6], [3, 9], [12, 14]], 3: [[4, 7, 3], [6, 8, 10]]}
_SHAPES = {1: [2, 3, 7], 2: [2, 3, 5, 6], 3: [1, 2, 3, 4, 5]}
_FACTORS = [2, 3, 1.5, 2.3, 0.6, 1.0, 0.4]
_LINEAR = {1: "linear", 2: "bilinear", 3: "trilinear"}

CASES = []
for rank, shape in _SHAPES.items():
    targets = [{"size": size} for size in _SIZES[rank]] + [{"scale_factor": factor} for factor in _FACTORS]
    targets += [{"scale_factor": [1.7, 0.5, 2.2][:rank]}, {"scale_factor": 1.5, "recompute_scale_factor": True}]
    for index, target in enumerate(targets):
        CASES.append((f"nearest_{rank}d_{index}", {"type": "Upsample", **target, "mode": "nearest"}, [shape]))
        for corners in (None, False, True):
            options = {"mode": _LINEAR[rank], "align_corners": corners}
            CASES.append((f"linear_{rank}d_{index}_{corners}", {"type": "Upsample", **target, **options}, [shape]))
    for factor in (1.15, 2.1):
        for mode in ("nearest", _LINEAR[rank]):
            CASES.append(
                (
                    f"{mode}_{rank}d_{factor}",
                    {"type": "Upsample", "scale_factor": factor, "mode": mode},
                    [[1, 2] + [6] * rank],
                )
            )
CASES += [
    ("size_number", {"type": "Upsample", "size": 9}, [[1, 2, 4, 5]]),
    ("default_mode", {"type": "Upsample", "scale_factor": 2}, [[1, 2, 3]]),
    ("one_element", {"type": "Upsample", "size": 5, "mode": "bilinear", "align_corners": True}, [[1, 2, 1, 1]]),
    ("to_one_element", {"type": "Upsample", "size": 1, "mode": "bilinear", "align_corners": True}, [[1, 2, 4, 5]]),
    (
        "special",
        {"type": "Upsample", "scale_factor": 2, "mode": "linear"},
        [torch.tensor([[[1.0, float("inf"), 2.0, float("nan"), 3.0, 4.0]]])],
    ),
    ("bytes", {"type": "Upsample", "scale_factor": 2}, [torch.arange(12, dtype=torch.uint8).reshape(1, 1, 3, 4)]),
    ("nearest2d_size", {"type": "UpsamplingNearest2d", "size": [7, 9]}, [[2, 3, 5, 6]]),
    ("nearest2d_factor", {"type": "UpsamplingNearest2d", "scale_factor": 2.5}, [[2, 3, 5, 6]]),
    ("bilinear2d_size", {"type": "UpsamplingBilinear2d", "size": [7, 9]}, [[2, 3, 5, 6]]),
    ("bilinear2d_factor", {"type": "UpsamplingBilinear2d", "scale_factor": [2, 1.4]}, [[2, 3, 5, 6]]),
]
