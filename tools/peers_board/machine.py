"""What machine this is, and the versions of all that is measured."""

import json
import os
import pathlib
import platform
import re
import subprocess

FLAGS = ("avx", "avx2", "fma", "f16c", "avx_vnni", "avx512f", "avx512bw", "avx512vl", "avx512_vnni", "avx512_bf16",
         "avx512_fp16", "amx_tile", "amx_bf16", "amx_int8", "asimd", "sve", "bf16")  # fmt: skip


def cores():
    """Those that this process may use."""
    return len(os.sched_getaffinity(0))


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
    found = json.loads(done.stdout) if done.returncode == 0 else {}
    commit = subprocess.run(["git", "-C", str(root), "describe", "--always", "--dirty"], capture_output=True, text=True)
    return {"seq": commit.stdout.strip() or "unknown"} | found
