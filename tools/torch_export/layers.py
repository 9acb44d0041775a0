"""Layers and the values between them, before they are put into containers."""

import dataclasses
import functools
import inspect
import pathlib
import re

import torch

from .errors import Inexpressible
from .sizes import Tensor
from .state import MADE_IN_FORWARD

OP_LIST = pathlib.Path(__file__).resolve().parents[2] / "graph/op_list.def"

# seq's own layers have no constructor in torch.nn to take defaults from.
OWN_DEFAULTS = {
    "Concat": {"dim": 1},
    "Split": {"dim": 1},
    "Slice": {"start": None, "end": None, "step": 1},
    "Mean": {"dim": None, "keepdim": False},
    "Sum": {"dim": None, "keepdim": False},
}
# Options that mean nothing once training is over.
TRAINING_ONLY = {"inplace", "momentum", "scale_grad_by_freq", "sparse", "device", "dtype"}
# Options that take one number for all dimensions.
PER_DIMENSION = {
    "kernel_size", "stride", "padding", "dilation", "output_padding", "output_size", "size", "scale_factor",
}  # fmt: skip


@functools.cache
def known_types():
    """The layer types that seq has."""
    return frozenset(re.findall(r"^SEQ_OP\((\w+)\)", OP_LIST.read_text(), re.MULTILINE))


@functools.cache
def signature(kind):
    """The constructor's options in PyTorch's order with their defaults; inspect.Parameter.empty for those without."""
    parameters = inspect.signature(getattr(torch.nn, kind)).parameters.values()
    named = [p for p in parameters if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
    return {p.name: p.default for p in named if p.name not in TRAINING_ONLY and not p.name.startswith("_")}


def plain(name, value):
    """As JSON has it: lists, and one number where it serves all dimensions."""
    if not isinstance(value, (tuple, list)):
        return value
    value = list(value)
    same = name in PER_DIMENSION and len(set(value)) == 1 and value[0] is not None
    return value[0] if same or (name == "normalized_shape" and len(value) == 1) else value


def written_options(kind, options):
    """Those that differ from the defaults, in PyTorch's order."""
    defaults = OWN_DEFAULTS.get(kind, {})
    if hasattr(torch.nn, kind):
        defaults = signature(kind)
    order = [name for name in defaults if name in options] if kind not in OWN_DEFAULTS else []
    order += [name for name in options if name not in order and name not in TRAINING_ONLY]
    result = {}
    for name in order:
        value = plain(name, options[name])
        if name not in defaults or value != plain(name, defaults[name]):
            result[name] = value
    if result.get("stride") is not None and result["stride"] == result.get("kernel_size") and "Pool" in kind:
        del result["stride"]
    return result


@dataclasses.dataclass(eq=False)
class Value:
    """An output of a layer, or an input of the model where `layer` is None."""

    layer: "Layer | None"
    index: int = 0
    input: str | None = None
    # What the traced node gives at each binding of the symbols; None for values within one traced operation.
    samples: tuple | None = None

    @property
    def sizes(self):
        """Its shape at each binding."""
        return [sample.sizes for sample in self.samples]

    @property
    def dtype(self):
        return self.samples[0].dtype

    @property
    def rank(self):
        return len(self.samples[0].sizes)


@dataclasses.dataclass(frozen=True)
class Stored:
    """A parameter or buffer that is an operand."""

    path: str
    tensor: torch.Tensor

    @property
    def is_made(self):
        """Whether forward makes it."""
        return self.path.startswith(MADE_IN_FORWARD)

    @property
    def kind(self):
        return "parameter" if isinstance(self.tensor, torch.nn.Parameter) else "buffer"

    def refusal(self):
        if self.is_made:
            return Inexpressible("takes a tensor that forward makes, and a model file has tensors only inside layers")
        what = f"the {self.kind} `{self.path}`"
        return Inexpressible(f"takes {what} as an operand, and a model file has parameters only inside layers")


@dataclasses.dataclass(eq=False)
class Layer:
    """A layer to write. One that is `fixed` has parameters, whose names demand its scope and name; others may move."""

    kind: str
    options: dict
    operands: list
    scope: tuple
    name: str
    fixed: bool = False
    shares: "Layer | None" = None
    source: object = None
    outputs: list = dataclasses.field(default_factory=list)

    def __post_init__(self):
        self.options = written_options(self.kind, self.options)
        count = len(self.options["sizes"]) if self.kind == "Split" else 1
        self.outputs = [Value(self, index) for index in range(count)]

    @property
    def path(self):
        return ".".join((*self.scope, self.name))


def stand_in(samples):
    """For the result of an operation that was refused: what follows is looked at for itself."""
    if isinstance(samples[0], Tensor):
        return Value(None, samples=samples)
    if isinstance(samples[0], (tuple, list)):
        return tuple(stand_in(parts) for parts in zip(*samples))
    return samples[0]
