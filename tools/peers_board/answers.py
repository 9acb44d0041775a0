"""Reads .npy files of numbers and compares answers, with the standard library alone.

An answer of several outputs is as many files: y.npy, y.npy.1, y.npy.2, ..."""

import array
import ast
import math
import os
import sys

TOLERANCE = 1e-3
_CODES = {"<f4": "f", "<i4": "i", "<i8": "q"}


def _read_head(file, path):
    head = file.read(8)
    if head[:6] != b"\x93NUMPY":
        raise ValueError(f"{path}: no .npy file")
    size = int.from_bytes(file.read(2 if head[6] == 1 else 4), "little")
    header = ast.literal_eval(file.read(size).decode("latin-1"))
    if header["descr"] not in _CODES or header["fortran_order"] and len(header["shape"]) > 1:
        raise ValueError(f"{path}: expected f32, i32 or i64 in rows, and it is {header['descr']}")
    return tuple(header["shape"]), _CODES[header["descr"]]


def read_shape(path):
    with open(path, "rb") as file:
        return _read_head(file, path)[0]


def read_npy(path):
    """(shape, values) of a little-endian array of f32, i32 or i64."""
    with open(path, "rb") as file:
        shape, code = _read_head(file, path)
        values = array.array(code, file.read())
    if sys.byteorder == "big":
        values.byteswap()
    return shape, values


def write_npy(path, shape, values):
    header = str({"descr": "<f4", "fortran_order": False, "shape": shape}).encode("latin-1")
    header += b" " * (-(len(header) + 11) % 64) + b"\n"
    with open(path, "wb") as file:
        file.write(b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + values.tobytes())


def part(path, index):
    """The file of an output."""
    return f"{path}.{index}" if index else str(path)


def parts(path):
    """The files of all outputs that are there."""
    count = 1
    while os.path.exists(part(path, count)):
        count += 1
    return [part(path, index) for index in range(count)]


def read_parts(path):
    """The values of all outputs."""
    return [read_npy(file)[1] for file in parts(path)]


def write_parts(path, outputs):
    """`outputs`: (shape, array of f32) of each."""
    for index, (shape, values) in enumerate(outputs):
        write_npy(part(path, index), shape, values)


def largest_difference(answer, expected):
    """Of all outputs, each relative to its own largest expected magnitude."""
    if len(answer) != len(expected):
        raise ValueError(f"the answer has {len(answer)} outputs, and {len(expected)} are expected")
    return max(map(difference, answer, expected))


def difference(answer, expected):
    """The largest difference, relative to the largest expected magnitude. NaN where NaN is expected and the same
    infinity agree; infinite where an answer is not finite and a number is expected, or the other way round."""
    if len(answer) != len(expected):
        raise ValueError(f"the answer has {len(answer)} numbers, and {len(expected)} are expected")
    apart = 0.0
    for a, b in zip(answer, expected):
        if a == b or (math.isnan(a) and math.isnan(b)):
            continue
        if not (math.isfinite(a) and math.isfinite(b)):
            return math.inf
        apart = max(apart, abs(a - b))
    return apart / max(max((abs(b) for b in expected if math.isfinite(b)), default=0.0), 1e-30)
