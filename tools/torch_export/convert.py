"""A traced graph to layers, one node at a time. Every operation that has no layer is refused, all in one go."""

import math
import operator

import torch
import torch.fx
from torch.fx.node import map_aggregate

from . import functions, modules
from .errors import Inexpressible, Refusal
from .layers import Layer, Stored, Value, known_types, stand_in
from .memory import COPIES, EXPANSIONS, MAY_COPY, VIEWS, Memory
from .reasons import function_name, refusal, without_layer
from .sizes import Tensor, Varying
from .trace import IN_PLACE, layer_type


class Call:
    """What a mapping needs of the operation at hand: what it gives, where layers go, and how to refuse."""

    def __init__(self, converter, node):
        self.converter = converter
        self.node = node
        self.scope = node.meta["scope"]

    @property
    def result(self):
        """What the operation gives, at each binding of the symbols."""
        return self.converter.samples[self.node.name]

    @property
    def output_sizes(self):
        return [sample.sizes for sample in self.result]

    @property
    def users(self):
        """The nodes that take what the operation gives, each after the mapping that serves it, None where none does."""
        return [(self.mapping_of(user), user) for user in self.node.users]

    def mapping_of(self, node):
        """None where none serves it."""
        return functions.find(node) if node.op in ("call_function", "call_method") else None

    def add(self, kind, operands, **options):
        """A layer without parameters; its first output."""
        name = function_name(self.node).strip("_")
        is_elsewhere = name.isdigit() and self.node.target.split(".")[-2:-1] != [*self.scope[-1:]]
        if is_elsewhere or name in ("getitem", "getattr"):
            name = kind.lower()
        return self.converter.add(self, Layer(kind, options, operands, self.scope, name))

    def add_at(self, path, kind, operands, **options):
        """A layer whose parameters the state_dict has under `path`; used again, it shares them."""
        if not path:
            raise Inexpressible("has parameters of the outermost module, which no layer's name fits; wrap the module")
        *scope, name = path.split(".")
        first = self.converter.fixed.get(path)
        if first is None:
            layer = Layer(kind, options, operands, tuple(scope), name, fixed=True)
            self.converter.fixed[path] = layer
        else:
            layer = Layer(kind, options, operands, self.scope, name, shares=first)
            if layer.kind != first.kind:
                raise Inexpressible(
                    f"takes the parameters of `{path}`, which are those of {first.kind}, for {kind}; give that a "
                    "module of its own, whose weight may be the same tensor"
                )
            if layer.options != first.options:
                raise Inexpressible(f"uses the parameters of {path} again with other options")
        return self.converter.add(self, layer)


