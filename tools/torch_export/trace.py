"""The module as a torch.fx graph: leaves are torch.nn's layers, and each node knows its scope and the user's line."""

import inspect
import linecache
import os
import pathlib
import sys

import torch
import torch.fx
from torch.nn.utils import parametrize

from .errors import ExportError, Refusal, Source

_NOT_USERS = (f"{pathlib.Path(torch.__file__).parent}{os.sep}", f"{pathlib.Path(__file__).parent}{os.sep}", "<")
_COMMAND = "export_torch.py"
NO_DEFAULT = inspect.Parameter.empty


def is_leaf(module):
    """Whether its forward is torch.nn's own, so that its type says all of what it does."""
    owner = next(cls for cls in type(module).__mro__ if "forward" in vars(cls))
    return owner.__module__.startswith("torch.nn.") and not isinstance(
        module, (torch.nn.Sequential, torch.nn.ModuleList, torch.nn.ModuleDict)
    )


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
    while frame is not None:
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


class ScopedTracer(torch.fx.Tracer):
    """Notes in node.meta the `scope` (names from the root, "name@2" for a third call) and the `source`."""

    def __init__(self):
        super().__init__()
        self.scopes = [("", ())]
        self.calls = {}

    def is_leaf_module(self, module, path):
        return is_leaf(module)

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
        node.meta["source"] = current_source()
        return node


_EXPLANATIONS = {
    "control flow": "decides by a tensor or its size; a model file holds one fixed sequence of layers",
    "'len' is not supported": "asks for the length of a tensor; x.size(0) can be followed",
    "cannot be iterated": "iterates over a tensor; chunk, split or indices can be followed",
    "interpreted as an integer": "needs a size as a number of Python, before there is an input",
}


def _explain(error):
    """What fx says, in words about the user's code."""
    text = str(error)
    for phrase, explanation in _EXPLANATIONS.items():
        if phrase in text:
            return explanation
    return f"raises {type(error).__name__}: {text.splitlines()[0] if text else 'without a message'}"


def arguments_of(module):
    """The names of forward's arguments, each with its default; inspect.Parameter.empty where it has none."""
    parameters = inspect.signature(module.forward).parameters
    if any(p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD) for p in parameters.values()):
        raise ExportError("forward takes *args or **kwargs; a model file names each input")
    return {name: parameter.default for name, parameter in parameters.items()}


def trace(module, name, defaults):
    """The torch.fx.GraphModule of the module in evaluation mode; the arguments in `defaults` have these values."""
    tracer = ScopedTracer()
    try:
        graph = tracer.trace(module, concrete_args=defaults or None)
    except Exception as error:  # whatever the user's forward raises
        source = source_of(error)
        where = f"\n      {source}" if source else ""
        raise ExportError(f"{name} cannot be followed with torch.fx: its code {_explain(error)}{where}") from error
    return torch.fx.GraphModule(tracer.root, graph)


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


def hooks_of_leaves(module):
    """Refuses hooks on torch.nn's layers, which torch.fx does not see."""
    return [
        Refusal(path, layer_type(child), "has a hook, which torch.fx does not see")
        for path, child in module.named_modules()
        if is_leaf(child) and (child._forward_hooks or child._forward_pre_hooks)
    ]
