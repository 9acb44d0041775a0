"""Writes the files of one network for the peers that ask; runs in the peers' Python.

make_network.py FOLDER NETWORK BATCH,... PEER,...

Prints one line of JSON for each peer and batch: {"peer", "batch", "error"}, the error null where all is well. Exit
status 3: there is no such network, and standard error says why.
"""

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
from torch_export import load
from torch_export.errors import ExportError

import export_torch

from . import making, networks


def build(network):
    """The module with its seeded weights: the same each time."""
    return load.load_module(*load.split_source(network.module), networks.SEED)


def make_question(files, module):
    """x and PyTorch's answer, computed in f64 so that no peer's rounding is the measure."""
    draw = numpy.random.default_rng(networks.SEED)
    x = draw.standard_normal((files.batch, *files.network.shape), dtype=numpy.float32)
    numpy.save(files.x, x)
    with torch.inference_mode():
        y = module.double()(torch.from_numpy(x).double()).float()
    module.float()
    numpy.save(files.y, y.numpy())


def make_seq(files, staged, module):
    shape = ",".join(["N", *map(str, files.network.shape)])
    argv, sys.argv = sys.argv, [
        "export_torch.py", files.network.module, "-o", staged.folder, "--name", files.network.name,
        "--input", f"x={shape}", "--seed", str(networks.SEED),
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
    torch.onnx.export(module, (x,), staged.onnx, dynamo=False, input_names=["x"], output_names=["y"], opset_version=18)


def make_openvino(files, staged, module):
    import openvino

    make(files, "onnxruntime", module)
    openvino.save_model(openvino.convert_model(files.onnx), staged.openvino, compress_to_fp16=False)


def make_script(files, staged, module):
    x = torch.from_numpy(numpy.load(files.x))[:1]
    with torch.inference_mode():
        torch.jit.trace(module, x).save(staged.script)


def make_ncnn(files, staged, module):
    import pnnx

    make(files, "torch-jit", module)
    stem = staged.path(files.network.name)
    dims = ",".join(["1", *map(str, files.network.shape)])
    aside = {"pnnxparam": "pnnx.param", "pnnxbin": "pnnx.bin", "pnnxpy": "pnnx.py", "pnnxonnx": "pnnx.onnx",
             "ncnnpy": "ncnn.py"}  # fmt: skip
    kept = {"ncnnparam": "ncnn.param", "ncnnbin": "ncnn.bin"}
    command = [pathlib.Path(pnnx.__file__).parent / "pnnx", files.script, f"inputshape=[{dims}]", "fp16=0"]
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
    except ExportError as error:
        print(error, file=sys.stderr)
        return making.NO_NETWORK
    out, sys.stdout = sys.stdout, sys.stderr
    warnings.simplefilter("ignore")
    for batch in map(int, batches.split(",")):
        files = networks.Files(folder, network, batch)
        if not os.path.exists(files.y):
            make_question(files, module)
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
