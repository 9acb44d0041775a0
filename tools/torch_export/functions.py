"""Which mapping serves a call of a function or a method.

A mapping is called as the function itself is, with the Call before the arguments; PyTorch's signature is its own.
"""

from . import functions_arithmetic, functions_elementwise, functions_shape, functions_spatial, functions_weights

_TABLES = [functions_elementwise, functions_arithmetic, functions_shape, functions_spatial, functions_weights]
_MAPPINGS = {name: mapping for table in _TABLES for name, mapping in table.MAPPINGS.items()}
_TAKES_PARAMETERS = frozenset([*functions_weights.MAPPINGS.values(), functions_shape.getitem])
_ROOTS = ("torch", "torchvision", "_operator", "builtins")


def find(node):
    """By the name of the function, where torch, torchvision or Python's operators define it; None where none fits."""
    if node.op == "call_method":
        name = node.target
    else:
        name = getattr(node.target, "__name__", "")
        root = (getattr(node.target, "__module__", None) or "torch").split(".")[0]
        if root not in _ROOTS:
            return None
    if name.endswith("_") and not name.endswith("__") and name.strip("_") in _MAPPINGS:
        name = name.rstrip("_")
    return _MAPPINGS.get(name)


# What to write instead, or why there is nothing.
_ADVICE = {
    "einsum": "matmul, permute and sum say the same",
    "item": "it depends on the numbers, and options of layers do not",
    "repeat": "torch.cat puts copies side by side",
    "normalize": "F.layer_norm and F.rms_norm can be written",
}
for _names, _advice in (
    (["max_unpool1d", "max_unpool2d", "max_unpool3d"], "F.interpolate and ConvTranspose can be written"),
    (["zeros", "ones", "full", "empty", "zeros_like", "ones_like", "full_like", "new_zeros", "new_ones", "new_full"],
     "F.pad puts numbers beside a tensor, and arithmetic takes numbers as they are"),
    (["gt", "lt", "ge", "le", "eq", "ne", "where", "masked_fill"], "F.threshold, clamp and ReLU choose by a number"),
    (["rand", "randn", "rand_like", "randn_like", "bernoulli"], "a model gives the same each time"),
):  # fmt: skip
    _ADVICE |= dict.fromkeys(_names, _advice)


def advice(name):
    """Behind a refusal; empty where there is none."""
    return f"; {_ADVICE[name]}" if name in _ADVICE else ""


def takes_parameters(mapping):
    """Whether the mapping looks at stored tensors by itself, most often since they become parameters of its layer."""
    return mapping in _TAKES_PARAMETERS
