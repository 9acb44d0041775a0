#!/usr/bin/env python3
"""Makes tests/data/goldens_more: PyTorch's answers for single layers with odd sizes and options.

Each module of tools/goldens names a family and gives CASES, a list of (name, layer, input shapes or tensors), where
`layer` is an object of a seq/1 file. For a type that torch.nn lacks a family says in LAYERS, a dict from the type to a
function of its options, what computes it: {"Swish2": lambda beta=1.0: lambda x: x * torch.sigmoid(beta * x)}. For each family there are <family>.json, the list of its cases, and
<family>.safetensors with <case>/in.0, <case>/out.0 and <case>/weight and so on.

Also makes tests/data/torch_signatures.json: the constructor arguments of torch.nn's layers and their defaults.

Needs torch and safetensors: pip install torch safetensors numpy
"""

import argparse
import importlib
import inspect
import json
import pathlib
import re
import sys

try:
    import torch
    from safetensors.torch import save_file
except ImportError as error:
    torch = error

FAMILIES = ["convolution", "conv_transpose", "pool", "norm", "linear", "activation", "softmax", "reshape", "pad",
            "upsample", "shuffle", "embedding", "arithmetic", "join", "reduce", "matmul"]
ROOT = pathlib.Path(__file__).resolve().parent


def make_module(layer, own):
    """The torch.nn module of a layer, or what the family's LAYERS make of a type that torch.nn lacks."""
    options = {key: tuple(value) if isinstance(value, list) else value for key, value in layer.items() if key != "type"}
    make = own.get(layer["type"]) or getattr(torch.nn, layer["type"])
    return make(**options)


def randomize(module, generator):
    """Parameters of every sign, running statistics that are no identity, variances above 0."""
    for name, tensor in module.state_dict().items():
        if not tensor.is_floating_point():
            continue
        values = torch.randn(tensor.shape, generator=generator)
        tensor.copy_(values.abs() + 0.5 if name.endswith("running_var") else values * 0.5)


def make_input(given, generator):
    return given if isinstance(given, torch.Tensor) else torch.randn(given, generator=generator)


def make_family(name, out):
    family = importlib.import_module(name)
    make = getattr(family, "make_module", lambda layer: make_module(layer, getattr(family, "LAYERS", {})))
    cases, tensors = [], {}
    for index, (case, layer, inputs) in enumerate(family.CASES):
        generator = torch.Generator().manual_seed(1000 + index)
        module = make(layer)
        if isinstance(module, torch.nn.Module):
            module.eval()
            randomize(module, generator)
        inputs = [make_input(given, generator) for given in inputs]
        with torch.no_grad():
            outputs = module(*[tensor.clone() for tensor in inputs])
        outputs = [outputs] if isinstance(outputs, torch.Tensor) else list(outputs)
        for i, tensor in enumerate(inputs):
            tensors[f"{case}/in.{i}"] = tensor.contiguous().clone()
        for i, tensor in enumerate(outputs):
            tensors[f"{case}/out.{i}"] = tensor.contiguous().clone()
        parameters = module.state_dict() if isinstance(module, torch.nn.Module) else {}
        for key, tensor in parameters.items():
            if tensor.is_floating_point():
                tensors[f"{case}/{key}"] = tensor.contiguous().clone()
        cases.append({"name": case, "inputs": len(inputs), "outputs": len(outputs), "layer": layer})
    lines = ",\n  ".join(json.dumps(case) for case in cases)
    (out / f"{name}.json").write_text(f"[\n  {lines}\n]\n")
    save_file(tensors, out / f"{name}.safetensors")
    (out / f"{name}.safetensors").chmod(0o644)
    print(f"{name}: {len(cases)} cases")


def signature(kind):
    """The arguments in order; a required one has no default."""
    arguments = []
    for name, parameter in inspect.signature(getattr(torch.nn, kind).__init__).parameters.items():
        variadic = parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
        if variadic or name in ("self", "device", "dtype", "min_value", "max_value") or name.startswith("_"):
            continue
        required = parameter.default is parameter.empty
        arguments.append({"name": name} if required else {"name": name, "default": parameter.default})
    return arguments


def make_signatures(path):
    """Of the layers of op_list.def that torch.nn has."""
    ops = re.findall(r"^SEQ_OP\((\w+)\)", (ROOT.parent / "graph/op_list.def").read_text(), re.MULTILINE)
    kinds = [op for op in ops if hasattr(torch.nn, op)]
    lines = ",\n  ".join(f"{json.dumps(kind)}: {json.dumps(signature(kind))}" for kind in kinds)
    path.write_text(f"{{\n  {lines}\n}}\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("families", nargs="*", default=FAMILIES, metavar="FAMILY", help=", ".join(FAMILIES))
    parser.add_argument("-o", "--out", type=pathlib.Path, default=ROOT.parent / "tests/data/goldens_more")
    arguments = parser.parse_args()
    if unknown := [family for family in arguments.families if family not in FAMILIES]:
        parser.error(f"there is no family {unknown[0]}; there are {', '.join(FAMILIES)}")
    if isinstance(torch, ImportError):
        sys.exit(f"make_goldens.py: {torch}; it needs pip install torch safetensors numpy")
    sys.path.insert(0, str(ROOT / "goldens"))
    arguments.out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(0)
    for family in arguments.families:
        make_family(family, arguments.out)
    make_signatures(arguments.out.parent / "torch_signatures.json")


if __name__ == "__main__":
    main()
