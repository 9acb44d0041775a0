"""Modules of torch.nn to layers: the options are the constructor's, read back from the module's attributes."""

import torch

from .errors import Inexpressible
from .functions_spatial import INDICES, check_mode
from .functions_weights import MAX_NORM
from .layers import Value, signature

TWO_INPUTS = {"Bilinear"}
_AFFINE = ("affine", "elementwise_affine")


_ADVICE = {
    "MultiheadAttention": "Linear and F.scaled_dot_product_attention can be written",
    "SyncBatchNorm": "BatchNorm is the same in evaluation",
}
_ADVICE |= dict.fromkeys(["MaxUnpool1d", "MaxUnpool2d", "MaxUnpool3d"], "Upsample and ConvTranspose can be written")


def advice(kind):
    """Behind a refusal; empty where there is none."""
    return f"; {_ADVICE[kind]}" if kind in _ADVICE else ""


def _option(module, name):
    if name == "bias":
        return getattr(module, "bias", None) is not None
    return getattr(module, name)


def options_of(module, kind):
    """The constructor's arguments."""
    names = [name for name in signature(kind) if hasattr(module, name) or name == "bias"]
    options = {name: _option(module, name) for name in names}
    if any(options.get(name) is False for name in _AFFINE):
        options.pop("bias", None)
    return options


def convert(call, module, kind, arguments, keywords):
    """The layer of a module; its parameters keep their path."""
    if getattr(module, "return_indices", False):
        raise Inexpressible(INDICES)
    if getattr(module, "max_norm", None) is not None:
        raise Inexpressible(MAX_NORM)
    if kind.startswith("ConvTranspose") and (len(arguments) > 1 or "output_size" in keywords):
        arguments, keywords = arguments[:1] or [keywords["input"]], {}
        options = options_of(module, kind) | _output_padding(call, module, arguments[0])
        return call.add_at(call.node.target, kind, list(arguments), **options)
    operands = [*arguments, *keywords.values()]
    expected = 2 if kind in TWO_INPUTS else 1
    if len(operands) != expected or not all(isinstance(operand, Value) for operand in operands):
        raise Inexpressible("is called with more than the tensors that its layer takes")
    options = options_of(module, kind)
    if kind == "Upsample":
        check_mode(module.mode)
    if kind == "Unflatten" and isinstance(module.dim, str):
        raise Inexpressible("names its dimension, and tensors have no named dimensions")
    if _has_state(module):
        return call.add_at(call.node.target, kind, operands, **options)
    return call.add(kind, operands, **options)


def _output_padding(call, module, input):
    """What output_size asks for, as the option that gives it."""
    padding = []
    for i, kernel in enumerate(module.kernel_size):
        spread = module.dilation[i] * (kernel - 1) + 1 - 2 * module.padding[i]
        at = i - len(module.kernel_size)
        found = {
            after[at] - (before[at] - 1) * module.stride[i] - spread
            for before, after in zip(input.sizes, call.output_sizes)
        }
        if len(found) > 1:
            raise Inexpressible("has an output_size that follows the input's in no fixed way")
        padding.append(found.pop())
        if len({before[at] for before in input.sizes}) > 1:
            call.converter.note(call.node, f"output_size asks for output_padding {padding[-1]} at each size tried, and it is taken for all")
    return {"output_padding": padding}


def _has_state(module):
    return any(isinstance(tensor, torch.Tensor) for tensor in module.state_dict().values())
