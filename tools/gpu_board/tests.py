"""Runs the cases of tests_gpu, each in a process of its own, and some of them under compute-sanitizer."""

import concurrent.futures
import json
import os
import re
import shutil
import time

from . import machine, process
from .output import say

PROGRAM = machine.BUILD / "tests_gpu"
SANITIZED = "a subset for compute-sanitizer"
# They take all of the GPU's memory, or break it for those beside them.
ALONE = ("without room", "traps")
# Those where a deadlock is likeliest come first, while there is time to see it, and then those that take longest.
ORDER = ("threads", "network")
ABREAST = 4
SANITIZER_SECONDS = 60
# Of the stage, for what comes after the other cases.
KEPT_BACK = 45
# Seconds that a case has for what it is at when its time is up, before it is ended; for those that come last less is left.
GRACE, LAST_GRACE = 15, 5
# One that is ended hangs where it has been at one thing for so long. Else time was short, and the rest of it is left out.
# Planning a network, or trying all ways to run a layer, may take the longer one; whatever else there is takes less than
# the other.
HANGS, SMALL_HANGS = 90, 25
PLANS_LONG = ("network", "cuDNN's ways")
# How tests_gpu begins the lines that tell what it goes on to, that this is planned and runs, and what has failed
# (tests/gpu/tally.cpp).
AT, RUNS, FAILED = "tests_gpu: at ", "tests_gpu: runs ", "tests_gpu: failed "
# What the sanitizer says where it cannot serve a device, as under virtualisation.
UNSERVED = r"(?i)not supported|unable to (?:initialize|attach|find)|debugger|permission|insufficient|failed to initialize"


def run(output, gpu, place, deadline, program=PROGRAM):
    if not program.exists():
        return f"there is no {program}: --build makes it"
    output.write("tests.txt", "")
    output.write("tests.json", "")
    env = place.environment() | {"SEQ_GPU_RESULTS": str(output.path("tests.json").resolve())}
    write_properties(output, env, program)
    cases = list_cases(env, program)
    if not cases:
        return "tests_gpu lists no cases; tests.txt has what it says"
    say(f"test: {len(cases)} cases, at most {deadline.left():.0f} s")
    suite = Suite(output, env, deadline, program)
    failed = suite.run(cases)
    failed += sanitize(output, env, place, deadline, program)
    summarize(output)
    return f"{len(failed)} cases failed: {', '.join(failed)}" if failed else None


def write_properties(output, env, program):
    done = process.run([program, "--properties"], 60, env)
    if done.status == 0:
        output.write("device_properties.json", done.text)
    else:
        say(f"test: no device properties: {done.text.strip()}")
        output.append("tests.txt", done.text)


def list_cases(env, program):
    done = process.run([program, "--list-test-cases", "--no-skip", "--no-colors"], 60, env)
    lines = [line.strip() for line in done.text.splitlines()]
    return [line for line in lines if line and not line.startswith(("[doctest]", "===", "tests_gpu:")) and line != SANITIZED]


def command_of(program, case):
    # A comma would part two names.
    return [program, f"--test-case={case.replace(',', '?')}", "--no-skip", "--no-colors"]


