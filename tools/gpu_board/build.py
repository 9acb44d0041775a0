"""Builds what the other stages run, into build-gpu/."""

import os
import re
import shutil
import time

from . import machine, process
from .output import say

TARGETS = ("seq_cuda", "tests_gpu", "seq_gpu_worker")
HOPPER = "90-real"
LAST_LINES = 40


def run(output, gpu, place, deadline):
    """Why it failed; None where it did not."""
    output.write("build.log", "")
    lack = missing(place)
    if lack:
        return lack
    began = time.monotonic()
    say(f"build: {len(os.sched_getaffinity(0))} cores, at most {deadline.left():.0f} s")
    failure = call(output, configure_command(gpu, place), deadline) or call(output, build_command(), deadline)
    if failure:
        return failure
    say(f"build: done in {time.monotonic() - began:.0f} s")
    return None


def missing(place):
    for name in ("cmake", "ninja", os.environ.get("CXX", "g++")):
        if shutil.which(name) is None:
            return f"there is no {name} on the PATH"
    if place.toolkit is None:
        return why(f"there is no CUDA toolkit {machine.text_of(machine.LEAST_CUDA)} or later: no such nvcc on the PATH, in $CUDA_HOME or in /usr/local/cuda*", place)
    if place.cudnn_include is None or place.cudnn is None:
        return why(f"there is no {machine.LEAST_CUDNN_TEXT}: neither in this Python's packages (pip install nvidia-cudnn-cu13) nor in the CUDA toolkit or /usr", place)
    return None


def why(lack, place):
    return "; ".join([lack, *(note for note in place.notes if "not taken" in note)])


def configure_command(gpu, place):
    architecture = f"{gpu.capability[0]}{gpu.capability[1]}-real" if gpu is not None else HOPPER
    settings = {
        "CMAKE_BUILD_TYPE": "Release",
        "CMAKE_CXX_FLAGS_RELEASE": "-O2 -DNDEBUG",
        "CMAKE_UNITY_BUILD": "ON",
        "CMAKE_UNITY_BUILD_BATCH_SIZE": "8",
        "CMAKE_CUDA_ARCHITECTURES": architecture,
        "CUDAToolkit_ROOT": place.toolkit,
        "SEQ_CUDNN_INCLUDE_DIR": place.cudnn_include,
        "SEQ_CUDNN_LIBRARY": place.cudnn,
        "SEQ_CUDA": "ON",
        "SEQ_ONEDNN": "none",
        "SEQ_TESTS": "ON",
    }
    if machine.PREFIX.is_dir():
        settings["CMAKE_PREFIX_PATH"] = machine.PREFIX
    return ["cmake", "-S", machine.ROOT, "-B", machine.BUILD, "-G", "Ninja", *(f"-D{key}={value}" for key, value in settings.items())]


def build_command():
    return ["cmake", "--build", machine.BUILD, "--target", *TARGETS]


class Progress:
    """Puts every line into the log, and now and then says how far it is."""

    def __init__(self, output):
        self.output, self.said = output, time.monotonic()

    def __call__(self, line):
        self.output.append("build.log", line)
        step = re.match(r"\[(\d+/\d+)", line)
        if step and time.monotonic() - self.said > 10:
            self.said = time.monotonic()
            say(f"build: {step.group(1)}")


def call(output, command, deadline):
    output.append("build.log", " ".join(map(str, command)) + "\n")
    done = process.run(command, deadline.left(), on_line=Progress(output))
    if done.words() is None:
        return None
    lines = [line for line in done.text.splitlines() if not re.match(r"\[\d+/\d+\]", line)]
    print("\n".join(lines[-LAST_LINES:]), flush=True)
    return f"{command[0]} {command[1]}: {done.words()}; build.log has all of it"
