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
    """The path of the Python to use; installs one where none is given and none is there."""
    if given is None:
        return str(install(CACHE / "environment"))
    found = shutil.which(given)
    if found is None:
        raise BoardError(f"{given}: no such Python")
    return os.path.abspath(found)


def install(folder):
    python, stamp = folder / "bin/python", folder / "installed"
    wanted = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()
    if python.exists() and stamp.exists() and stamp.read_text() == wanted:
        return python
    print(f"installing the peers into {folder} (several GB: PyTorch's wheel brings CUDA along)", file=sys.stderr)
    folder.parent.mkdir(parents=True, exist_ok=True)
    _call([sys.executable, "-m", "venv", "--clear", folder], "making a virtual environment", "apt-get install python3-venv")
    _call(
        [python, "-m", "pip", "install", "--disable-pip-version-check", "--only-binary", ":all:", "-r", REQUIREMENTS],
        "installing the peers",
        "--python PATH takes a Python that has what it needs of " + str(REQUIREMENTS.relative_to(ROOT)),
    )
    stamp.write_text(wanted)
    return python


def build_seq_worker():
    """The path of seq's worker, built from the sources that are here."""
    _call([ROOT / "tools/build", "seq_worker"], "building seq_worker", "tools/setup installs what it is built from")
    return str(ROOT / "build/seq_worker")


def _call(command, what, hint):
    """What the command prints goes to standard error, since standard output is for the board."""
    try:
        status = subprocess.run([str(word) for word in command], stdout=sys.stderr).returncode
    except OSError as error:
        raise BoardError(f"{what} failed: {error}\n{hint}") from error
    if status != 0:
        raise BoardError(f"{what} failed with status {status}\n{hint}")