class Converter:
    """Holds what is known of the graph so far. After run(): layers, outputs, refusals, notes."""

    def __init__(self, graph_module, samples, input_names):
        """`input_names`: for each argument of forward, None where it is no input of the model."""
        self.graph_module = graph_module
        self.samples = samples
        self.input_names = input_names
        self.layers, self.inputs, self.outputs, self.refusals, self.notes = [], [], [], [], []
        self.fixed = {}
        self.values = {}
        self.nodes = list(graph_module.graph.nodes)
        self.position = {node: index for index, node in enumerate(self.nodes)}
        self.guesses = set()
        self.memory = Memory()

    def run(self):
        live = self._live()
        names = iter(self.input_names)
        for node in self.nodes:
            if node.op == "placeholder":
                self._placeholder(node, next(names, None))
            elif node.op == "output":
                self._output(node)
            elif node in live:
                self._operation(node)
        return self

    def add(self, call, layer):
        for operand in layer.operands:
            if isinstance(operand, Stored):
                raise operand.refusal()
            if isinstance(operand, Varying):
                raise Inexpressible(
                    "computes with a number that follows the input's size, and a model file holds fixed numbers; give "
                    "the input a fixed size there"
                )
            if not isinstance(operand, Value):
                raise Inexpressible(f"takes {type(operand).__name__} where a tensor is expected")
        if layer.kind not in known_types():
            raise Inexpressible(f"seq has no layer type {layer.kind}")
        for option, value in layer.options.items():
            _check_option(option, value)
        layer.source = call.node.meta.get("source")
        self.layers.append(layer)
        return layer.outputs[0]

    def _placeholder(self, node, name):
        if name is not None:
            self.values[node] = Value(None, input=name, samples=self.samples[node.name])
            self.inputs.append(self.values[node])

    def _live(self):
        """The nodes that the output needs; those that change a tensor in place count."""
        waiting = [node for node in self.nodes if node.op == "output" or self._in_place(node)]
        live = set()
        while waiting:
            node = waiting.pop()
            if node not in live:
                live.add(node)
                waiting.extend(node.all_input_nodes)
        return live

    def _in_place(self, node):
        if node.op == "call_module":
            return bool(getattr(self.graph_module.get_submodule(node.target), "inplace", False))
        if node.op == "call_method":
            return node.target.endswith("_") and not node.target.endswith("__")
        if node.op == "call_function":
            if node.target in IN_PLACE.values():
                return _holds_tensor(self.samples[node.name][0])
            name = function_name(node)
            return bool(node.kwargs.get("inplace")) or (name.endswith("_") and not name.endswith("__"))
        return False

    def _operation(self, node):
        if node.op == "get_attr":
            self._stored(node)
            return
        if not _holds_tensor(self.samples[node.name][0]):
            self._guess(node)
            return
        try:
            if self._in_place(node):
                self._check_change(node)
            if reason := without_layer(self.graph_module, node):
                raise Inexpressible(reason)
            call = Call(self, node)
            result = self._module(call) if node.op == "call_module" else self._function(call)
            self._keep(node, result)
            if self._in_place(node):
                self._rebind(node)
        except Inexpressible as error:
            self._refuse(node, str(error))

    def _stored(self, node):
        tensor = self.graph_module
        for part in node.target.split("."):
            tensor = getattr(tensor, part)
        self.values[node] = Stored(node.target, tensor)

    def _guess(self, node):
        """Notes numbers that are the same at all bindings though they are computed from ones that differ."""
        samples = self.samples[node.name]
        from_varying = any(
            source in self.guesses or (node.target is not operator.getitem and self._varies(source))
            for source in node.all_input_nodes
        )
        if from_varying and isinstance(samples[0], (int, float)) and len(set(samples)) == 1:
            self.guesses.add(node)

    def _varies(self, node):
        samples = self.samples[node.name]
        return not _holds_tensor(samples[0]) and any(sample != samples[0] for sample in samples)

    def _module(self, call):
        module = self.graph_module.get_submodule(call.node.target)
        return modules.convert(call, module, layer_type(module), *self._arguments(call.node))

    def _function(self, call):
        mapping = functions.find(call.node)
        arguments, options = self._arguments(call.node)
        if not functions.takes_parameters(mapping):
            arguments, options = map_aggregate(arguments, _operand), map_aggregate(options, _operand)
        try:
            return mapping(call, *arguments, **options)
        except Inexpressible:
            raise
        except Exception as error:  # arguments of kinds that the mapping does not know
            said = str(error).split("() ", 1)[-1]
            raise Inexpressible(f"is called in a way that no layer does ({said})") from error

    def _arguments(self, node):
        def known(item):
            return self._argument(item) if isinstance(item, torch.fx.Node) else item

        return map_aggregate(node.args, known), map_aggregate(node.kwargs, known)

    def _argument(self, node):
        if node in self.values:
            return self.values[node]
        samples = self.samples[node.name]
        if node in self.guesses:
            self._note_guess(node, samples[0])
        return _number(samples)

    def _note_guess(self, node, value):
        self.note(node, f"{function_name(node)} gives {value} at each size tried, and is taken as that number")

    def note(self, node, text):
        source = node.meta.get("source")
        note = f"{text}: {source}" if source else text
        if note not in self.notes:
            self.notes.append(note)

    def _keep(self, node, result):
        """Values that a traced operation gives know their samples, those in between do not."""
        samples = self.samples[node.name]
        if isinstance(result, Value):
            result.samples = samples
        elif isinstance(result, (tuple, list)):
            for index, value in enumerate(result):
                value.samples = tuple(sample[index] for sample in samples)
        self.values[node] = result
        self._note_memory(node, result)

    def _note_memory(self, node, result):
        """Where the result lies, as far as its first operand's memory is concerned."""
        operand = next(iter(node.all_input_nodes), None)
        name, before = function_name(node), self.values.get(operand)
        if operand is None or name in COPIES:
            return
        parts = list(result) if isinstance(result, (tuple, list)) else [result]
        if name in EXPANSIONS:
            self.memory.view(node, operand)
        elif name == "getitem" and isinstance(before, (tuple, list)):
            self.memory.same(node, operand, node.args[1])
        elif result is before and name not in MAY_COPY:
            self.memory.same(node, operand)
        elif any(part is before or _is_view(part) for part in parts):
            self.memory.view(node, operand)

    def _check_change(self, node):
        """Before a change in place: whether there are names for what comes of it."""
        operand = node.all_input_nodes[0]
        changed = self.values.get(operand)
        if isinstance(changed, Stored):
            kept = "a tensor that forward makes" if changed.is_made else f"the {changed.kind} `{changed.path}`"
            raise Inexpressible(f"changes {kept}, and a model file keeps nothing from one run to the next")
        now = self.position[node]
        for other, value in self.values.items():
            if not isinstance(value, Value) or self.memory.are_same(other, operand):
                continue
            if self.memory.overlap(other, operand) and any(self.position[user] > now for user in other.users):
                raise Inexpressible("changes a tensor in place of which a view is used later")

    def _rebind(self, node):
        """After a change in place all names of the changed tensor mean the result."""
        operand, result = node.all_input_nodes[0], self.values[node]
        if not isinstance(self.values.get(operand), Value) or not isinstance(result, Value):
            return
        for other, value in self.values.items():
            if isinstance(value, tuple):
                self.values[other] = tuple(
                    result if self.memory.is_part(operand, other, index) else part for index, part in enumerate(value)
                )
            elif other is not node and self.memory.are_same(other, operand):
                self.values[other] = result
        self.memory.same(node, operand)

    def _refuse(self, node, reason):
        self.values[node] = stand_in(self.samples[node.name])
        self.refusals.append(refusal(self.graph_module, node, reason))

    def _output(self, node):
        values = []

        def collect(item):
            value = self.values.get(item, self.samples[item.name][0]) if isinstance(item, torch.fx.Node) else item
            if isinstance(value, (tuple, list)):
                for part in value:
                    collect(part)
            elif isinstance(value, dict):
                for part in value.values():
                    collect(part)
            elif isinstance(value, Value):
                values.append(value)
            elif value is not None:
                self.refusals.append(_returns(value))

        collect(node.args[0])
        for value in values:
            # Outputs are layers, and each of them another one.
            if value.layer is None or any(value is other for other in self.outputs):
                layer = Layer("Identity", {}, [value], (), "identity")
                self.layers.append(layer)
                value = layer.outputs[0]
            self.outputs.append(value)


