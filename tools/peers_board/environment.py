"""The Python that has the peers: one of its own under .cache/peers, or one that is given."""

import hashlib
import os
import pathlib
import shutil
import subprocess
import sys

from .errors import BoardError

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
CACHE = ROOT / ".cache/peers"
REQUIREMENTS = HERE / "requirements.txt"


def find_python(given):
    """The path of the Python to use: the one that is given, or the one that was installed; None where there is none."""
    if given is None:
        python = CACHE / "environment/bin/python"
        return str(python) if is_installed(CACHE / "environment") else None
    found = shutil.which(given)
    if found is None:
        raise BoardError(f"--python {given}: no such Python; it (or $SEQ_PEERS_PYTHON) names a program")
    return os.path.abspath(found)


def find_seq_worker(given):
    if not (os.path.isfile(given) and os.access(given, os.X_OK)):
        raise BoardError(f"--seq-worker {given}: no program; tools/build seq_worker makes build/seq_worker")
    return os.path.abspath(given)


def wanted():
    """What stands in an environment where it is installed."""
    return hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()


def is_installed(folder):
    stamp = folder / "installed"
    return (folder / "bin/python").exists() and stamp.exists() and stamp.read_text() == wanted()


def install(folder=CACHE / "environment"):
    """The path of the Python that has the peers from then on."""
    python = folder / "bin/python"
    print(f"installing the peers into {folder} (several GB: PyTorch's wheel brings CUDA along)", file=sys.stderr)
    folder.parent.mkdir(parents=True, exist_ok=True)
    _call([sys.executable, "-m", "venv", "--clear", folder], "making a virtual environment", "apt-get install python3-venv")
    _call(
        [python, "-m", "pip", "install", "--disable-pip-version-check", "--only-binary", ":all:", "-r", REQUIREMENTS],
        "installing the peers",
        "--python PATH takes a Python that has what it needs of " + str(REQUIREMENTS.relative_to(ROOT)),
    )
    (folder / "installed").write_text(wanted())
    return str(python)


def build_seq_worker():
    """The path of seq's worker, built from the sources that are here."""
    _call([ROOT / "tools/build", "seq_worker"], "building seq_worker", "tools/setup installs what it is built from")
    return str(ROOT / "build/seq_worker")


def build_rtneural_worker(sources):
    """The path of RTNeural's worker, built from the RTNeural that lies in the folder `sources`."""
    _call(
        [ROOT / "tools/build", "rtneural_worker"], "building rtneural_worker",
        "it needs modules/json and modules/Eigen of RTNeural's repository",
        {"SEQ_CMAKE_ARGS": f"-DSEQ_RTNEURAL={os.path.abspath(sources)}"},
    )  # fmt: skip
    return str(ROOT / "build/rtneural_worker")


def build_loop():
    """The path of native_loop.c as a library."""
    compiler = next(filter(None, map(shutil.which, ("cc", "gcc", "clang"))), None)
    if compiler is None:
        raise BoardError("there is no C compiler: tools/setup installs one")
    source, target = HERE / "native_loop.c", CACHE / "native_loop.so"
    if not target.exists() or target.stat().st_mtime < source.stat().st_mtime:
        CACHE.mkdir(parents=True, exist_ok=True)
        _call([compiler, "-O2", "-shared", "-fPIC", source, "-o", target], "compiling native_loop.c", "it is a few lines of C")
    return str(target)


def _call(command, what, hint, variables=None):
    """What the command prints goes to standard error, since standard output is for the board."""
    try:
        status = subprocess.run([str(word) for word in command], stdout=2, env=os.environ | (variables or {})).returncode
    except OSError as error:
        raise BoardError(f"{what} failed: {error}\n{hint}") from error
    if status != 0:
        raise BoardError(f"{what} failed with status {status}\n{hint}")
