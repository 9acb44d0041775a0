"""What is asked for, as far as it can be judged before gigabytes are installed, seq is built and networks are made."""

import difflib
import json
import pathlib
import re
import subprocess
import symtable
import tempfile

from . import client, environment, machine, networks, torchvision_models
from .errors import BoardError, UsageError

# Of RTNeural's repository, submodules included.
RTNEURAL_FILES = ("RTNeural/RTNeural.h", "modules/json/json.hpp", "modules/Eigen/Eigen")
# What makes the networks and their right answers, whatever the peers are.
NEEDED = ("numpy", "torch", "safetensors")
# A file that uses one of these may define functions that its text does not show.
DYNAMIC = {"__getattr__", "exec", "eval", "globals", "vars", "setattr"}


def check(options):
    """Raises UsageError or BoardError; `options` are complete."""
    found = [networks.find(name) for name in options.networks]
    for network in found:
        check_function(network)
    if options.python is None:
        check_models(found, torchvision_models.NAMES)
    else:
        python = environment.find_python(options.python)
        check_python(python, client.environment(environment.ROOT / "tools"), found)
    if options.seq_worker is not None:
        environment.find_seq_worker(options.seq_worker)
    if "rtneural" in options.peers:
        check_rtneural(options.rtneural)
    if options.out is not None:
        check_folder(options.out)


def contradictions(options):
    """Refuses options that would change nothing beside others; `options` are as they were given."""
    if options.render is not None:
        measuring = ("net", "batch", "threads", "peers", "rounds", "seconds", "cold_runs", "out", "rtneural", "seq_worker")
        given = [key for key in measuring if getattr(options, key) is not None] + ["quick"] * options.quick
        given += ["dtype"] * (options.dtype != "f32")
        if given:
            flags = {"out": "-o", "cold_runs": "--cold"}
            flag = flags.get(given[0], "--" + given[0].replace("_", "-"))
            raise UsageError(f"{flag}: --render measures nothing and takes --picture and --python alone; leave {flag} out")
    if options.peers is None:
        return
    peers = {word for text in options.peers for word in text.split(",")}
    for option, given, peer in (("--seq-worker", options.seq_worker, "seq"), ("--rtneural", options.rtneural, "rtneural")):
        if given is not None and peer not in peers:
            raise UsageError(f"{option}: {peer} is not among --peers; add it there, or leave {option} out")


def check_function(network):
    """Of another Python file: that the file has such a function, as far as its text says."""
    if not network.argument or network.source == "torchvision":
        return
    path, name = pathlib.Path(network.source), network.module.rpartition(":")[2]
    try:
        table = symtable.symtable(path.read_text(encoding="utf-8"), str(path), "exec")
    except (SyntaxError, ValueError) as error:
        line = f":{error.lineno}" if getattr(error, "lineno", None) else ""
        raise BoardError(f"--net {network.argument}: {path}{line}: {error.args[0]}") from error
    names = set(table.get_identifiers())
    unseen = names & DYNAMIC or re.search(r"\bimport\s*\*", path.read_text(encoding="utf-8"))
    if name not in names and not unseen:
        raise UsageError(f"--net {network.argument}: {path} defines no `{name}`{_guess(name, names)}")


def check_rtneural(folder):
    for name in RTNEURAL_FILES:
        if not (pathlib.Path(folder) / name).exists():
            raise BoardError(
                f"--rtneural {folder}: there is no {name} in it; it (or $SEQ_RTNEURAL) names a clone of RTNeural's "
                "repository, its submodules included"
            )


def check_folder(folder):
    """Makes the folder of the board, and tries it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise BoardError(f"-o {folder}: {error.strerror}; name a folder that can be written to") from error


def check_python(python, env, found):
    """Whether a Python that is given has what makes these networks."""
    versions = machine.versions(python, env, environment.ROOT)
    if "python" not in versions:
        raise BoardError(f"--python {python}: it is no Python, or too old a one; name one of 3.10 or later")
    of_torchvision = any(network.source == "torchvision" for network in found)
    needed = [*NEEDED, "torchvision"] if of_torchvision else NEEDED
    lacking = [name for name in needed if versions.get(name) is None]
    if lacking:
        raise BoardError(
            f"--python {python}: it lacks {', '.join(lacking)}, which the networks are made with; {python} -m pip install "
            f"{' '.join(lacking)}, or leave --python out"
        )
    if any(network.argument and network.source == "torchvision" for network in found):
        check_models(found, models_of(python, env))


def check_models(asked, models):
    """Whether torchvision, which has these models, has what is asked for of it."""
    for network in asked:
        name = network.module.rpartition(":")[2]
        if network.argument and network.source == "torchvision" and name not in models:
            raise UsageError(f"--net {network.argument}: torchvision has no model `{name}`{_guess(name, models)}")


def models_of(python, env):
    """The names of the models that its torchvision has."""
    done = subprocess.run(
        [python, "-c", "import json, torchvision; print(json.dumps(torchvision.models.list_models()))"],
        env=env, capture_output=True, text=True,
    )  # fmt: skip
    if done.returncode != 0:
        said = done.stderr.strip().splitlines()
        raise BoardError(f"{python} cannot load torchvision: {said[-1] if said else f'status {done.returncode}'}")
    return json.loads(done.stdout.splitlines()[-1])


def _guess(name, names):
    near = difflib.get_close_matches(name, names, 1)
    return f"; did you mean {near[0]}?" if near else ""
