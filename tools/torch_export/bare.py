"""A bare layer of torch.nn as a module that holds it, since parameters stand under the name of a layer."""

import functools

import torch

from . import reasons, trace
from .errors import Refusal, Refused


def held(module, name):
    """The module itself, unless it is a layer of torch.nn: then one whose only layer it is, under its type in small
    letters, with the same arguments of forward. Raises Refused where seq has no such layer."""
    if not trace.is_leaf(module):
        return module
    if reason := reasons.without_type(module):
        raise Refused(name, [Refusal("", type(module).__name__, reason)])
    return _hold(module, trace.layer_type(module).lower())


def _hold(layer, layer_name):
    class Holder(torch.nn.Module):
        @functools.wraps(type(layer).forward)
        def forward(self, *arguments):
            return getattr(self, layer_name)(*(item for item in arguments if item is not None))

    holder = Holder()
    holder.add_module(layer_name, layer)
    return holder.eval()
