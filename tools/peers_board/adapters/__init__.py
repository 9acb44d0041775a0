"""One module for each peer that worker.py loads. Its load(file, x, y, threads, network, dtype) takes the peer's file, the
paths of the question and of PyTorch's answer, whose shape it may need, and what to compute in, and gives a Loaded. What a peer imports is imported at the top."""

import array
import dataclasses
from collections.abc import Callable


@dataclasses.dataclass
class Loaded:
    run: Callable  # computes one answer, into memory that is there already where the peer can do that
    answer: Callable  # (shape, array of f32) of each output of the last answer
    native: tuple | None = None  # (function of native_loop.c, address of the peer's function, its arguments)


def flat(values):
    """The output of a numpy array."""
    return values.shape, array.array("f", values.astype("float32").tobytes())


def outputs_of(answer):
    """Those of an answer of PyTorch's: of a tensor, or of tensors in tuples, lists and dicts, in order."""
    if answer is None:
        return []
    if not isinstance(answer, (tuple, list, dict)):
        return [flat(answer.float().numpy())]
    parts = answer.values() if isinstance(answer, dict) else answer
    return [output for part in parts for output in outputs_of(part)]
