"""What the command line says, as far as that can be judged before PyTorch is loaded and the module is built."""

import os
import re

from .errors import ExportError, UsageError

DTYPES = {"f32": "float32", "f16": "float16", "bf16": "bfloat16", "f64": "float64", "i64": "int64", "i32": "int32",
          "i8": "int8", "u8": "uint8", "bool": "bool"}  # fmt: skip
LARGEST_SIZE = 2**31 - 1
LONGEST_FILE_NAME = 255  # bytes, on Linux
WEIGHTS_SUFFIX = ".safetensors"


def parse_input(text):
    """(name, dimensions, dtype) of NAME=DIMS[:DTYPE]."""
    matched = re.fullmatch(r"([A-Za-z_]\w*)=([^:]*)(?::(\w+))?", text, re.ASCII)
    dims = matched.group(2).split(",") if matched else []
    if not matched or not all(re.fullmatch(r"[1-9]\d*|[A-Za-z_]\w*", dim, re.ASCII) for dim in dims):
        raise UsageError(f"--input {text}: expected NAME=DIMS[:DTYPE], as in x=N,3,32,32 or ids=N,16:i64")
    dtype = matched.group(3) or "f32"
    if dtype not in DTYPES:
        raise UsageError(f"--input {text}: no dtype `{dtype}`; there are {', '.join(DTYPES)}")
    return matched.group(1), tuple(_size(dim, f"--input {text}") if dim.isdigit() else dim for dim in dims), dtype


def parse_symbols(texts):
    symbols = {}
    for text in texts:
        matched = re.fullmatch(r"([A-Za-z_]\w*)=([1-9]\d*)", text, re.ASCII)
        if not matched:
            raise UsageError(f"--set {text}: expected SYMBOL=INT, as in L=128")
        if matched.group(1) in symbols:
            raise UsageError(f"--set {text}: {matched.group(1)} has a value already; give it one")
        symbols[matched.group(1)] = _size(matched.group(2), f"--set {text}")
    return symbols


def _size(digits, option):
    if len(digits) > len(str(LARGEST_SIZE)) or int(digits) > LARGEST_SIZE:
        raise UsageError(f"{option}: a size is at most {LARGEST_SIZE}")
    return int(digits)


def check_name(name, option="--name"):
    """Of a model, whose files in the folder are NAME.json and NAME.safetensors."""
    longest = LONGEST_FILE_NAME - len(WEIGHTS_SUFFIX)
    if not name or name.isspace():
        wrong = "is empty"
    elif name in (".", ".."):
        wrong = "means a folder"
    elif "/" in name:
        wrong = "holds a slash, and the folder is what -o names"
    elif not name.isprintable():
        wrong = "holds what cannot be printed"
    elif len(name.encode()) > longest:
        wrong = f"is too long: {longest} bytes leave room for {WEIGHTS_SUFFIX}"
    else:
        return
    shown = ascii(name if len(name) <= 40 else f"{name[:40]}...")
    raise UsageError(f"{option} {shown} {wrong}; NAME.json and NAME{WEIGHTS_SUFFIX} are written, so give a plain name, as in --name net")


def check_folder(folder):
    """Whether files can come to lie in it; it is made later, where it is not there."""
    there = next(path for path in (folder, *folder.absolute().parents) if os.path.lexists(path))
    if not there.is_dir():
        raise ExportError(f"-o {folder}: {there} is no folder; name one that is, or one that is not there yet")
    if not os.access(there, os.W_OK | os.X_OK):
        raise ExportError(f"-o {folder}: {there} may not be written to; name another folder")


def check(options):
    """Raises UsageError, or ExportError for what is not there or cannot be written."""
    if options.name is not None:
        check_name(options.name)
    if options.seed is not None and options.weights is not None:
        raise UsageError("--seed draws parameters and --weights loads them: give one of the two")
    if options.seed is not None and not -(2**63) <= options.seed < 2**64:
        raise UsageError(f"--seed {options.seed}: PyTorch takes seeds from -2^63 to 2^64 - 1")
    if options.weights is not None and not options.weights.is_file():
        raise ExportError(f"--weights {options.weights}: there is no such file")
    check_folder(options.out)
