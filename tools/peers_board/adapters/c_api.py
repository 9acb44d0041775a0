"""What the adapters share that call an engine's C API, from the library in its wheel."""

import array
import ctypes
import glob
import importlib.util
import math
import os

Pointer = ctypes.c_void_p
ALIGNMENT = 64


def library(package, pattern):
    """Without importing the package, which would cost time and memory that a C program does not spend."""
    spec = importlib.util.find_spec(package)
    if spec is None:
        raise ModuleNotFoundError(f"No module named '{package}'")
    found = sorted(glob.glob(os.path.join(spec.submodule_search_locations[0], pattern)))
    if not found:
        raise FileNotFoundError(f"{package} has no {pattern}")
    return ctypes.CDLL(found[0])


class Memory:
    """Aligned numbers of a shape: f32, all zero, or these values."""

    def __init__(self, shape, values=None):
        self.code = "f" if values is None else values.typecode
        self.shape, self.size = shape, array.array(self.code).itemsize * math.prod(shape)
        self.dims = (ctypes.c_int64 * len(shape))(*shape)
        self._block = ctypes.create_string_buffer(self.size + ALIGNMENT)
        self.address = -(-ctypes.addressof(self._block) // ALIGNMENT) * ALIGNMENT
        if values is not None:
            ctypes.memmove(self.address, values.buffer_info()[0], self.size)

    def values(self):
        return self.shape, array.array(self.code, ctypes.string_at(self.address, self.size))
