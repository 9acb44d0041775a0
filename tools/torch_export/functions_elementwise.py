"""Activations, softmax, and what is the identity at inference."""

from .errors import Inexpressible


def _plain(kind):
    """An activation without options but `inplace`."""

    def mapping(call, input, inplace=False):
        return call.add(kind, [input])

    return mapping


def identity(call, input, *arguments, **options):
    """Copies, memory layouts, detaching: the tensor itself."""
    return input


def same_dtype(call, input, *arguments, **options):
    """A conversion that converts nothing."""
    if call.result[0].dtype != input.dtype:
        raise Inexpressible("converts to another dtype, which no layer does")
    return input


def dropout(call, input, p=0.5, training=True, inplace=False):
    if training:
        raise Inexpressible("drops at random in evaluation too; pass training=self.training")
    return input


def feature_dropout(call, input, p=0.5, training=False, inplace=False):
    return dropout(call, input, p, training)


def stochastic_depth(call, input, p, mode, training=True):
    return dropout(call, input, p, training)


def leaky_relu(call, input, negative_slope=0.01, inplace=False):
    return call.add("LeakyReLU", [input], negative_slope=negative_slope)


def elu(call, input, alpha=1.0, inplace=False):
    return call.add("ELU", [input], alpha=alpha)


def celu(call, input, alpha=1.0, inplace=False):
    return call.add("CELU", [input], alpha=alpha)


def rrelu(call, input, lower=1.0 / 8, upper=1.0 / 3, training=False, inplace=False):
    if training:
        raise Inexpressible("draws slopes at random in evaluation too; pass training=self.training")
    return call.add("RReLU", [input], lower=lower, upper=upper)


def gelu(call, input, approximate="none"):
    return call.add("GELU", [input], approximate=approximate)


def hardtanh(call, input, min_val=-1.0, max_val=1.0, inplace=False):
    return call.add("Hardtanh", [input], min_val=min_val, max_val=max_val)


def hardshrink(call, input, lambd=0.5):
    return call.add("Hardshrink", [input], lambd=lambd)


def softshrink(call, input, lambd=0.5):
    return call.add("Softshrink", [input], lambd=lambd)


def softplus(call, input, beta=1.0, threshold=20.0):
    return call.add("Softplus", [input], beta=beta, threshold=threshold)


def threshold(call, input, threshold, value, inplace=False):
    return call.add("Threshold", [input], threshold=threshold, value=value)


def clamp(call, input, min=None, max=None):
    if not all(bound is None or isinstance(bound, (int, float)) for bound in (min, max)):
        raise Inexpressible("has bounds that are no numbers")
    if min is not None and max is not None:
        return call.add("Hardtanh", [input], min_val=min, max_val=max)
    if max is not None:
        raise Inexpressible("has no lower bound, and no layer bounds from above alone")
    if min == 0:
        return call.add("ReLU", [input])
    return call.add("Threshold", [input], threshold=min, value=min)


def clamp_min(call, input, min):
    return clamp(call, input, min)


def clamp_max(call, input, max):
    return clamp(call, input, max=max)


def glu(call, input, dim=-1):
    return call.add("GLU", [input], dim=dim)


def _softmax(kind):
    def mapping(call, input, dim=None, _stacklevel=3, dtype=None):
        if dtype is not None and dtype != input.dtype:
            raise Inexpressible("computes in another dtype, which no layer does")
        return call.add(kind, [input], dim=dim)

    return mapping


_WITHOUT_OPTIONS = {
    "relu": "ReLU", "relu6": "ReLU6", "selu": "SELU", "silu": "SiLU", "mish": "Mish", "sigmoid": "Sigmoid",
    "logsigmoid": "LogSigmoid", "log_sigmoid": "LogSigmoid", "hardsigmoid": "Hardsigmoid", "hardswish": "Hardswish",
    "tanhshrink": "Tanhshrink", "softsign": "Softsign", "tanh": "Tanh",
}  # fmt: skip

MAPPINGS = {name: _plain(kind) for name, kind in _WITHOUT_OPTIONS.items()}
MAPPINGS |= dict.fromkeys(["contiguous", "clone", "detach", "cpu", "requires_grad"], identity)
MAPPINGS |= dict.fromkeys(["to", "float", "double", "half", "type", "type_as", "bfloat16", "long", "int"], same_dtype)
MAPPINGS |= {
    "dropout": dropout,
    "dropout1d": dropout,
    "dropout2d": dropout,
    "dropout3d": dropout,
    "alpha_dropout": feature_dropout,
    "feature_alpha_dropout": feature_dropout,
    "stochastic_depth": stochastic_depth,
    "leaky_relu": leaky_relu,
    "elu": elu,
    "celu": celu,
    "rrelu": rrelu,
    "gelu": gelu,
    "hardtanh": hardtanh,
    "hardshrink": hardshrink,
    "softshrink": softshrink,
    "softplus": softplus,
    "threshold": threshold,
    "_threshold": threshold,
    "clamp": clamp,
    "clip": clamp,
    "clamp_min": clamp_min,
    "clamp_max": clamp_max,
    "glu": glu,
    "softmax": _softmax("Softmax"),
    "softmin": _softmax("Softmin"),
    "log_softmax": _softmax("LogSoftmax"),
}
