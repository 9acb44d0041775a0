"""The module that the command line names, its parameters, and those that the layers need."""

import contextlib
import difflib
import importlib.util
import pathlib
import sys
import warnings

import torch

from .errors import ExportError, UsageError
from .trace import source_of


def split_source(text):
    """("torchvision", name) or (path of a Python file, function)."""
    source, _, name = text.rpartition(":")
    if not source or not name or not (source == "torchvision" or source.endswith(".py")):
        raise UsageError(f"`{text}` is neither torchvision:NAME nor FILE.py:FUNCTION")
    return source, name


def load_module(source, name, seed):
    """In evaluation mode. With a seed, parameters are what PyTorch initialises them to under it."""
    if seed is not None:
        torch.manual_seed(seed)
    module = _torchvision(name) if source == "torchvision" else _from_file(pathlib.Path(source), name)
    if any(torch.nn.parameter.is_lazy(tensor) for tensor in (*module.parameters(), *module.buffers())):
        raise ExportError(f"{name} has lazy layers, whose sizes are not known yet; run it once in {source}")
    if seed is not None:
        draw_statistics(module, seed)
    return module.eval()


def _torchvision(name):
    try:
        import torchvision
    except ImportError as error:
        raise ExportError("torchvision is not installed: pip install torchvision") from error
    names = torchvision.models.list_models()
    if name not in names:
        near = difflib.get_close_matches(name, names, 1)
        raise ExportError(f"torchvision has no model `{name}`{f': did you mean {near[0]}?' if near else ''}")
    with warnings.catch_warnings(), contextlib.redirect_stdout(sys.stderr):
        warnings.simplefilter("ignore")
        return torchvision.models.get_model(name, weights=None, **_without_backbone(torchvision.models, name))


def _without_backbone(models, name):
    """Models for detection and segmentation would fetch the weights of their backbones."""
    composed = models.list_models(models.detection) + models.list_models(models.segmentation)
    return {"weights_backbone": None} if name in composed else {}


def _from_file(path, name):
    if not path.is_file():
        raise ExportError(f"{path}: no such file")
    sys.path.insert(0, str(path.parent.resolve()))
    try:
        spec = importlib.util.spec_from_file_location(path.stem, path)
        code = importlib.util.module_from_spec(spec)
        sys.modules[path.stem] = code
        spec.loader.exec_module(code)
        function = getattr(code, name, None)
        if function is None:
            near = difflib.get_close_matches(name, vars(code), 1)
            raise ExportError(f"{path} has no `{name}`{f': did you mean {near[0]}?' if near else ''}")
        module = function if isinstance(function, torch.nn.Module) else function()
    except ExportError:
        raise
    except Exception as error:  # whatever the user's file raises
        source = source_of(error)
        raise ExportError(f"{source or path}: {type(error).__name__}: {error}") from error
    if not isinstance(module, torch.nn.Module):
        raise ExportError(f"`{name}` of {path} gives {type(module).__name__}, not a torch.nn.Module")
    return module


def draw_statistics(module, seed):
    """Running statistics that are no identity, so that what folds them into weights is put to the test."""
    generator = torch.Generator().manual_seed(seed)
    for child in module.modules():
        if getattr(child, "running_mean", None) is not None and isinstance(child.running_mean, torch.Tensor):
            child.running_mean.normal_(0, 0.1, generator=generator)
            child.running_var.uniform_(0.5, 1.5, generator=generator)


def load_weights(module, path):
    """Loads a state_dict: .safetensors, or what torch.save wrote."""
    try:
        state = _read_state(path)
    except Exception as error:  # torch and safetensors raise many kinds
        said = (str(error).splitlines() or [type(error).__name__])[0]
        raise ExportError(
            f"--weights {path}: it cannot be read as a state_dict in .safetensors, or as torch.save writes one ({said})"
        ) from error
    for key in ("state_dict", "model_state_dict"):
        if isinstance(state, dict) and isinstance(state.get(key), dict):
            state = state[key]
    if not isinstance(state, dict) or not all(isinstance(value, torch.Tensor) for value in state.values()):
        raise ExportError(f"{path} holds no state_dict: a dictionary of tensors")
    try:
        module.load_state_dict(state)
    except RuntimeError as error:
        raise ExportError(f"{path} does not fit the module: {error}") from error


def _read_state(path):
    if path.suffix == ".safetensors":
        from safetensors.torch import load_file

        return load_file(path)
    return torch.load(path, map_location="cpu", weights_only=True)


def needed_state(module, layers, renamed):
    """The tensors of the layers, under the names that the model file gives them, and the names of those left out."""
    former = {new: old for old, new in renamed.items()}
    paths = {former.get(layer.path, layer.path): layer.path for layer in layers if layer.fixed}
    state, left_out = {}, []
    for name, tensor in module.state_dict().items():
        owner, _, own = name.rpartition(".")
        if owner in paths:
            state[f"{paths[owner]}.{own}"] = tensor.detach().contiguous().clone()
        else:
            left_out.append(name)
    return state, left_out
