"""Writes the .npy and .npz files beside it with NumPy. Each holds 0, 1, 2, ... in row-major order."""
import pathlib

import numpy as np

here = pathlib.Path(__file__).parent


def count(shape, dtype):
    return np.arange(int(np.prod(shape)), dtype="i8").reshape(shape).astype(dtype)


for dtype in ["<f4", "<f2", "<f8", "<i8", "<i4", "|i1", "|u1", ">f4", ">f2", ">f8", ">i8", ">i4"]:
    name = ("big_" if dtype[0] == ">" else "") + dtype[1:]
    np.save(here / f"{name}.npy", count((2, 3, 4), dtype))
np.save(here / "bool.npy", count((2, 3), "i4") % 2 == 1)
np.save(here / "fortran.npy", np.asfortranarray(count((2, 3, 4), "<f4")))
np.save(here / "big_fortran.npy", np.asfortranarray(count((3, 5), ">i4")))
np.save(here / "scalar.npy", np.float32(7))
np.save(here / "vector.npy", count((5,), "<f4"))
np.save(here / "empty.npy", count((2, 0, 3), "<f4"))
for version in [(2, 0), (3, 0)]:
    with open(here / f"version{version[0]}.npy", "wb") as file:
        np.lib.format.write_array(file, count((2, 3), "<f4"), version=version)
np.save(here / "object.npy", np.array([1, "a"], dtype=object), allow_pickle=True)
np.save(here / "structured.npy", np.zeros(2, dtype=[("a", "<f4"), ("b", "<i4")]))
np.save(here / "complex.npy", count((2,), "<c8"))
arrays = {"layer.weight": count((2, 3), "<f4"), "layer.bias": count((2,), ">f8"), "order": np.asfortranarray(count((3, 4), "<i8")),
          "scalar": np.float16(3)}
np.savez(here / "stored.npz", **arrays)
np.savez_compressed(here / "deflated.npz", **arrays)
