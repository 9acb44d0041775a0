"""What each node of a traced graph gives, for several values of the symbols.

A number that is the same for all of them does not depend on the symbols; one that differs does. No data is computed:
the graph runs on torch's meta device.
"""

import copy
import dataclasses

import torch
import torch.fx

from .errors import ExportError

BATCH = 2
OTHER = 64
_PLACES = ("cpu", "cuda")


class Failed(ExportError):
    """The operation `node` failed at the sizes tried."""

    def __init__(self, node, text):
        self.node = node
        super().__init__(text)


@dataclasses.dataclass(frozen=True)
class Tensor:
    """Shape and dtype of a tensor."""

    sizes: tuple
    dtype: torch.dtype


@dataclasses.dataclass(frozen=True)
class Varying:
    """A number that depends on the symbols: what it is at each binding."""

    samples: tuple


@dataclasses.dataclass(frozen=True)
class Input:
    """An input of the model: its dimensions are numbers and symbols."""

    name: str
    shape: tuple
    dtype: torch.dtype

    def shape_at(self, binding):
        return [binding[dim] if isinstance(dim, str) else dim for dim in self.shape]

    def empty(self, binding):
        return torch.empty(self.shape_at(binding), dtype=self.dtype, device="meta")


def first_binding(inputs, given):
    """A value for each symbol: those given, else a small batch and sizes that halve well."""
    binding = dict(given)
    for spec in inputs:
        for position, dim in enumerate(spec.shape):
            if isinstance(dim, str):
                binding.setdefault(dim, BATCH if position == 0 else OTHER)
    return binding


def bindings(inputs, given):
    """The first binding, one for each symbol in which only it differs, and one in which all do."""
    first = first_binding(inputs, given)
    batches = {spec.shape[0] for spec in inputs if spec.shape}
    other = {symbol: value + 1 if symbol in batches else 2 * value for symbol, value in first.items()}
    singles = [{**first, symbol: other[symbol]} for symbol in first] if len(first) > 1 else []
    return [first, *singles, *([other] if other else [])]


def _describe(value):
    if isinstance(value, torch.Tensor):
        return Tensor(tuple(value.shape), value.dtype)
    if isinstance(value, (tuple, list)):
        return tuple(_describe(item) for item in value)
    if isinstance(value, dict):
        return {key: _describe(item) for key, item in value.items()}
    return value


class _Recorder(torch.fx.Interpreter):
    """Runs the graph, with all tensors on the meta device, and keeps a description of what each node gives."""

    def __init__(self, graph_module, samples):
        super().__init__(graph_module)
        self.samples = samples
        self.node = None

    def run_node(self, node):
        self.node = node
        result = super().run_node(node)
        self.samples.setdefault(node, []).append(_describe(result))
        return result

    def call_method(self, target, args, kwargs):
        if target in _PLACES:
            return args[0]
        args = tuple("meta" if _is_place(item) else item for item in args) if target == "to" else args
        return super().call_method(target, args, _without_places(kwargs))

    def call_function(self, target, args, kwargs):
        return super().call_function(target, args, _without_places(kwargs))


def _is_place(item):
    return isinstance(item, torch.device) or (isinstance(item, str) and item.split(":")[0] in _PLACES)


def _without_places(kwargs):
    return {key: "meta" if key == "device" and _is_place(item) else item for key, item in kwargs.items()}


def _on_meta(graph_module):
    """A copy without data. What is no parameter or buffer stays."""
    tensors = [*graph_module.parameters(), *graph_module.buffers()]
    tensors += [value for value in vars(graph_module).values() if isinstance(value, torch.Tensor)]
    memo = {}
    for tensor in tensors:
        empty = torch.empty_like(tensor, device="meta")
        is_parameter = isinstance(tensor, torch.nn.Parameter)
        memo[id(tensor)] = torch.nn.Parameter(empty, requires_grad=False) if is_parameter else empty
    return copy.deepcopy(graph_module, memo)


def record(graph_module, arguments, all_bindings):
    """For each node, by name, what it gives at each binding. An argument of forward is an input or a plain value."""
    empty = _on_meta(graph_module)
    samples = {}
    for binding in all_bindings:
        recorder = _Recorder(empty, samples)
        try:
            given = [item.empty(binding) if isinstance(item, Input) else item for item in arguments]
            with torch.no_grad(), torch.device("meta"):
                recorder.run(*given, enable_io_processing=False)
        except Exception as error:  # whatever an operation finds wrong with its inputs
            raise Failed(recorder.node, _failure(recorder.node, binding, error)) from error
    return {node.name: tuple(results) for node, results in samples.items()}


def _failure(node, binding, error):
    at = ", ".join(f"{symbol} = {value}" for symbol, value in binding.items())
    source = node.meta.get("source") if node is not None else None
    path = ".".join(node.meta.get("scope", ())) if node is not None else ""
    where = f" in {path}" if path else ""
    line = f"\n      {source}" if source else ""
    hint = "\n      --input NAME=DIMS gives an input other sizes"
    hint += ", and --set SYMBOL=INT a symbol another value to try" if at else ""
    message = str(error).split("\n\n")[0].split("\nException raised from")[0].strip()
    return f"the module fails{f' with {at}' if at else ''}{where}: {message}{line}{hint}"
