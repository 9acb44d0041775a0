"""The networks' files, made once and kept under .cache/peers/networks."""

import hashlib
import json
import pathlib
import shutil
import subprocess

from . import networks
from .environment import CACHE, HERE, ROOT
from .errors import UsageError

# make_network's exit status where there is no such network, or it does not run.
NO_NETWORK = 3

# A change of these makes the networks anew.
SOURCES = ("nets.py", "make_network.py")


def key(versions):
    """What the files of all networks depend on."""
    used = {name: version for name, version in sorted(versions.items()) if name not in ("seq", "matplotlib")}
    digest = hashlib.sha256(json.dumps(used).encode() + repr((networks.SEED, networks.NETWORKS)).encode())
    exporter = sorted((ROOT / "tools/torch_export").glob("*.py"))
    for path in [*(HERE / name for name in SOURCES), ROOT / "tools/export_torch.py", *exporter]:
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def folder_of(versions):
    """The folder of these versions; those of others are removed."""
    folder = CACHE / "networks" / key(versions)
    for other in folder.parent.glob("*"):
        if other != folder:
            shutil.rmtree(other, ignore_errors=True)
    return folder


def make(python, env, folder, network, batches, peers):
    """Makes what is missing. Returns {(peer, batch): reason} for what could not be made; a UsageError where there is no
    such network."""
    folder = folder / network.folder
    folder.mkdir(parents=True, exist_ok=True)
    if all(_there(networks.Files(str(folder), network, batch), peers) for batch in batches):
        return {}
    done = subprocess.run(
        [python, "-m", "peers_board.make_network", folder, network.argument or network.name, ",".join(map(str, batches)), ",".join(peers)],
        env=env, capture_output=True, text=True,
    )  # fmt: skip
    reports = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    failed = {(report["peer"], report["batch"]): report["error"] for report in reports if report["error"]}
    words = [line for line in done.stderr.splitlines() if line.strip()]
    if done.returncode == NO_NETWORK:
        if not any(folder.iterdir()):
            folder.rmdir()
        raise UsageError(f"--net {network.argument or network.name}: {words[-1]}")
    if done.returncode != 0:
        reason = f"it cannot be made: {words[-1] if words else f'status {done.returncode}'}"
        reported = {(report["peer"], report["batch"]) for report in reports}
        failed |= {(peer, batch): reason for peer in peers for batch in batches if (peer, batch) not in reported}
    return failed


def _there(files, peers):
    needed = [files.x, files.y] + [files.of(peer) for peer in peers if networks.unsuitable(peer, files.network, files.batch) is None]
    return all(pathlib.Path(path).exists() for path in needed)


def files(folder, network, batch):
    return networks.Files(str(folder / network.folder), network, batch)
