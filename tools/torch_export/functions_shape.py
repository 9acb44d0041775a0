"""Views, permutations, joins, cuts and indices.

Sizes that a view is asked for may be computed from the input's. What counts here is what it gives at each binding of
the symbols: a size that is the same at all of them is a number, one that follows the input's is kept (0) or left open
(-1).
"""

import math

from .errors import Inexpressible
from .layers import Stored, Value, stand_in
from .sizes import Varying


def _merged(sizes, start, end):
    return (*sizes[:start], math.prod(sizes[start : end + 1]), *sizes[end + 1 :])


def _as_flatten(before, after):
    """(start_dim, end_dim) of the Flatten that gives the sizes at every binding; None where there is none."""
    rank, merged = len(before[0]), len(before[0]) - len(after[0])
    if merged < 1:
        return None
    for start in [*range(1, rank - merged), 0]:
        end = start + merged
        if all(_merged(sizes, start, end) == wanted for sizes, wanted in zip(before, after)):
            return start, -1 if end == rank - 1 else end
    return None


def _as_reshape(before, after):
    """The `shape` of the Reshape that gives the sizes at every binding; None where there is none."""
    shape = []
    for position in range(len(after[0])):
        wanted = [sizes[position] for sizes in after]
        kept = [sizes[position] if position < len(sizes) else None for sizes in before]
        shape.append(wanted[0] if len(set(wanted)) == 1 else 0 if wanted == kept else -1)
    return shape if shape.count(-1) <= 1 else None


def _as_unflatten(before, after):
    """(dim, unflattened_size) of the Unflatten that gives the sizes at every binding; None where there is none."""
    added = len(after[0]) - len(before[0])
    if added < 1:
        return None
    for dim in range(len(before[0])):
        if all(_merged(wanted, dim, dim + added) == sizes for sizes, wanted in zip(before, after)):
            parts = list(zip(*(wanted[dim : dim + added + 1] for wanted in after)))
            sizes = [part[0] if len(set(part)) == 1 else -1 for part in parts]
            return (dim, sizes) if sizes.count(-1) <= 1 else None
    return None


def reshape(call, input, *sizes, **named_sizes):
    """view, reshape and flatten in the plainest layer that gives the same sizes."""
    before, after = input.sizes, call.output_sizes
    if before == after:
        return input
    if flatten := _as_flatten(before, after):
        return call.add("Flatten", [input], start_dim=flatten[0], end_dim=flatten[1])
    if shape := _as_reshape(before, after):
        return call.add("Reshape", [input], shape=shape)
    if parts := _as_unflatten(before, after):
        return call.add("Unflatten", [input], dim=parts[0], unflattened_size=parts[1])
    raise Inexpressible("gives more than one size that follows the input's, which no layer does")


def flatten(call, input, start_dim=0, end_dim=-1):
    if input.rank == 0:
        return call.add("Reshape", [input], shape=[1])
    return reshape(call, input)


def squeeze(call, input, dim=None):
    """PyTorch leaves a dimension that is not 1 as it is."""
    asked = range(input.rank) if dim is None else dim if isinstance(dim, (tuple, list)) else [dim]
    ones = [i for i in asked if all(sizes[i] == 1 for sizes in input.sizes)]
    if not ones:
        return input
    return call.add("Squeeze", [input], dim=ones[0] if isinstance(dim, int) else ones)


def unsqueeze(call, input, dim):
    return call.add("Unsqueeze", [input], dim=dim)


def _list_of(dims):
    return list(dims[0]) if len(dims) == 1 and isinstance(dims[0], (tuple, list)) else list(dims)


def permute(call, input, *dims, **named):
    return call.add("Permute", [input], dims=_list_of((named["dims"],) if named else dims))


def transpose(call, input, dim0, dim1):
    return call.add("Transpose", [input], dim0=dim0, dim1=dim1)


def transpose_matrix(call, input):
    return input if input.rank < 2 else transpose(call, input, 0, 1)


def movedim(call, input, source, destination):
    sources = [source] if isinstance(source, int) else list(source)
    destinations = [destination] if isinstance(destination, int) else list(destination)
    moved = {place % input.rank: origin % input.rank for origin, place in zip(sources, destinations)}
    rest = iter(i for i in range(input.rank) if i not in moved.values())
    return permute(call, input, [moved[i] if i in moved else next(rest) for i in range(input.rank)])


def attribute(call, input, name):
    """x.T and x.mT."""
    if not isinstance(input, Value):  # x.max(1).values: the operation before was refused
        return stand_in(call.result)
    if name == "mT" or (name == "T" and input.rank == 2):
        return transpose(call, input, -2, -1)
    raise Inexpressible(f"the attribute {name} is nothing that a layer gives")


