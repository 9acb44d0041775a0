"""The JSON text of a model: names, references, and one layer a line."""

import json

import torch

from .layers import Layer

DTYPES = {
    torch.float32: "f32", torch.bfloat16: "bf16", torch.float16: "f16", torch.float64: "f64", torch.int64: "i64",
    torch.int32: "i32", torch.int8: "i8", torch.uint8: "u8", torch.bool: "bool",
}  # fmt: skip


def assign_names(container, taken_everywhere):
    """Names that a parameter needs stay; others get a number where the name is taken."""
    taken = set(taken_everywhere) | {child.name for child in container.children if child.fixed}
    for child in container.children:
        if not child.fixed:
            own = {child.shares.name} if isinstance(child, Layer) and child.shares else set()
            child.name = _free_name(child.name, taken | own)
            taken.add(child.name)
        if not isinstance(child, Layer):
            assign_names(child, taken_everywhere)


def _free_name(name, taken):
    base, _, count = name.partition("@")
    name = f"{base}_{count}" if count else base
    number = 1
    while name in taken:
        name = f"{base}_{number}"
        number += 1
    return name


class References:
    """How layers name the values that they take."""

    def __init__(self, root):
        self.root = root
        self.parents = {}
        self._enter(root)

    def _enter(self, container):
        for child in container.children:
            self.parents[child] = container
            if not isinstance(child, Layer):
                self._enter(child)

    def name(self, value, container):
        """The name of a value inside a container; one from outside becomes an input of the container."""
        inside = value.layer is not None and self.path(value.layer, container)
        if inside:
            return self._spell(inside, value.index)
        if container is self.root:
            return value.input
        if value not in container.inputs:
            container.inputs.append(value)
        index = container.inputs.index(value)
        return f"$in.{index}" if index else "$in"

    def path(self, child, container):
        """The children that lead from the container to the layer; None where it is elsewhere."""
        path = [child]
        while self.parents.get(path[0]) is not container:
            if path[0] not in self.parents or self.parents[path[0]] is self.root:
                return None
            path.insert(0, self.parents[path[0]])
        return path

    def _spell(self, path, index):
        """A container's name means its last layer's first output."""
        while index == 0 and len(path) > 1 and path[-2].children[-1] is path[-1]:
            path = path[:-1]
        spelled = ".".join(item.name for item in path)
        return f"{spelled}.{index}" if index else spelled

    def last_output(self, child):
        while not isinstance(child, Layer):
            child = child.children[-1]
        return child.outputs[0]

    def resolve(self, container, first):
        """`from` of each child; None where it takes what the flow brings. `first` is what flows into the root."""
        result = {}
        for child in container.children:
            if not isinstance(child, Layer):
                result |= self.resolve(child, None)
        for position, child in enumerate(container.children):
            operands = child.operands if isinstance(child, Layer) else child.inputs
            names = [self.name(value, container) for value in operands]
            if position:
                brought = self.last_output(container.children[position - 1])
            else:
                brought = first if container is self.root else container.inputs[0]
            follows = len(operands) == 1 and operands[0] is brought
            result[child] = None if follows else names[0] if len(names) == 1 else names
        return result


class Writer:
    """Lays the text out."""

    def __init__(self, root, first_input):
        self.references = References(root)
        self.sources = self.references.resolve(root, first_input)

    def layer(self, child, position, indent):
        fields = self._fields(child, position)
        if isinstance(child, Layer):
            plain = list(fields) == ["type"]
            return indent + json.dumps(fields["type"] if plain else fields)
        head = json.dumps(fields)[:-1]
        return f'{indent}{head}, "layers": [\n{self.layers(child, indent + "  ")}\n{indent}]}}'

    def layers(self, container, indent):
        return ",\n".join(self.layer(child, i, indent) for i, child in enumerate(container.children))

    def _fields(self, child, position):
        is_layer = isinstance(child, Layer)
        if is_layer and child.shares is not None:
            fields = {"share": self._shared_path(child)}
        else:
            fields = {"type": child.kind if is_layer else "Sequential"}
        if child.name != str(position):
            fields["name"] = child.name
        if self.sources[child] is not None:
            fields["from"] = self.sources[child]
        return fields | (child.options if is_layer and child.shares is None else {})

    def _shared_path(self, child):
        """Seen from the layer's container: the first name of the path is looked up from the inside outward."""
        container = self.references.parents[child]
        while True:
            path = self.references.path(child.shares, container)
            if path:
                return ".".join(item.name for item in path)
            container = self.references.parents[container]


def text_of(root, name, inputs, first_input, outputs, weights):
    """The model file, and the names of its outputs. The layers and containers of `root` get their names here."""
    assign_names(root, {spec.name for spec in inputs})
    writer = Writer(root, first_input)
    lines = ['  "seq": 1', f'  "name": {json.dumps(name)}', _inputs_text(inputs)]
    lines.append(f'  "layers": [\n{writer.layers(root, "    ")}\n  ]')
    last = writer.references.last_output(root.children[-1])
    output_names = [writer.references.name(value, root) for value in outputs]
    if len(outputs) != 1 or outputs[0] is not last:
        lines.append(f'  "outputs": {json.dumps(output_names)}')
    if weights:
        lines.append(f'  "weights": {json.dumps(weights)}')
    return "{\n" + ",\n".join(lines) + "\n}\n", output_names


def _inputs_text(inputs):
    specs = {}
    for spec in inputs:
        specs[spec.name] = {"shape": list(spec.shape), "dtype": DTYPES[spec.dtype]}
        if spec.dtype == torch.float32:
            specs[spec.name] = list(spec.shape)
    return f'  "inputs": {json.dumps(specs)}'
