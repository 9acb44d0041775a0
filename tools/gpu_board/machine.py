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
# What seq, CUDA's driver, and PyTorch's compilers keep from run to run is kept here, and not in the home directory.
CACHE = BUILD / "cache"
CACHES = {"XDG_CACHE_HOME": "", "CUDA_CACHE_PATH": "cuda", "TORCHINDUCTOR_CACHE_DIR": "torchinductor", "TRITON_CACHE_DIR": "triton"}
LEAST_CUDA = (13, 0)
# The first with the descriptor of a GPU's properties.
LEAST_CUDNN = (9, 11)
LEAST_CUDNN_TEXT = f"cuDNN {LEAST_CUDNN[0]}.{LEAST_CUDNN[1]} or later for CUDA {LEAST_CUDA[0]}"
LOCAL = "/usr/local"
SYSTEM = ("/usr", LOCAL)


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
    notes: tuple = ()  # what was taken, and why not the others

    def environment(self):
        """What seq's own programs run with: cuDNN's libraries open each other by name."""
        found = dict(os.environ) | {name: str(CACHE / folder) for name, folder in CACHES.items()}
        if self.cudnn is not None:
            found["SEQ_CUDNN"] = str(self.cudnn)
        folders = [*map(str, self.libraries), found.get("LD_LIBRARY_PATH", "")]
        found["LD_LIBRARY_PATH"] = os.pathsep.join(filter(None, folders))
        return found


def find_place():
    notes = []
    toolkit = find_toolkit(notes)
    packages = pip_folders()
    include, library = find_cudnn([*packages, *filter(None, [toolkit]), *map(pathlib.Path, SYSTEM)], notes)
    libraries = []
    if library is not None:
        libraries.append(library.parent)
        # What cuDNN of a package opens lies in packages beside it.
        if any(root in library.parents for root in packages):
            libraries += [root / "lib" for root in packages if (root / "lib").is_dir() and root / "lib" != library.parent]
    # Engines that cuDNN compiles at run time take the toolkit's compiler where no package has it.
    if toolkit is not None and (toolkit / "lib64") not in libraries:
        libraries.append(toolkit / "lib64")
    return Place(toolkit, include, library, tuple(libraries), tuple(notes))


def first(paths):
    return next(iter(paths), None)


def find_toolkit(notes):
    """The newest that is new enough, and of several the one that is found first."""
    versions = {}
    for folder in toolkit_folders():
        if (folder / "bin/nvcc").exists():
            versions.setdefault(folder.resolve(), (folder, toolkit_version(folder)))
    found = list(versions.values())
    chosen = max((one for one in found if one[1] >= LEAST_CUDA), key=lambda one: one[1], default=None)
    for folder, number in found:
        words = text_of(number) if number > (0,) else "of no version that its nvcc tells"
        if chosen is None:
            notes.append(f"the CUDA toolkit in {folder} is not taken: it is {words}, and {text_of(LEAST_CUDA)} or later is needed")
        elif folder == chosen[0]:
            notes.append(f"CUDA toolkit: {words}, in {folder}")
        else:
            notes.append(f"the CUDA toolkit in {folder} is not taken: it is {words}")
    return chosen and chosen[0]


def toolkit_folders():
    on_path = shutil.which("nvcc")
    named = [os.environ.get(name) for name in ("CUDAToolkit_ROOT", "CUDA_HOME", "CUDA_PATH")]
    local = pathlib.Path(LOCAL)
    return [
        *([pathlib.Path(on_path).resolve().parent.parent] if on_path else []),
        *(pathlib.Path(name) for name in named if name),
        local / "cuda", *sorted(local.glob("cuda-*"), reverse=True), *pip_folders(),
    ]  # fmt: skip


def toolkit_version(folder):
    """(13, 0); (0,) where nvcc does not say."""
    found = re.search(r"release (\d+)\.(\d+)", first_line([folder / "bin/nvcc", "--version"], r"release.*") or "")
    return tuple(map(int, found.groups())) if found else (0,)


