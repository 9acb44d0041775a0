"""The command line of tools/gpu_check."""

import argparse
import pathlib
import signal
import sys
import time

from . import bench, build, machine, process, tests, watchdog
from .budget import Budget
from .output import START, Output, say

NO_GPU = 77
STAGES = ("build", "test", "bench")
# Seconds that a stage takes at most where nothing else is said; what one leaves, the next ones have.
SHARES = {"build": 210, "test": 150, "bench": 240}
MOST_MINUTES = 9.5
# Seconds after its minutes at which all that still runs is ended.
GRACE = 15
ACTIONS = {"build": build.run, "test": tests.run, "bench": bench.run}

DESCRIPTION = """\
Builds seq for the GPU of this machine, tests it there against the reference, and times it beside PyTorch. In under ten
minutes, from a checkout alone: without a network, apt or oneDNN.

  tools/gpu_check --out DIR           all of it
  tools/gpu_check --build --out DIR   builds into build-gpu/, with or without a GPU; --test and --bench then find it
  tools/gpu_check --test --out DIR    each op, each network and cuDNN's ways to run some layers against the reference;
                                      captured runs against those at once, bit for bit; streams, memory, failures;
                                      compute-sanitizer
  tools/gpu_check --bench --out DIR   resnet50, vgg16 and mobilenet_v2 at batch 1, 32 and 128 in each dtype, beside
                                      PyTorch where this Python has torch and torchvision

It needs python3, the CUDA toolkit (13.0 or later), cuDNN 9.11 or later for CUDA 13 (in the toolkit, or this Python's
nvidia-cudnn-cu13), cmake, ninja and g++. Headers and libraries of fmt and the like are the system's, or those of .deps/gpu_check, which
`tools/setup --gpu-check` fills on a machine with a network; carry that folder along.

DIR takes at most eight files, written as results come: versions.json, device_properties.json (what cuDNN says of the GPU, by
which plans are made without one), build.log, tests.json (a line for each comparison), tests.txt, bench.json, bench.txt and
timing_cache.json. A stage leaves out what its time does not allow, and says so; what hangs is ended, and has failed.
"""
EPILOG = """\
Exit status: 0 all that was tried is well; 1 something failed, which the files say; 2 the command line is wrong; 77 there is no GPU, with the reason.
"""


def make_parser():
    parser = argparse.ArgumentParser(
        prog="gpu_check", description=DESCRIPTION, epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for stage in STAGES:
        parser.add_argument(f"--{stage}", action="store_true", help=f"the {stage} alone; all three where none is named")
    parser.add_argument("--out", type=pathlib.Path, required=True, metavar="DIR", help="the folder that takes the results")
    parser.add_argument(
        "--minutes", type=float, metavar="M",
        help=f"how long all that is asked for may take ({SHARES['build'] / 60:g}, {SHARES['test'] / 60:g} and {SHARES['bench'] / 60:g} "
        f"for the stages, {MOST_MINUTES:g} together): with more the bench leaves less out; what still runs {GRACE} s later is ended",
    )  # fmt: skip
    return parser


def stages_of(options):
    return [stage for stage in STAGES if getattr(options, stage)] or list(STAGES)


def default_minutes(stages):
    return min(MOST_MINUTES, sum(SHARES[stage] for stage in stages) / 60)


class Progress:
    """What is being done, for who ends it."""

    stage, output = "finding the GPU", None

    def cut_off(self):
        # The files first: nobody may take what is said.
        if self.output is not None:
            self.output.take_over()
        if self.stage == "test":
            tests.summarize(self.output)
        if self.stage == "bench":
            bench.remove_scratch()
        say(f"{self.stage}: cut off, since the time of all was up; what there is until then is in the files")


def run(stages, out, minutes, progress):
    """The exit status. Everything that can be done is tried, though a stage before it failed."""
    budget = Budget(minutes * 60, {stage: SHARES[stage] for stage in stages})
    gpu, lack = machine.find_gpu()
    if gpu is None and stages != ["build"]:
        say(f"there is no GPU to check on: {lack}")
        return NO_GPU
    output = Output(out)
    progress.output = output
    place = machine.find_place()
    for note in place.notes:
        say(note)
    versions = machine.versions(gpu, lack, place)
    output.write_json("versions.json", versions)
    say(gpu.text() if gpu is not None else f"no GPU ({lack}): building alone")
    status = 0
    for stage in stages:
        progress.stage = stage
        failure = ACTIONS[stage](output, gpu, place, budget.begin(stage))
        if failure:
            say(f"{stage}: {failure}")
            status = 1
            if stage == "build":
                break
    say(f"results are in {out}")
    return status


def main():
    options = make_parser().parse_args()
    stages = stages_of(options)
    minutes = options.minutes if options.minutes is not None else default_minutes(stages)
    if not 0 < minutes < 24 * 60:
        print("gpu_check: --minutes is a number above 0", file=sys.stderr)
        return 2
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, process.stop)
    try:
        progress = Progress()
        guard = watchdog.start(START + minutes * 60 + GRACE - time.monotonic(), progress.cut_off)
        status = run(stages, options.out, minutes, progress)
        guard.cancel()
        return status
    except OSError as error:
        say(f"{error.filename}: {error.strerror}" if error.filename else str(error))
        return 1
    except KeyboardInterrupt:
        say("stopped; what there is until then is in the files")
        return 130
