"""The module as a torch.fx graph: leaves are torch.nn's layers, and each node knows its scope and the user's line."""

import inspect
import keyword
import linecache
import operator
import os
import pathlib
import re
import sys

import torch
import torch.fx
from torch.nn.utils import parametrize

from .errors import ExportError, Refusal, Refused, Source
from .state import State
from .state import refusals as state_refusals

# What a subclass may define without a change of what the layer does.
_INERT = {"__init__", "extra_repr", "reset_parameters"}
# Operators of Python that change a tensor in place.
IN_PLACE = {f"__{name}__": getattr(operator, name) for name in (
    "iadd", "isub", "imul", "itruediv", "ipow", "ifloordiv", "imod")}  # fmt: skip

_NOT_USERS = (f"{pathlib.Path(torch.__file__).parent}{os.sep}", f"{pathlib.Path(__file__).parent}{os.sep}", "<")
_COMMAND = "export_torch.py"
NO_DEFAULT = inspect.Parameter.empty


def _is_torchs(cls):
    return cls.__module__.startswith("torch.nn.") and cls is not torch.nn.Module


def is_leaf(module):
    """Whether its forward is torch.nn's own, and so is all that it calls, so that its type says all of what it does."""
    classes = type(module).__mro__
    owner = next(cls for cls in classes if "forward" in vars(cls))
    if not owner.__module__.startswith("torch.nn.") or isinstance(
        module, (torch.nn.Sequential, torch.nn.ModuleList, torch.nn.ModuleDict)
    ):
        return False
    first = next((i for i, cls in enumerate(classes) if _is_torchs(cls)), len(classes))
    methods = {name for cls in filter(_is_torchs, classes) for name, item in vars(cls).items() if callable(item)}
    return not any(name in methods - _INERT for cls in classes[:first] for name in vars(cls))


def layer_type(module):
    """The torch.nn class whose forward it has."""
    return next(cls for cls in type(module).__mro__ if cls.__module__.startswith("torch.nn.")).__name__


def _shown(file):
    path = pathlib.Path(file)
    try:
        return str(path.relative_to(pathlib.Path.cwd()))
    except ValueError:
        return "/".join(path.parts[-3:]) if "site-packages" in path.parts else str(path)


def _is_users(file):
    return not file.startswith(_NOT_USERS) and "importlib" not in file and pathlib.Path(file).name != _COMMAND


def _source(file, line):
    return Source(_shown(file), line, linecache.getline(file, line).strip())


def current_source():
    """The innermost line of the running code that is the user's, not torch's or ours."""
    frame = sys._getframe(1)
    while frame is not None and frame.f_code is not trace.__code__:
        if _is_users(frame.f_code.co_filename):
            return _source(frame.f_code.co_filename, frame.f_lineno)
        frame = frame.f_back
    return None


def source_of(error):
    """The innermost line of the user's that an exception passed through."""
    found = None
    step = error.__traceback__
    while step is not None:
        if _is_users(step.tb_frame.f_code.co_filename):
            found = _source(step.tb_frame.f_code.co_filename, step.tb_lineno)
        step = step.tb_next
    return found


class Proxy(torch.fx.Proxy):
    """Its `+=` is a change in place, as a tensor's is, and no sum of its own."""


def _in_place(function):
    return lambda self, other: self.tracer.create_proxy("call_function", function, (self, other), {})


for _name, _function in IN_PLACE.items():
    setattr(Proxy, _name, _in_place(_function))


class ScopedTracer(torch.fx.Tracer):
    """Notes in node.meta the `scope` (names from the root, "name@2" for a third call) and the `source`."""

    def __init__(self):
        super().__init__()
        self.scopes = [("", ())]
        self.calls = {}

    def is_leaf_module(self, module, path):
        return is_leaf(module)

    def proxy(self, node):
        return Proxy(node, self)

    def iter(self, proxy):
        raise Unfollowed(_loop(proxy.node))

    def call_module(self, module, forward, args, kwargs):
        if is_leaf(module):
            return super().call_module(module, forward, args, kwargs)
        path = self.path_of_module(module)
        outer_path, outer = self.scopes[-1]
        count = self.calls[path] = self.calls.get(path, -1) + 1
        inside = path.startswith(outer_path + ".") if outer_path else True
        parts = path[len(outer_path) + 1 if outer_path else 0 :].split(".") if inside else path.split(".")
        if count:
            parts[-1] += f"@{count}"
        self.scopes.append((path, (*outer, *parts) if inside else tuple(parts)))
        try:
            return super().call_module(module, forward, args, kwargs)
        finally:
            self.scopes.pop()

    def create_node(self, *args, **kwargs):
        node = super().create_node(*args, **kwargs)
        node.meta["scope"] = self.scopes[-1][1]
        source = current_source()
        if source is None and node.all_input_nodes:  # an attribute of a tensor, which is looked up when it is used
            source = node.all_input_nodes[0].meta.get("source")
        node.meta["source"] = source
        return node


class Unfollowed(Exception):
    """What torch.fx cannot follow, in words about the user's code."""


_PIECES = ("chunk", "split", "tensor_split", "unbind")
_SIZES = ("shape", "size")