def text_of(number):
    return ".".join(map(str, number))


@dataclasses.dataclass(frozen=True)
class Cudnn:
    """cuda: 12 or 13; None where it does not say. version: (9, 19), the older one of header and library; None where neither says."""

    include: pathlib.Path
    library: pathlib.Path
    cuda: int | None
    version: tuple | None

    def text(self):
        version = text_of(self.version) if self.version else "of no version that it tells"
        return f"{version}, for {f'CUDA {self.cuda}' if self.cuda else 'a CUDA that it does not tell'}"

    def fits(self):
        return self.cuda in (LEAST_CUDA[0], None) and (self.version is None or self.version >= LEAST_CUDNN)


def find_cudnn(roots, notes):
    """(include, libcudnn.so.9) of the first root that has both for this CUDA and new enough, else of the first that does not say."""
    found = []
    for root in roots:
        include = first(root / folder for folder in ("include", "targets/x86_64-linux/include", "include/x86_64-linux-gnu")
                        if (root / folder / "cudnn_backend.h").exists())  # fmt: skip
        library = first(root / folder / "libcudnn.so.9" for folder in ("lib", "lib64", "targets/x86_64-linux/lib", "lib/x86_64-linux-gnu")
                        if (root / folder / "libcudnn.so.9").exists())  # fmt: skip
        if include and library:
            if not any(one.library.resolve() == library.resolve() for one in found):
                found.append(cudnn_of(include, library))
        elif include or library:
            notes.append(f"cuDNN in {root} is not taken: it has no {'libcudnn.so.9' if include else 'cudnn_backend.h'}")
    chosen = first(sorted(filter(Cudnn.fits, found), key=lambda one: (one.cuda is None, one.version is None)))
    for one in found:
        if one is chosen:
            notes.append(f"cuDNN: {one.text()}, {one.library}")
        else:
            why = f", and {LEAST_CUDNN_TEXT} is needed" if not one.fits() else ", as the one that is" if one.cuda == chosen.cuda else ""
            notes.append(f"the cuDNN in {one.library} is not taken: it is {one.text()}{why}")
    return (chosen.include, chosen.library) if chosen else (None, None)


def cudnn_of(include, library):
    version, cuda = told_by(library)
    versions = list(filter(None, [version, header_version(include)]))
    return Cudnn(include, library, cuda, min(versions) if versions else None)


def header_version(include):
    """(9, 19); None where there is no such header."""
    try:
        text = (include / "cudnn_version.h").read_text(errors="replace")
    except OSError:
        return None
    parts = [re.search(rf"#define CUDNN_{name} (\d+)", text) for name in ("MAJOR", "MINOR")]
    return tuple(int(part.group(1)) for part in parts) if all(parts) else None


def told_by(library):
    """A cuDNN's (9, 19) and the CUDA that it was made for, 12 or 13; (None, None) where it does not say."""
    program = "import ctypes, sys; cudnn = ctypes.CDLL(sys.argv[1]); print(cudnn.cudnnGetVersion(), cudnn.cudnnGetCudartVersion())"
    said = first_line([sys.executable, "-c", program, library], r"\d+ \d+$")
    if not said:
        return None, None
    version, cuda = map(int, said.split())
    return (version // 10000, version // 100 % 100), cuda // 1000


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
        "choices": list(place.notes),
        "g++": first_line([os.environ.get("CXX", "g++"), "--version"]),
        "cmake": first_line(["cmake", "--version"]),
        "ninja": first_line(["ninja", "--version"]),
        "python": platform.python_version(),
        "packages": {name: version(name) for name in ("torch", "torchvision", "triton", "nvidia-cudnn-cu13")},
        "cores": len(os.sched_getaffinity(0)),
        "system": f"{platform.system()} {platform.release()}",
        "interpreter": sys.executable,
    }
