"""Why no layer does an operation, and where it stands, in the user's words."""

from . import functions, modules
from .errors import Refusal
from .layers import known_types
from .trace import IN_PLACE, layer_type


def function_name(node):
    """As the user calls it: "cat", "view", "add"."""
    if node.op == "call_method":
        return node.target
    if node.op == "call_module":
        return node.target.rsplit(".", 1)[-1]
    name = getattr(node.target, "__name__", str(node.target))
    return name[1:] if node.target in IN_PLACE.values() else name.removesuffix("_with_indices")


def without_type(module):
    """Why no layer does what a module of torch.nn does; None where one may."""
    kind = layer_type(module)
    return None if kind in known_types() else f"seq has no layer type {kind}{modules.advice(kind)}"


def without_layer(graph_module, node, failure=""):
    """Why no layer does the operation, whatever its arguments are; None where one may. `failure`: what PyTorch said
    when it was tried without data."""
    if node is None or node.op not in ("call_module", "call_function", "call_method"):
        return None
    if node.op == "call_module":
        return without_type(graph_module.get_submodule(node.target))
    if functions.find(node) is None:
        return f"no layer does this{functions.advice(function_name(node))}"
    if "nonzero" in failure and function_name(node) == "getitem":
        return "takes what a mask chooses: how much that is depends on the numbers, and no layer does it"
    return None


def refusal(graph_module, node, reason):
    """With the place of the operation, as the user knows it."""
    what = function_name(node)
    path = ".".join(part.split("@")[0] for part in node.meta["scope"])
    if node.op == "call_module":
        path, what = node.target, type(graph_module.get_submodule(node.target)).__name__
    return Refusal(path, what, reason, node.meta.get("source"))
