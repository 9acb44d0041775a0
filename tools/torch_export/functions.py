"""Which mapping serves a call of a function or a method.

A mapping is called as the function itself is, with the Call before the arguments; PyTorch's signature is its own.
"""

from . import functions_arithmetic, functions_elementwise, functions_shape, functions_spatial, functions_weights

_TABLES = [functions_elementwise, functions_arithmetic, functions_shape, functions_spatial, functions_weights]
_MAPPINGS = {name: mapping for table in _TABLES for name, mapping in table.MAPPINGS.items()}
_TAKES_PARAMETERS = frozenset(functions_weights.MAPPINGS.values())
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


def takes_parameters(mapping):
    """Whether arguments of the function become parameters of its layer."""
    return mapping in _TAKES_PARAMETERS
