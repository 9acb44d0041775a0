"""What machine this is, and the versions of all that is measured."""

import json
import math
import os
import pathlib
import platform
import re
import subprocess

FLAGS = ("avx", "avx2", "fma", "f16c", "avx_vnni", "avx512f", "avx512bw", "avx512vl", "avx512_vnni", "avx512_bf16",
         "avx512_fp16", "amx_tile", "amx_bf16", "amx_int8", "asimd", "sve", "bf16")  # fmt: skip


def cores():
    """For how many this process may use, by its affinity and by what its control groups leave, in whole ones."""
    usable = len(os.sched_getaffinity(0))
    return max(1, int(min([usable, *map(quota, control_groups())])))


def control_groups(root="/"):
    """The folders with the limits on the processor's time, of the process's own group and of those around it, as
    kernels/cpu/control_group finds them."""
    folders, mounted = [], pathlib.Path(root, "sys/fs/cgroup")
    try:
        lines = pathlib.Path(root, "proc/self/cgroup").read_text().splitlines()
    except OSError:
        return []
    for line in lines:
        _, controllers, group = (line.split(":", 2) + ["", ""])[:3]
        if not controllers:
            mounts = [mounted, mounted / "unified"]
        else:
            mounts = [mounted / controllers, mounted / "cpu"] if "cpu" in controllers.split(",") else []
        group = pathlib.PurePosixPath(os.path.normpath("/" + group.lstrip("/"))).relative_to("/")
        folders += [mount / path for mount in mounts for path in (group, *group.parents)]
    return folders


def quota(folder):
    """Processors' time that a group leaves; infinity where it sets no limit."""
    try:
        if (folder / "cpu.max").exists():
            words = (folder / "cpu.max").read_text().split()
        else:
            words = [(folder / f"cpu.cfs_{name}_us").read_text() for name in ("quota", "period")]
        time, period = map(int, words)
    except (OSError, ValueError):  # "max 100000"
        return math.inf
    return time / period if time > 0 and period > 0 else math.inf


def describe():
    text = pathlib.Path("/proc/cpuinfo").read_text()
    model = re.search(r"^(?:model name|CPU part)\s*:\s*(.*)$", text, re.M)
    flags = re.search(r"^(?:flags|Features)\s*:\s*(.*)$", text, re.M)
    present = set(flags.group(1).split()) if flags else set()
    memory = int(re.search(r"MemTotal:\s+(\d+)", pathlib.Path("/proc/meminfo").read_text()).group(1))
    return {
        "cpu": model.group(1) if model else platform.processor() or platform.machine(),
        "cores": cores(),
        "cores_of_machine": os.cpu_count(),
        "isa": [flag for flag in FLAGS if flag in present],
        "caches": caches(),
        "memory_gib": round(memory / 2**20, 1),
        "virtual": "hypervisor" in present,
        "system": f"{platform.system()} {platform.release()}",
    }


def caches():
    found = {}
    for index in sorted(pathlib.Path("/sys/devices/system/cpu/cpu0/cache").glob("index*")):
        try:
            level, kind, size = ((index / name).read_text().strip() for name in ("level", "type", "size"))
        except OSError:
            continue
        if kind != "Instruction":
            found[f"L{level}"] = size
    return found


def versions(python, env, root):
    """Of the peers' packages, of seq and of the commit that is checked out."""
    done = subprocess.run([python, "-m", "peers_board.versions"], env=env, capture_output=True, text=True)
    try:
        found = json.loads(done.stdout)
    except ValueError:  # what ran is no Python
        found = {}
    commit = subprocess.run(["git", "-C", str(root), "describe", "--always", "--dirty"], capture_output=True, text=True)
    return {"seq": commit.stdout.strip() or "unknown"} | found
