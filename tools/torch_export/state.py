"""What a forward leaves behind for its next call, which no model file holds."""

from .errors import Refusal

MADE_IN_FORWARD = "_tensor_constant"


class State:
    """The buffers, parameters and numbers of a module as they are before its forward is followed."""

    def __init__(self, module):
        self.module = module
        self.tensors = {}
        self.numbers = self._numbers()
        for path, child in module.named_modules():
            for registry in (child._buffers, child._parameters):
                for name, tensor in registry.items():
                    if tensor is not None:
                        copy = tensor.detach().clone() if registry is child._buffers else None
                        self.tensors[_join(path, name)] = (registry, name, tensor, tensor._version, copy)

    def _numbers(self):
        return {
            _join(path, name): value
            for path, child in self.module.named_modules()
            for name, value in vars(child).items()
            if type(value) in (int, float)
        }

    def restore(self):
        """Puts back what has changed. Returns the names of tensors, and of numbers, each in a list."""
        changed = []
        for path, (registry, name, tensor, version, copy) in self.tensors.items():
            if registry.get(name) is tensor and tensor._version == version:
                continue
            registry[name] = tensor
            if copy is not None and tensor._version != version:
                tensor.data.copy_(copy)
            changed.append(path)
        now = self._numbers()
        return changed, [path for path, value in self.numbers.items() if path in now and now[path] != value]


def refusals(graph_module, tensors, numbers):
    """For tensors that forward has changed and computes with, and for numbers that it has changed."""
    reads = {node.target for node in graph_module.graph.nodes if node.op == "get_attr" and node.users}
    made = any(target.startswith(MADE_IN_FORWARD) for target in reads)
    reason = "is changed by forward, and a model file keeps nothing from one run to the next"
    found = [Refusal("", path, reason) for path in tensors if made or path in reads]
    return found + [Refusal("", path, reason) for path in numbers]


def _join(path, name):
    return f"{path}.{name}" if path else name
