"""Writes the files of one network for the peers that ask; runs in the peers' Python.

make_network.py FOLDER NETWORK BATCH,... PEER,...

Prints one line of JSON for each peer and batch: {"peer", "batch", "error"}, the error null where all is well. Exit
status 3: there is no such network or it does not run, and the last line of standard error says why.
"""

import array
import contextlib
import dataclasses
import io
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import warnings

import numpy
import torch
from torch_export import compare, load
from torch_export.errors import ExportError

import export_torch

from . import answers, making, networks


INTEGERS = {"i32": numpy.int32, "i64": numpy.int64}


def build(network):
    """The module with its seeded weights: the same each time."""
    return load.load_module(*load.split_source(network.module), networks.SEED)


def make_question(files, module):
    """x and PyTorch's answer, computed in f64 so that no peer's rounding is the measure."""
    x = draw(files, module)
    given = torch.from_numpy(x)
    try:
        with torch.inference_mode():
            outputs = compare.flat(module.double()(given.double() if given.is_floating_point() else given))
    except Exception as error:  # whatever the network raises
        said = (str(error).strip().splitlines() or [type(error).__name__])[0]
        kind, sizes = files.network.dtype, "x".join(map(str, x.shape))
        raise ExportError(f"it does not run on one input, {kind} of {sizes}: {said}") from error
    finally:
        module.float()
    if not outputs or not all(output.is_floating_point() for output in outputs):
        raise ExportError("it gives no tensors, or others than of floating-point numbers, and these alone are compared")
    numpy.save(files.x, x)
    parts = [(tuple(y.shape), array.array("f", y.float().numpy().tobytes())) for y in outputs]
    for index in reversed(range(len(parts))):  # the first one last: where it is, all are
        answers.write_npy(answers.part(files.y, index), *parts[index])


def draw(files, module):
    """Normal numbers; row numbers for integers, which the smallest table has."""
    generator, shape = numpy.random.default_rng(networks.SEED), (files.batch, *files.network.shape)
    if files.network.dtype == "f32":
        return generator.standard_normal(shape, dtype=numpy.float32)
    return generator.integers(0, compare.rows_of(module), shape, dtype=INTEGERS[files.network.dtype])


class Flattened(torch.nn.Module):
    """Its outputs in a tuple, or the only one alone, since dictionaries cannot be traced."""

    def __init__(self, module):
        super().__init__()
        self.module = module

    def forward(self, x):
        outputs = tuple(compare.flat(self.module(x)))
        return outputs if len(outputs) > 1 else outputs[0]


def traceable(module, x):
    with torch.inference_mode():
        return module if isinstance(module(x[:1]), torch.Tensor) else Flattened(module).eval()


def make_seq(files, staged, module):
    shape = ",".join(["N", *map(str, files.network.shape)])
    argv, sys.argv = sys.argv, [
        "export_torch.py", files.network.module, "-o", staged.folder, "--name", files.network.name,
        "--input", f"x={shape}:{files.network.dtype}", "--seed", str(networks.SEED),
    ]  # fmt: skip
    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said):
            status = export_torch.main()
    finally:
        sys.argv = argv
    if status != 0:
        raise RuntimeError(said.getvalue().strip())


def make_onnx(files, staged, module):
    x = torch.from_numpy(numpy.load(files.x))
    names = networks.output_names(len(answers.parts(files.y)))
    torch.onnx.export(
        traceable(module, x), (x,), staged.onnx, dynamo=False, input_names=["x"], output_names=names, opset_version=18
    )


def make_openvino(files, staged, module):
    import openvino

    make(files, "onnxruntime", module)
    openvino.save_model(openvino.convert_model(files.onnx), staged.openvino, compress_to_fp16=False)


def make_script(files, staged, module):
    x = torch.from_numpy(numpy.load(files.x))[:1]
    with torch.inference_mode():
        torch.jit.trace(traceable(module, x), x).save(staged.script)


def make_ncnn(files, staged, module):
    import pnnx

    make(files, "torch-jit", module)
    stem = staged.path(files.network.name)
    dims = ",".join(["1", *map(str, files.network.shape)])
    aside = {"pnnxparam": "pnnx.param", "pnnxbin": "pnnx.bin", "pnnxpy": "pnnx.py", "pnnxonnx": "pnnx.onnx",
             "ncnnpy": "ncnn.py"}  # fmt: skip
    kept = {"ncnnparam": "ncnn.param", "ncnnbin": "ncnn.bin"}
    shape = f"inputshape=[{dims}]{files.network.dtype}"
    command = [pathlib.Path(pnnx.__file__).parent / "pnnx", files.script, shape, "fp16=0"]
    command += [f"{key}={stem}.{end}" for key, end in (aside | kept).items()]
    done = subprocess.run(command, capture_output=True, text=True)
    for end in aside.values():
        pathlib.Path(f"{stem}.{end}").unlink(missing_ok=True)
    if done.returncode != 0 or not os.path.exists(staged.ncnn):
        said = (done.stderr or done.stdout).strip().splitlines()
        raise RuntimeError(f"pnnx stopped with {done.returncode}: {said[-1] if said else 'it says nothing'}")


MAKERS = {
    "seq": make_seq, "onnxruntime": make_onnx, "openvino": make_openvino, "ncnn": make_ncnn,
    "torch-jit": make_script, "torch-eager": make_seq, "rtneural": make_seq,
}  # fmt: skip


def make(files, peer, module):
    """Makes what a peer loads, unless it is there; a file is there whole or not at all."""
    final = files.of(peer)
    if os.path.exists(final):
        return
    with tempfile.TemporaryDirectory(dir=files.folder) as folder:
        staged = dataclasses.replace(files, folder=folder)
        MAKERS[peer](files, staged, module)
        for name in sorted(os.listdir(folder), key=lambda name: name == os.path.basename(final)):
            os.replace(staged.path(name), files.path(name))


def reason(error):
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0] if lines else 'it says nothing'}"


def main():
    folder, name, batches, peers = sys.argv[1:]
    network = networks.find(name)
    try:
        module = build(network)
        out, sys.stdout = sys.stdout, sys.stderr
        warnings.simplefilter("ignore")
        made = [networks.Files(folder, network, batch) for batch in map(int, batches.split(","))]
        for files in made:
            if not os.path.exists(files.y):
                make_question(files, module)
    except ExportError as error:
        print(error, file=sys.stderr)
        return making.NO_NETWORK
    for files in made:
        batch = files.batch
        for peer in peers.split(","):
            if networks.unsuitable(peer, network, batch) is None:
                report = {"peer": peer, "batch": batch, "error": None}
                try:
                    make(files, peer, module)
                except Exception as error:  # one peer's fault is not the board's
                    report["error"] = reason(error)
                print(json.dumps(report), file=out, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
