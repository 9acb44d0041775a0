"""Norms: with and without parameters and running statistics, odd sizes, every rank."""

import torch


def _norm(kind, shapes, **options):
    return [(f"{kind.lower()}_{'_'.join(str(v) for v in options.values())}_{len(shape)}".replace(" ", ""),
             {"type": kind, **options}, [shape]) for shape in shapes]


CASES = []
for rank, shapes in ((1, [[3, 5], [2, 5, 7]]), (2, [[2, 5, 3, 4]]), (3, [[2, 5, 2, 3, 2]])):
    for affine in (True, False):
        for track in (True, False):
            options = {"num_features": 5, "eps": 1e-3, "affine": affine, "track_running_stats": track}
            CASES += _norm(f"BatchNorm{rank}d", shapes, **options)
            CASES += _norm(f"InstanceNorm{rank}d", shapes[-1:], **options)
CASES += _norm("BatchNorm2d", [[2, 3, 2, 2]], num_features=3, momentum=None, bias=False)
CASES += _norm("InstanceNorm2d", [[2, 3, 2, 3]], num_features=3)
CASES += _norm("InstanceNorm2d", [[2, 3, 2, 3]], num_features=3, affine=True, bias=False)
for normalized in (7, [7], [3, 7], [2, 3, 7]):
    CASES += _norm("LayerNorm", [[4, 2, 3, 7]], normalized_shape=normalized)
    CASES += _norm("RMSNorm", [[4, 2, 3, 7]], normalized_shape=normalized)
CASES += _norm("LayerNorm", [[7], [2, 7]], normalized_shape=7, elementwise_affine=False)
CASES += _norm("LayerNorm", [[2, 7]], normalized_shape=7, eps=0.1, bias=False)
CASES += _norm("RMSNorm", [[2, 7]], normalized_shape=7, eps=0.1)
CASES += _norm("RMSNorm", [[2, 7]], normalized_shape=7, elementwise_affine=False)
CASES += [("rmsnorm_tiny_f32", {"type": "RMSNorm", "normalized_shape": 4}, [torch.full([2, 4], 1e-4)])]
for groups in (1, 2, 3, 6):
    CASES += _norm("GroupNorm", [[2, 6, 5], [3, 6], [2, 6, 2, 3], [1, 6, 2, 2, 3]], num_groups=groups, num_channels=6)
CASES += _norm("GroupNorm", [[2, 6, 5]], num_groups=2, num_channels=6, eps=0.1, affine=False)
CASES += _norm("GroupNorm", [[2, 6, 5]], num_groups=2, num_channels=6, bias=False)
for size in (1, 2, 3, 4, 9):
    CASES += _norm("LocalResponseNorm", [[2, 5, 3], [2, 5, 2, 3]], size=size)
CASES += _norm("LocalResponseNorm", [[2, 5, 2, 3, 2]], size=3, alpha=0.5, beta=1.5, k=2.0)
