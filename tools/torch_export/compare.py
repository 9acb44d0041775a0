"""seqc's answer beside PyTorch's, on a seeded random input."""

import copy
import inspect
import os
import pathlib
import subprocess
import tempfile

import numpy
import torch

from .errors import ExportError

TOLERANCE = 1e-4
HALVES = (torch.float16, torch.bfloat16)
ROOT = pathlib.Path(__file__).resolve().parents[2]


def command():
    """The path of seqc: $SEQC, or the one that tools/build makes."""
    path = pathlib.Path(os.environ.get("SEQC") or ROOT / "build/seqc")
    if not path.is_file():
        raise ExportError(f"--check needs the command, and {path} is not there: run tools/build, or set SEQC")
    return path


def rows_of(module):
    """How many row numbers all tables of the module have."""
    tables = [child.num_embeddings for child in module.modules() if isinstance(child, torch.nn.Embedding)]
    return min(tables, default=10)


def make_inputs(inputs, binding, module, seed):
    """Normal numbers; row numbers for integers, which the smallest table has."""
    generator = torch.Generator().manual_seed(seed)
    rows = rows_of(module)
    tensors = []
    for spec in inputs:
        shape = spec.shape_at(binding)
        if spec.dtype.is_floating_point:
            tensors.append(torch.randn(shape, generator=generator).to(spec.dtype))
        else:
            tensors.append(torch.randint(0, rows, shape, generator=generator).to(spec.dtype))
    return tensors


def flat(value):
    """The tensors of an answer, in order."""
    if isinstance(value, torch.Tensor):
        return [value]
    parts = value.values() if isinstance(value, dict) else value
    return [tensor for part in parts if part is not None for tensor in flat(part)]


def _call(arguments):
    result = subprocess.run(arguments, capture_output=True, text=True)
    if result.returncode:
        said = (result.stdout + result.stderr).strip()
        raise ExportError(f"{' '.join(map(str, arguments[:2]))} fails with {result.returncode}:\n{said}")
    return result.stdout


def seqc_answers(spec, inputs, tensors, output_names):
    """What `seqc run` gives for each output."""
    program = command()
    _call([program, "check", spec])
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        arguments = [program, "run", spec, "-q"]
        for index, (item, tensor) in enumerate(zip(inputs, tensors)):
            held = tensor.float() if tensor.dtype == torch.bfloat16 else tensor  # which NumPy does not know
            numpy.save(folder / f"in{index}.npy", held.numpy())
            arguments += ["--input", f"{item.name}={folder}/in{index}.npy"]
        for index, name in enumerate(output_names):
            arguments += ["--output", f"{name}={folder}/out{index}.npy" if name else f"{folder}/out{index}.npy"]
        _call(arguments)
        return [torch.from_numpy(numpy.load(folder / f"out{i}.npy")) for i in range(len(output_names))]


def difference(expected, actual):
    """The largest, relative to the largest magnitude expected. NaN where NaN is expected is no difference, nor is the
    same infinity, as with numpy.allclose(equal_nan=True); an ExportError where only one has such a value."""
    if expected.shape != actual.shape:
        raise ExportError(f"seqc gives the shape {list(actual.shape)}, PyTorch {list(expected.shape)}")
    expected, actual = expected.double(), actual.double()
    finite = expected.isfinite() & actual.isfinite()
    one_alone = ~(finite | (expected == actual) | (expected.isnan() & actual.isnan()))
    if one_alone.any():
        at = tuple(one_alone.nonzero()[0].tolist())
        raise ExportError(
            f"seqc gives {actual[at]:g} where PyTorch gives {expected[at]:g}, at {list(at)}, and so in "
            f"{one_alone.sum()} of {expected.numel()} numbers"
        )
    expected, actual = expected[finite], actual[finite]
    if not expected.numel():
        return 0.0
    largest = expected.abs().max().item()
    apart = (expected - actual).abs().max().item()
    return apart / largest if largest else apart


def answers_of(module, arguments, inputs, tensors):
    """The module's own, with `tensors` for those of `arguments` (forward's, by name) that are among `inputs`."""
    given = (tensor.clone() for tensor in tensors)  # a module may change what it is given
    values = {name: next(given) if item in inputs else item for name, item in arguments.items()}
    by_name = inspect.BoundArguments(inspect.signature(module.forward), values)
    with torch.no_grad():
        return flat(module(*by_name.args, **by_name.kwargs))


def compare(module, arguments, spec, inputs, tensors, output_names):
    """The largest difference over all outputs; an ExportError where it is more than the tolerance."""
    tolerance, given, halves = TOLERANCE, tensors, [t.dtype for t in tensors if t.dtype in HALVES]
    if halves:  # seq computes in f32 and rounds its outputs, PyTorch would round after each layer
        tolerance = max(torch.finfo(dtype).eps for dtype in halves)
        module, given = copy.deepcopy(module).float(), [t.float() if t.is_floating_point() else t for t in tensors]
    try:
        expected = answers_of(module, arguments, inputs, given)
    except Exception as error:  # whatever an operation finds wrong with its inputs
        raise ExportError(f"the module fails on a random input: {error}") from error
    actual = seqc_answers(spec, inputs, tensors, output_names)
    apart = 0.0
    for name, ours, theirs in zip(output_names, actual, expected, strict=True):
        try:
            apart = max(apart, difference(theirs, ours))
        except ExportError as error:
            raise ExportError(f"output {name}: {error}" if name else str(error)) from error
    if not apart <= tolerance:
        raise ExportError(f"seqc differs from PyTorch by {apart:.2g} of the largest magnitude, more than {tolerance:g}")
    return apart