def cat(call, tensors, dim=0):
    return call.add("Concat", list(tensors), dim=dim)


def stack(call, tensors, dim=0):
    return cat(call, [call.add("Unsqueeze", [tensor], dim=dim) for tensor in tensors], dim)


def split(call, tensor, split_size_or_sections, dim=0):
    """Also chunk: the sizes are what PyTorch gives."""
    sizes = [[part.sizes[dim] for part in parts] for parts in call.result]
    if any(other != sizes[0] for other in sizes):
        raise Inexpressible("cuts a dimension whose size depends on the input's")
    if len(sizes[0]) == 1:
        return (tensor,)
    first = call.add("Split", [tensor], sizes=sizes[0], dim=dim)
    return tuple(first.layer.outputs)


def chunk(call, input, chunks, dim=0):
    return split(call, input, chunks, dim)


def unbind(call, input, dim=0):
    return tuple(select(call, input, dim, index) for index in range(len(call.result[0])))


def position(value, sizes):
    """A position in a dimension of these sizes; one that depends on the size is counted from the end, None: at it."""
    if not isinstance(value, Varying):
        return value
    from_end = {sample - size for sample, size in zip(value.samples, sizes)}
    if len(from_end) > 1 or max(from_end) > 0:
        raise Inexpressible("takes a position that depends on the input's size")
    return from_end.pop() or None


def narrow(call, input, dim, start, length):
    if any(isinstance(value, Varying) for value in (start, length)):
        raise Inexpressible("takes a range that depends on the input's size")
    end = start + length
    return call.add("Slice", [input], dim=dim, start=start, end=end if end else None)


def select(call, input, dim, index):
    taken = call.add("Slice", [input], dim=dim, start=index, end=index + 1 if index != -1 else None)
    return call.add("Squeeze", [taken], dim=dim)


def _spread(index, rank):
    """With the dimensions that `...` stands for."""
    index = index if isinstance(index, tuple) else (index,)
    if not all(item in (None, Ellipsis) or isinstance(item, (slice, Varying)) or type(item) is int for item in index):
        raise Inexpressible("is indexed by a tensor, a list or a truth value; no layer gathers")
    missing = rank - sum(item is not None and item is not Ellipsis for item in index)
    if Ellipsis not in index:
        return index
    at = index.index(Ellipsis)
    return (*index[:at], *[slice(None)] * missing, *index[at + 1 :])


def _taken(call, input, dim, item, sizes):
    """The part of one dimension that a slice takes."""
    start, stop = position(item.start, sizes), position(item.stop, sizes)
    if start is None and item.start is not None:
        raise Inexpressible("takes nothing")
    step = 1 if item.step is None else item.step
    whole = stop is None or all(isinstance(stop, int) and stop >= size for size in sizes)
    if not start and whole and step == 1:
        return input
    return call.add("Slice", [input], dim=dim, start=start or None, end=None if whole else stop, step=step)


def getitem(call, input, index):
    """x[...] of a tensor, and the choice of one of several results."""
    if isinstance(input, Stored):
        raise input.refusal()
    if not isinstance(input, Value):
        return input[index]
    value, dim, dropped, added = input, 0, [], []
    for item in _spread(index, input.rank):
        if item is None:
            added.append(dim - len(dropped) + len(added))
            continue
        if isinstance(item, Varying):
            raise Inexpressible("takes a position that depends on the input's size")
        sizes = [sample[dim] for sample in input.sizes]
        if isinstance(item, int):
            item = slice(item, item + 1 if item != -1 else None)
            dropped.append(dim)
        value = _taken(call, value, dim, item, sizes)
        dim += 1
    if dropped:
        value = call.add("Squeeze", [value], dim=dropped if len(dropped) > 1 else dropped[0])
    for place in added:
        value = call.add("Unsqueeze", [value], dim=place)
    return value


MAPPINGS = {
    "flatten": flatten,
    "squeeze": squeeze,
    "unsqueeze": unsqueeze,
    "t": transpose_matrix,
    "getattr": attribute,
    "stack": stack,
    "chunk": chunk,
    "unbind": unbind,
    "narrow": narrow,
    "select": select,
    "getitem": getitem,
}
MAPPINGS |= dict.fromkeys(["view", "reshape", "unflatten", "view_as", "reshape_as", "ravel"], reshape)
MAPPINGS |= dict.fromkeys(["permute"], permute)
MAPPINGS |= dict.fromkeys(["transpose", "swapaxes", "swapdims"], transpose)
MAPPINGS |= dict.fromkeys(["movedim", "moveaxis"], movedim)
MAPPINGS |= dict.fromkeys(["cat", "concat", "concatenate"], cat)
MAPPINGS |= dict.fromkeys(["split", "split_with_sizes", "tensor_split"], split)
