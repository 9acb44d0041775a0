"""Every activation at ordinary, large and special values, with default and other options."""

import torch

_X = torch.tensor([[float("nan"), float("inf"), float("-inf"), 0.0, -0.0, 1e-30, -1e-30, 88.0, -88.0, 100.0, -100.0,
                    3.0, -3.0, 6.0, 6.5, 0.5, -0.5, 1.0, -1.0, 0.3, -0.3, 2.75, -2.75, 19.9, 20.1, -19.9, -20.1, 1e30]])
# PyTorch's vector loop makes gelu(inf) NaN, its scalar loop inf.
_FINITE = _X[:, 3:]
_OPTIONS = {
    "LeakyReLU": [{}, {"negative_slope": 0.3}, {"negative_slope": -0.5}],
    "RReLU": [{}, {"lower": 0.25, "upper": 0.75}],
    "ELU": [{}, {"alpha": 0.3}],
    "CELU": [{}, {"alpha": 0.3}],
    "GELU": [{}, {"approximate": "tanh"}],
    "Hardtanh": [{}, {"min_val": -2.0, "max_val": 0.3}],
    "Hardshrink": [{}, {"lambd": 0.3}],
    "Softshrink": [{}, {"lambd": 0.3}],
    "Softplus": [{}, {"beta": 2.0, "threshold": 5.0}, {"beta": 0.5}],
    "Threshold": [{"threshold": 0.3, "value": -7.0}, {"threshold": -0.5, "value": 1.5}],
}
_PLAIN = ["ReLU", "ReLU6", "SELU", "SiLU", "Mish", "Sigmoid", "LogSigmoid", "Hardsigmoid", "Hardswish", "Tanhshrink",
          "Softsign", "Tanh"]

CASES = []
for kind in [*_PLAIN, *_OPTIONS]:
    for index, options in enumerate(_OPTIONS.get(kind, [{}])):
        CASES.append((f"{kind.lower()}_{index}_f32", {"type": kind, **options}, [_FINITE if kind == "GELU" else _X]))
        CASES.append((f"{kind.lower()}_{index}_3d", {"type": kind, **options}, [[2, 3, 5]]))
CASES += [
    ("prelu_one", {"type": "PReLU"}, [[2, 3, 4]]),
    ("prelu_one_1d", {"type": "PReLU"}, [[5]]),
    ("prelu_channels", {"type": "PReLU", "num_parameters": 3}, [[2, 3, 4]]),
    ("prelu_features", {"type": "PReLU", "num_parameters": 3}, [[2, 3]]),
    ("prelu_image", {"type": "PReLU", "num_parameters": 5, "init": 0.1}, [[2, 5, 2, 3]]),
    ("relu_inplace", {"type": "ReLU", "inplace": True}, [[2, 3]]),
]
for dim in (-1, 0, 1, 2, -2):
    CASES.append((f"glu_{dim}", {"type": "GLU", "dim": dim}, [[4, 6, 2]]))
for kind in ("Dropout", "Dropout1d", "AlphaDropout", "FeatureAlphaDropout", "Identity"):
    CASES.append((kind.lower(), {"type": kind}, [[2, 3, 4]]))
CASES.append(("dropout2d", {"type": "Dropout2d", "p": 1.0}, [[2, 3, 2, 2]]))
CASES.append(("dropout3d", {"type": "Dropout3d", "p": 0.1, "inplace": True}, [[2, 3, 2, 2, 2]]))
