"""Reads .npy files of f32 and compares answers, with the standard library alone."""

import array
import ast
import math
import sys

TOLERANCE = 1e-3


def _read_head(file, path):
    head = file.read(8)
    if head[:6] != b"\x93NUMPY":
        raise ValueError(f"{path}: no .npy file")
    size = int.from_bytes(file.read(2 if head[6] == 1 else 4), "little")
    header = ast.literal_eval(file.read(size).decode("latin-1"))
    if header["descr"] != "<f4" or header["fortran_order"] and len(header["shape"]) > 1:
        raise ValueError(f"{path}: expected f32 in rows, and it is {header['descr']}")
    return tuple(header["shape"])


def read_shape(path):
    with open(path, "rb") as file:
        return _read_head(file, path)


def read_npy(path):
    """(shape, values) of a little-endian f32 array."""
    with open(path, "rb") as file:
        shape = _read_head(file, path)
        values = array.array("f", file.read())
    if sys.byteorder == "big":
        values.byteswap()
    return shape, values


def write_npy(path, shape, values):
    header = str({"descr": "<f4", "fortran_order": False, "shape": shape}).encode("latin-1")
    header += b" " * (-(len(header) + 11) % 64) + b"\n"
    with open(path, "wb") as file:
        file.write(b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + values.tobytes())


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