def _loop(node):
    """What is said of a loop over what the node gives."""
    while getattr(node.target, "__name__", "") == "getitem":  # a part of a shape is one too
        node = node.args[0]
    called = node.args[1] if getattr(node.target, "__name__", "") == "getattr" else node.target
    name = getattr(called, "__name__", str(called))
    if name in _SIZES:
        return "loops over a shape, or spreads it out with *; n, c, h, w = x.shape can be followed"
    if name in _PIECES:
        return f"loops over what {name} gives; a, b, c = x.{name}(...) can be followed, and each part by its index"
    return "loops over a tensor; indices such as x[:, 0] can be followed"


_FACTORIES = "zeros|ones|full|empty|eye|arange|linspace|rand|randn|randint"
# The first that is found in what fx or Python says, and what it means in words about the user's code.
_EXPLANATIONS = (
    (r"control flow", "decides by a tensor or its size (if, while, assert, and, or, min, max); a model file holds one "
     "fixed sequence of layers, so write out the one that is taken"),
    (r"'len' is not supported", "asks for the length of a tensor; x.size(0) can be followed"),
    (r"interpreted as an integer", "needs a size as a number of Python, before there is an input; write the number"),
    (r"(int|float|complex)\(\) argument must be", r"makes a number of Python with \1(), before there is an input; "
     "sizes can be computed with + - * // and %"),
    (r"does not support item assignment", "writes into a part of a tensor, which no layer does; torch.cat puts parts "
     "together"),
    (rf"^({_FACTORIES})\(\)", r"makes a tensor with torch.\1 in a size that follows an input's, and a model file has "
     "tensors only inside layers"),
    (r"\(got Proxy\)|not '?Proxy|__array_\w+__", "gives a tensor or its size to code that is not PyTorch's, such as "
     "NumPy's"),
)  # fmt: skip


def _explain(error):
    """What fx says, in words about the user's code."""
    text = str(error)
    if isinstance(error, Unfollowed):
        return text
    for pattern, explanation in _EXPLANATIONS:
        if found := re.search(pattern, text):
            return found.expand(explanation)
    return f"raises {type(error).__name__}: {text.splitlines()[0] if text else 'without a message'}"


def arguments_of(module):
    """The names of forward's arguments, each with its default; inspect.Parameter.empty where it has none."""
    parameters = inspect.signature(module.forward).parameters
    if any(p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD) for p in parameters.values()):
        raise ExportError("forward takes *args or **kwargs; a model file names each input")
    return {name: parameter.default for name, parameter in parameters.items()}


def trace(module, name, defaults):
    """The torch.fx.GraphModule of the module in evaluation mode; the arguments in `defaults` have these values. Raises
    Refused where forward changes the module and computes with what it has changed."""
    tracer, state = ScopedTracer(), State(module)
    try:
        graph = tracer.trace(module, concrete_args=defaults or None)
    except Exception as error:  # whatever the user's forward raises
        source = source_of(error)
        where = f"\n      {source}" if source else ""
        raise ExportError(f"{name} cannot be followed with torch.fx: its code {_explain(error)}{where}") from error
    finally:
        changed = state.restore()
    words = sorted({word for path, _ in module.named_modules() for word in path.split(".") if keyword.iskeyword(word)})
    if words:
        raise ExportError(f"{name} cannot be followed with torch.fx: {words[0]!r} names a layer and is a word of Python's own: "
                          "give that layer another name")
    graph_module = torch.fx.GraphModule(tracer.root, graph)
    if kept := state_refusals(graph_module, *changed):
        raise Refused(name, kept)
    return graph_module


def fold_parametrizations(module):
    """Replaces weight norm and its like by the weights they give now; returns the paths of those replaced."""
    folded = []
    for path, child in module.named_modules():
        if parametrize.is_parametrized(child):
            for parameter in list(child.parametrizations):
                parametrize.remove_parametrizations(child, parameter, leave_parametrized=True)
            folded.append(path)
        for key, hook in list(child._forward_pre_hooks.items()):
            if type(hook).__name__ in ("WeightNorm", "SpectralNorm"):
                hook.remove(child)
                del child._forward_pre_hooks[key]
                folded.append(path)
    return folded


_WRAPPERS = {
    "RecursiveScriptModule": "is compiled by torch.jit, so that its layers cannot be seen; export what it was made of",
    "TopLevelTracedModule": "is traced by torch.jit, so that its layers cannot be seen; export what it was made of",
    "OptimizedModule": "is compiled by torch.compile; export its _orig_mod",
    "DataParallel": "runs another module on several devices; export its module",
    "DistributedDataParallel": "runs another module in several processes; export its module",
}


def unseen(module):
    """Refuses what torch.fx does not look into: compiled modules, wrappers, and hooks on torch.nn's layers and on the
    outermost module."""
    found = []
    for path, child in module.named_modules():
        kind = type(child).__name__
        if kind in _WRAPPERS and type(child).__module__.startswith("torch."):
            found.append(Refusal(path, kind, _WRAPPERS[kind]))
        elif (child._forward_hooks or child._forward_pre_hooks) and (child is module or is_leaf(child)):
            found.append(Refusal(path, kind, "has a hook, which torch.fx does not see"))
    return found