def _check_option(option, value):
    """What JSON can hold."""
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, Varying):
            raise Inexpressible(f"its {option} depends on the input's size")
        if not isinstance(item, (int, float, str, type(None))):
            raise Inexpressible(f"its {option} is {type(item).__name__}, where a number is expected")
        if isinstance(item, float) and not math.isfinite(item):
            raise Inexpressible(f"its {option} is {item}, which no model file holds")


def _operand(argument):
    """A buffer of one number serves as that number; other stored tensors are no operands."""
    if not isinstance(argument, Stored):
        return argument
    if isinstance(argument.tensor, torch.nn.Parameter) or argument.tensor.numel() != 1:
        raise argument.refusal()
    return argument.tensor.item()


def _is_view(value):
    return isinstance(value, Value) and value.layer is not None and value.layer.kind in VIEWS


def _returns(value):
    kind = f"the {value.kind} {value.path}" if isinstance(value, Stored) else type(value).__name__
    reason = f"returns {kind}; outputs are tensors that layers give, alone or in a tuple, list or dict"
    return Refusal("", "output", reason)


def _holds_tensor(sample):
    if isinstance(sample, Tensor):
        return True
    if isinstance(sample, dict):
        return any(map(_holds_tensor, sample.values()))
    return isinstance(sample, (tuple, list)) and any(map(_holds_tensor, sample))


def _number(samples):
    """A number or a sequence of numbers: itself where all bindings agree, else Varying."""
    first = samples[0]
    if isinstance(first, (tuple, list)) and all(len(sample) == len(first) for sample in samples):
        return tuple(_number(parts) for parts in zip(*samples))
    return first if all(sample == first for sample in samples) else Varying(samples)


def prune(layers, outputs):
    """The layers that the outputs need, in their order."""
    needed, waiting = set(), [value.layer for value in outputs]
    while waiting:
        layer = waiting.pop()
        if layer is None or layer in needed:
            continue
        needed.add(layer)
        waiting.extend(value.layer for value in layer.operands)
        waiting.append(layer.shares)
    return [layer for layer in layers if layer in needed]