class Suite:
    def __init__(self, output, env, deadline, program):
        self.output, self.env, self.deadline, self.program = output, env, deadline, program

    def run(self, cases):
        """The names of those that failed."""
        alone = [case for case in cases if any(words in case for words in ALONE)]
        place = {case: next((i for i, word in enumerate(ORDER) if word in case), len(ORDER)) for case in cases}
        together = sorted((case for case in cases if case not in alone), key=place.get)
        cores = len(os.sched_getaffinity(0))
        with concurrent.futures.ThreadPoolExecutor(max(1, min(ABREAST, cores // 2))) as pool:
            failed = [name for name in pool.map(self.run_case, together) if name]
        return failed + [name for name in map(self.run_case, alone) if name]

    def run_case(self, case):
        """Its name where it failed."""
        is_last = any(words in case for words in ALONE)
        grace = LAST_GRACE if is_last else GRACE
        left = self.deadline.left() - (LAST_GRACE if is_last else KEPT_BACK)
        if left <= 0:
            self.report(case, "left out", 0)
            return None
        began, course = time.monotonic(), Course(case)
        done = process.run(command_of(self.program, case), left + grace, self.env | {"SEQ_GPU_SECONDS": f"{left:.0f}"}, on_line=course.follow)
        took = time.monotonic() - began
        has_failed, words = course.verdict(done)
        text = "".join(line for line in done.text.splitlines(keepends=True) if not line.startswith((AT, RUNS)))
        self.output.append("tests.txt", f"==== {case}: {words}, {took:.1f} s\n{text}\n")
        self.report(case, words, took)
        return case if has_failed else None

    def report(self, case, words, took):
        self.output.append("tests.json", json.dumps({"case": case, "result": words, "seconds": round(took, 1)}) + "\n")
        say(f"test: {words}, {took:.1f} s: {case}")


class Course:
    """What a case is at, since when, and whether something failed in it."""

    def __init__(self, case):
        self.planning = HANGS if any(word in case for word in PLANS_LONG) else SMALL_HANGS
        self.has_failed = False
        self.go_on_to("its start", self.planning)

    def go_on_to(self, what, most):
        self.at, self.most, self.since = what, most, time.monotonic()

    def follow(self, line):
        if line.startswith(AT):
            self.go_on_to(line[len(AT):].strip(), self.planning)
        elif line.startswith(RUNS):
            self.go_on_to("running " + line[len(RUNS):].strip(), SMALL_HANGS)
        self.has_failed = self.has_failed or line.startswith(FAILED)

    def verdict(self, done):
        """Once it has ended: whether it failed, and how it ended in words."""
        if not done.timed_out:
            return done.words() is not None, done.words() or "passed"
        spent = time.monotonic() - self.since
        where = f"{self.at}, after {spent:.0f} s of it"
        if spent >= self.most:
            return True, f"hangs: ended at {where}"
        if self.has_failed:
            return True, f"failed, and ended since its time was up, at {where}"
        return False, f"left out: its time was up at {where}"


def sanitize(output, env, place, deadline, program):
    """The names of what failed."""
    folders = [place.toolkit / "bin", place.toolkit / "compute-sanitizer"] if place.toolkit else []
    found = shutil.which("compute-sanitizer") or next((str(folder / "compute-sanitizer") for folder in folders if (folder / "compute-sanitizer").is_file()), None)
    seconds = min(SANITIZER_SECONDS, deadline.left())
    if found is None or seconds < 10:
        words = "left out: " + ("there is no compute-sanitizer here" if found is None else "no time was left")
    else:
        done = process.run(sanitized(found, program), seconds, env | {"SEQ_GPU_SECONDS": f"{seconds - 5:.0f}"})
        output.append("tests.txt", f"==== compute-sanitizer\n{done.text}\n")
        words = verdict(done)
    output.append("tests.json", json.dumps({"case": "compute-sanitizer", "result": words}) + "\n")
    say(f"test: compute-sanitizer: {words}")
    return ["compute-sanitizer"] if words.startswith("failed") else []


def sanitized(sanitizer, program):
    # Of memory alone: libraries ask CUDA for what it may not have, and take its error for the answer.
    return [sanitizer, "--tool", "memcheck", "--report-api-errors", "no", "--error-exitcode", "99", *command_of(program, SANITIZED)]


def verdict(done):
    errors = re.search(r"ERROR SUMMARY: (\d+) error", done.text)
    if errors and int(errors.group(1)):
        return f"failed: {errors.group(1)} errors"
    if done.words() is None:
        return "passed" if errors else "left out: it says nothing of errors"
    own = [line for line in done.text.splitlines() if line.startswith("=========")]
    unserved = next((line for line in own if re.search(UNSERVED, line)), None)
    if unserved:
        return f"left out: {unserved.strip('= ')}"
    if done.timed_out:
        return "left out: not done in its time"
    return f"failed: {done.words()}"


def summarize(output):
    """A table of the comparisons at the end of tests.txt."""
    rows = []
    for line in output.path("tests.json").read_text().splitlines():
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        if "test" in entry:
            worst = entry["worst"] if entry["worst"] is not None else float("inf")
            rows.append(f"{entry['test']:<60} {entry['dtype']:<5} {entry['checked']:>6} {worst:>10.2e} {entry['allowed']:>8.0e} "
                        f"{len(entry['failed']):>6} {entry['left_out']:>8}  {entry['worst_of']}")  # fmt: skip
    head = f"{'comparison':<60} {'dtype':<5} {'number':>6} {'worst':>10} {'allowed':>8} {'failed':>6} {'left out':>8}  worst of"
    table = "\n".join([head, *sorted(rows)]) + "\n"
    output.append("tests.txt", "\n" + table)
    print(table, flush=True)
