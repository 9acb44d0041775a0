#!/usr/bin/env python3
"""Writes a PyTorch module as a seq/1 file and its parameters as safetensors.

  tools/export_torch.py torchvision:resnet50 -o DIR --seed 0
      DIR/resnet50.json and DIR/resnet50.safetensors, for `seqc run DIR/resnet50.json`
  tools/export_torch.py nets.py:cifar -o DIR --input x=N,3,32,32
      the module that the function cifar of nets.py returns
  tools/export_torch.py nets.py:reader -o DIR --input ids=N,16:i64 --input mask=N,16
      two inputs, the first of integers
  tools/export_torch.py nets.py:cifar -o DIR --input x=N,3,32,32 --weights cifar.pt --check
      with trained parameters; seqc's answer is compared with PyTorch's

The module is followed with torch.fx in evaluation mode. Layers of torch.nn, functions such as F.relu and torch.cat and
methods such as x.view become layers of the file; parameters keep the names of the state_dict. What no layer does is
refused, all of it at once, each with the line of Python, and then nothing is written.

Exit status: 0 all is well; 1 the module cannot be expressed, or a file has an error; 2 the command line is wrong.
Needs torch and safetensors: pip install torch safetensors numpy; torchvision for its models.
"""

import argparse
import pathlib
import sys

try:
    import torch
except ImportError:
    torch = None

from torch_export import command_line
from torch_export.errors import ExportError, UsageError


class Parser(argparse.ArgumentParser):
    def error(self, message):
        raise UsageError(message.removeprefix("argument "))


def make_parser():
    parser = Parser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("module", metavar="MODULE", help="torchvision:NAME or FILE.py:FUNCTION")
    parser.add_argument("-o", "--out", type=pathlib.Path, required=True, metavar="DIR", help="the folder to write to")
    parser.add_argument("--name", help="the model's and the files' name, without a folder; by default NAME or FUNCTION")
    parser.add_argument(
        "--input", action="append", default=[], metavar="NAME=DIMS[:DTYPE]",
        help="an input: numbers and symbols, as in x=N,3,32,32 or ids=N,16:i64; once for each argument of forward, by "
        "its name or in order. torchvision's models take N,3,224,224 by default (inception_v3 299), those of clips "
        "N,3,16,112,112 or what else they were made for",
    )  # fmt: skip
    parser.add_argument(
        "--seed", type=int, metavar="INT",
        help="parameters are PyTorch's default initialisation under torch.manual_seed(INT); the running statistics of "
        "batch norms are drawn too (means around 0, variances from 0.5 to 1.5), since the default ones change nothing. "
        "Without --seed and --weights the module is written as it is built",
    )  # fmt: skip
    parser.add_argument(
        "--weights", type=pathlib.Path, metavar="FILE",
        help="a state_dict to load into the module: .safetensors, or .pt or .pth as torch.save writes it",
    )  # fmt: skip
    parser.add_argument(
        "--set", action="append", default=[], metavar="SYMBOL=INT",
        help="a value of a symbol that the module can run at; by default 2 for a batch and 64 otherwise",
    )  # fmt: skip
    parser.add_argument(
        "--rename", action="store_true",
        help="layers of two lists that run in turns (convs.0, norms.0, convs.1, ...) get names of their own "
        "(convs_0, norms_0, ...) in both files, since a container of a model file runs as one piece",
    )  # fmt: skip
    parser.add_argument(
        "--check", action="store_true",
        help="runs seqc ($SEQC, or build/seqc) on a random input and prints the largest difference from PyTorch's "
        "answer, relative to its largest magnitude; more than 1e-4 is an error, and so is NaN or infinity where PyTorch "
        "gives a number, or the other way round. NaN where PyTorch gives NaN agrees. "
        "For inputs of f16 and bf16 it is their epsilon, from PyTorch's answer in f32",
    )  # fmt: skip
    return parser


def main():
    try:
        options = make_parser().parse_args()
        inputs = [command_line.parse_input(text) for text in options.input]
        symbols = command_line.parse_symbols(options.set)
        command_line.check(options)
        if torch is None:
            raise ExportError("PyTorch is not installed: pip install torch safetensors numpy")
        from torch_export.export import export

        export(options, inputs, symbols)
    except UsageError as error:
        print(f"export_torch.py: {error}\nexport_torch.py --help says how", file=sys.stderr)
        return 2
    except (ExportError, OSError) as error:
        of_file = isinstance(error, OSError) and error.filename is not None
        print(f"export_torch.py: {f'{error.filename}: {error.strerror}' if of_file else error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
