"""The GPU, and what there is to build and run with."""

import ctypes
import dataclasses
import importlib.util
import os
import pathlib
import platform
import re
import shutil
import subprocess
import sys

from peers_board.versions import version

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / "build-gpu"
PREFIX = ROOT / ".deps/gpu_check"


@dataclasses.dataclass(frozen=True)
class Gpu:
    name: str
    memory: int
    capability: tuple
    driver: int  # the CUDA version that the driver serves: 13000 for 13.0

    def text(self):
        major, minor = self.capability
        return (
            f"{self.name}, {self.memory / 2**30:.0f} GiB, compute capability {major}.{minor}, "
            f"driver for CUDA {self.driver // 1000}.{self.driver % 1000 // 10}"
        )


def find_gpu():
    """(Gpu, "") of the first one, or (None, why there is none). As CUDA's driver says: nothing is started on the GPU."""
    try:
        cuda = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return None, "there is no NVIDIA driver (libcuda.so.1) on this machine"
    no_device, count, driver = 100, ctypes.c_int(), ctypes.c_int()
    status = cuda.cuInit(0) or cuda.cuDeviceGetCount(ctypes.byref(count))
    if status == no_device or status == 0 and count.value == 0:
        return None, "the NVIDIA driver shows no GPU (CUDA_VISIBLE_DEVICES may hide it)"
    if status:
        return None, f"CUDA does not start: {error_name(cuda, status)} ({status})"
    cuda.cuDriverGetVersion(ctypes.byref(driver))
    name, memory, values = ctypes.create_string_buffer(256), ctypes.c_size_t(), []
    cuda.cuDeviceGetName(name, len(name), 0)
    cuda.cuDeviceTotalMem_v2(ctypes.byref(memory), 0)
    for attribute in (75, 76):  # CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR and _MINOR
        value = ctypes.c_int()
        cuda.cuDeviceGetAttribute(ctypes.byref(value), attribute, 0)
        values.append(value.value)
    return Gpu(name.value.decode(), memory.value, tuple(values), driver.value), ""


def error_name(cuda, status):
    name = ctypes.c_char_p()
    cuda.cuGetErrorName(status, ctypes.byref(name))
    return name.value.decode() if name.value else "an unknown error"


@dataclasses.dataclass(frozen=True)
class Place:
    """Where things are; None where they are not found."""

    toolkit: pathlib.Path | None  # with bin/nvcc
    cudnn_include: pathlib.Path | None
    cudnn: pathlib.Path | None  # libcudnn.so.9
    libraries: tuple  # folders that the loader is to look in

    def environment(self):
        """What seq's own programs run with: cuDNN's libraries open each other by name."""
        found = dict(os.environ)
        if self.cudnn is not None:
            found["SEQ_CUDNN"] = str(self.cudnn)
        folders = [*map(str, self.libraries), found.get("LD_LIBRARY_PATH", "")]
        found["LD_LIBRARY_PATH"] = os.pathsep.join(filter(None, folders))
        return found


def find_place():
    toolkit = find_toolkit()
    packages = pip_folders()
    roots = [*packages, *filter(None, [toolkit]), pathlib.Path("/usr"), pathlib.Path("/usr/local")]
    include = first(root / folder for root in roots for folder in ("include", "targets/x86_64-linux/include", "include/x86_64-linux-gnu")
                    if (root / folder / "cudnn_backend.h").exists())  # fmt: skip
    library = first(root / folder / "libcudnn.so.9" for root in roots
                    for folder in ("lib", "lib64", "targets/x86_64-linux/lib", "lib/x86_64-linux-gnu")
                    if (root / folder / "libcudnn.so.9").exists())  # fmt: skip
    libraries = []
    if library is not None:
        libraries.append(library.parent)
        # What cuDNN of a package opens lies in packages beside it.
        if any(root in library.parents for root in packages):
            libraries += [root / "lib" for root in packages if (root / "lib").is_dir() and root / "lib" != library.parent]
    # Engines that cuDNN compiles at run time take the toolkit's compiler where no package has it.
    if toolkit is not None and (toolkit / "lib64") not in libraries:
        libraries.append(toolkit / "lib64")
    return Place(toolkit, include, library, tuple(libraries))


def first(paths):
    return next(iter(paths), None)


def find_toolkit():
    named = [os.environ.get(name) for name in ("CUDAToolkit_ROOT", "CUDA_HOME", "CUDA_PATH")]
    on_path = shutil.which("nvcc")
    folders = [pathlib.Path(on_path).resolve().parent.parent] if on_path else []
    folders += [pathlib.Path(name) for name in named if name] + [pathlib.Path("/usr/local/cuda")]
    folders += sorted(pathlib.Path("/usr/local").glob("cuda-*"), reverse=True) + pip_folders()
    return first(folder for folder in folders if (folder / "bin/nvcc").exists())


def pip_folders():
    """The folders of this Python's packages nvidia-...; cuDNN's first."""
    try:
        spec = importlib.util.find_spec("nvidia")
    except (ImportError, ValueError):
        return []
    roots = [pathlib.Path(place) for place in (spec.submodule_search_locations or [])] if spec else []
    folders = [folder for root in roots if root.is_dir() for folder in sorted(root.iterdir()) if folder.is_dir()]
    return sorted(folders, key=lambda folder: folder.name != "cudnn")


def first_line(command, pattern=r".*"):
    try:
        done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return None
    match = re.search(pattern, done.stdout)
    return match.group(0).strip() if match and done.returncode == 0 else None


def versions(gpu, lack, place):
    return {
        "seq": first_line(["git", "-C", ROOT, "describe", "--always", "--dirty"]) or "unknown: no git here",
        "gpu": dataclasses.asdict(gpu) if gpu is not None else lack,
        "driver": first_line(["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]),
        "clocks": first_line(["nvidia-smi", "--query-gpu=clocks.sm,clocks.max.sm,clocks.mem,power.limit,persistence_mode", "--format=csv,noheader"]),
        "nvcc": place.toolkit and first_line([place.toolkit / "bin/nvcc", "--version"], r"release.*"),
        "toolkit": str(place.toolkit),
        "cudnn": str(place.cudnn),
        "g++": first_line([os.environ.get("CXX", "g++"), "--version"]),
        "cmake": first_line(["cmake", "--version"]),
        "ninja": first_line(["ninja", "--version"]),
        "python": platform.python_version(),
        "packages": {name: version(name) for name in ("torch", "torchvision", "triton", "nvidia-cudnn-cu13")},
        "cores": len(os.sched_getaffinity(0)),
        "system": f"{platform.system()} {platform.release()}",
        "interpreter": sys.executable,
    }
