"""Sums, products, matrix products, means, and what is expanded for them."""

import dataclasses

import torch

from .errors import Inexpressible
from .layers import Value

MOST_FACTORS = 4  # of a power that is written as products


def _is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _check_dtypes(call, operands):
    """seq joins values of one dtype; PyTorch promotes."""
    for operand in operands:
        if isinstance(operand, Value) and operand.samples and operand.dtype != call.result[0].dtype:
            raise Inexpressible(f"mixes dtypes: {operand.dtype} becomes {call.result[0].dtype}, which no layer does")


def combine(call, kind, input, other):
    """Two tensors, or a tensor and a number on either side."""
    _check_dtypes(call, (input, other))
    if _is_number(other):
        return call.add(kind, [input], other=other)
    if not _is_number(input):
        return call.add(kind, [input, other])
    if kind in ("Add", "Mul"):
        return call.add(kind, [other], other=input)
    if kind == "Sub":
        return call.add("Add", [call.add("Mul", [other], other=-1)], other=input)
    raise Inexpressible("divides a number by a tensor, which no layer does")


def add(call, input, other, alpha=1):
    return combine(call, "Add", input, _scaled(call, other, alpha))


def sub(call, input, other, alpha=1):
    return combine(call, "Sub", input, _scaled(call, other, alpha))


def _scaled(call, other, alpha):
    if alpha == 1:
        return other
    return other * alpha if _is_number(other) else call.add("Mul", [other], other=alpha)


def reversed_sub(call, input, other, alpha=1):
    return sub(call, other, input, alpha)


def mul(call, input, other):
    return combine(call, "Mul", input, other)


def div(call, input, other, rounding_mode=None):
    if rounding_mode is not None:
        raise Inexpressible("rounds, which no layer does")
    return combine(call, "Div", input, other)


def _before_expansion(call, node):
    """What stands for it in the model: expansions are left out."""
    while call.mapping_of(node) is expand:
        node = node.args[0] if node.args else node.kwargs["input"]
    return node


def _broadcasts(call, input, mapping, user):
    """Whether an operation gives the same of a tensor before it is expanded."""
    if mapping not in (add, sub, reversed_sub, mul, div):
        return False
    samples = call.converter.samples
    others = [samples[_before_expansion(call, node).name] for node in user.all_input_nodes if node is not call.node]
    for at, result in enumerate(samples[user.name]):
        sizes = [other[at].sizes for other in others if hasattr(other[at], "sizes")]
        if torch.broadcast_shapes(input.sizes[at], *sizes) != torch.Size(result.sizes):
            return False
    return True


def expand(call, input, *sizes, **named):
    """Only where it changes nothing, or where arithmetic that broadcasts by itself takes it."""
    if input.sizes == call.output_sizes:
        return input
    if not all(_broadcasts(call, input, mapping, user) for mapping, user in call.users):
        raise Inexpressible("repeats elements, which no layer does; arithmetic broadcasts by itself")
    return dataclasses.replace(input)


def negative(call, input):
    return call.add("Mul", [input], other=-1)


def square(call, input):
    return call.add("Mul", [input, input])


def power(call, input, exponent):
    if exponent not in range(2, MOST_FACTORS + 1) or not isinstance(input, Value):
        raise Inexpressible(f"raises to a power that is no whole number from 2 to {MOST_FACTORS}, which no layer does")
    product = input
    for _ in range(int(exponent) - 1):
        product = call.add("Mul", [product, input])
    return product


def addcmul(call, input, tensor1, tensor2, value=1):
    return add(call, input, call.add("Mul", [tensor1, tensor2]), alpha=value)


def matmul(call, input, other):
    return call.add("MatMul", [input, other])


def attention(call, query, key, value, attn_mask=None, dropout_p=0.0, is_causal=False, scale=None, enable_gqa=False):
    """Softmax of the scaled products of queries and keys, times the values."""
    extras = {"a mask": attn_mask is not None or is_causal, "dropout": dropout_p, "grouped heads": enable_gqa}
    if present := " and ".join(name for name, is_there in extras.items() if is_there):
        raise Inexpressible(f"has {present}, which no layer does")
    widths = {sizes[-1] for sizes in query.sizes}
    if scale is None and len(widths) > 1:
        raise Inexpressible("is scaled by a size that depends on the input's")
    scale = widths.pop() ** -0.5 if scale is None else scale
    products = call.add("MatMul", [query, call.add("Transpose", [key], dim0=-2, dim1=-1)])
    shares = call.add("Softmax", [call.add("Mul", [products], other=scale)], dim=-1)
    return call.add("MatMul", [shares, value])


def _reduce(kind):
    def mapping(call, input, dim=None, keepdim=False, *, dtype=None):
        if dtype is not None and dtype != input.dtype:
            raise Inexpressible("computes in another dtype, which no layer does")
        if dim is None or dim in ((), []):
            dim = list(range(input.rank))
        return call.add(kind, [input], dim=list(dim) if isinstance(dim, (tuple, list)) else dim, keepdim=keepdim)

    return mapping


MAPPINGS = {
    "rsub": reversed_sub,
    "neg": negative,
    "negative": negative,
    "square": square,
    "pow": power,
    "ipow": power,
    "addcmul": addcmul,
    "scaled_dot_product_attention": attention,
    "mean": _reduce("Mean"),
    "sum": _reduce("Sum"),
}
MAPPINGS |= dict.fromkeys(["add", "iadd"], add)
MAPPINGS |= dict.fromkeys(["sub", "subtract", "isub"], sub)
MAPPINGS |= dict.fromkeys(["mul", "multiply", "imul"], mul)
MAPPINGS |= dict.fromkeys(["div", "divide", "true_divide", "truediv", "itruediv"], div)
MAPPINGS |= dict.fromkeys(["expand", "expand_as", "broadcast_to"], expand)
MAPPINGS |= dict.fromkeys(["matmul", "bmm", "mm", "mv", "imatmul"], matmul)
