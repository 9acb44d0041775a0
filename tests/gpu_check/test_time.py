#!/usr/bin/env python3
"""tools/gpu_check ends in its time: the bench by itself, and all else with what ends it."""

import contextlib
import io
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import unittest.mock

sys.dont_write_bytecode = True

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))

from gpu_board import bench, budget, command, machine, process, tests, workers  # noqa: E402
from gpu_board.output import Output  # noqa: E402

# Both stop answering where SEQ_FAKE_HANGS says.
FAKE_SEQ = f"""#!{sys.executable}
import array, os, sys, time
sys.path.insert(0, {str(ROOT / "tools")!r})
from peers_board import answers
def hang(what):
    if os.environ["SEQ_FAKE_HANGS"] == "seq " + what:
        time.sleep(1000)
hang("start")
print("ready 1 1", flush=True)
for line in sys.stdin:
    do, _, rest = line.strip().partition(" ")
    hang(do)
    if do in ("time", "flow"):
        print("times 1 1000000 1000000", flush=True)
    elif do == "write":
        answers.write_npy(rest, (1, 2), array.array("f", [1, 2]))
        print("written", flush=True)
    elif do == "weights":
        open(rest, "w").close()
        print("written", flush=True)
    elif do == "plan":
        print("plan {{}}", flush=True)
hang("end")
"""
FAKE_TORCH = f"""
import array, json, os, sys, time
sys.path.insert(0, {str(ROOT / "tools")!r})
from peers_board import answers
def hang(what):
    if os.environ["SEQ_FAKE_HANGS"] == "torch " + what:
        time.sleep(1000)
hang("start")
print(json.dumps({{"ready": "a fake"}}), flush=True)
for line in sys.stdin:
    request = json.loads(line)
    hang(request["do"])
    hang(request["do"] + " " + request["id"])
    if request["do"] == "write":
        answers.write_npy(request["path"], (1, 2), array.array("f", [1, 2]))
    print(json.dumps({{"seconds": 0.1, "repeats": 1, "times": [1000000]}}), flush=True)
hang("end")
"""
CASE = ("resnet50", "tf32", 1)


class BenchEnds(unittest.TestCase):
    """With fakes of both workers, which answer at once or never."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        hidden = contextlib.redirect_stdout(io.StringIO())
        hidden.__enter__()
        self.addCleanup(hidden.__exit__, None, None, None)
        self.program, torch = self.folder / "seq", self.folder / "torch"
        self.program.write_text(FAKE_SEQ)
        torch.write_text(FAKE_TORCH)
        self.program.chmod(0o755)
        torch_command = [sys.executable, str(torch)]
        for target, name, value in (
            (bench, "LEAST", 0.1),
            (workers.TorchWorker, "command", lambda _, device: torch_command),
        ):
            patch = unittest.mock.patch.object(target, name, value)
            patch.start()
            self.addCleanup(patch.stop)

    def run_to_the_end(self, hangs, seconds, case=CASE):
        """As run_board; again where the machine was too slow for it."""
        for _ in range(3):
            found = self.run_board(hangs, seconds, case)
            if not found[0].left_out:
                break
        return found

    def run_board(self, hangs, seconds, case=CASE):
        """The board, what it found wrong, and the seconds that it took beyond its time."""
        env = os.environ | {"SEQ_FAKE_HANGS": hangs}
        folder = pathlib.Path(tempfile.mkdtemp(dir=self.folder))
        until = time.monotonic() + seconds
        board = bench.Board(Output(folder / "out"), env, folder, budget.Deadline(seconds), "cpu", self.program, True, (3, 2, 2))
        failure = board.run([case])
        board.close()
        return board, failure, time.monotonic() - until

    def test_nothing_that_hangs_holds_the_bench_beyond_its_time(self):
        for hangs in ("seq start", "seq weights", "seq write", "seq time", "seq plan", "torch write", "torch flow"):
            with self.subTest(hangs):
                board, failure, over = self.run_board(hangs, 3)
                self.assertLess(over, 20)  # their own limits are 40 s and more
                self.assertIsNone(failure)
                self.assertEqual(board.left_out, [list(CASE)])
                self.assertEqual(board.results, {})
                self.assertIn("left out: resnet50 tf32 1", board.output.path("bench.txt").read_text())

    def test_a_pytorch_that_does_not_load_leaves_seq_some_time(self):
        for hangs in ("torch start", "torch load", "torch load truth"):
            with self.subTest(hangs):
                board, failure, over = self.run_to_the_end(hangs, 6)
                self.assertLess(over, 20)
                self.assertIsNone(failure)
                self.assertIn("flow", board.results[CASE]["peers"]["seq"])
                self.assertEqual(board.left_out, [])

    def test_a_goal_is_measured_before_torch_compile_takes_the_time(self):
        goal = ("resnet50", "f16", 1)
        board, failure, _ = self.run_to_the_end("torch load torch-compile", 6, goal)
        self.assertIsNone(failure)
        self.assertEqual(list(board.results[goal]["peers"]), ["seq", "torch-eager", "torch-graph"])
        self.assertIn("resnet50 f16 1: torch.compile is left out: no time was left", board.output.path("bench.txt").read_text())

    def test_what_hangs_when_all_is_measured_takes_nothing_away(self):
        board, failure, over = self.run_to_the_end("torch drop torch-eager", 5)
        self.assertLess(over, 20)
        self.assertIsNone(failure)
        self.assertEqual((list(board.results), board.left_out), ([CASE], []))

    def test_workers_that_do_not_end_are_ended_when_time_is_up(self):
        began = time.monotonic()
        for worker in (workers.TorchWorker(os.environ | {"SEQ_FAKE_HANGS": "torch end"}, budget.Deadline(0)) for _ in range(4)):
            worker.stop()
        self.assertLess(time.monotonic() - began, 15)  # at 5 s each they would take 20

    def test_one_that_hangs_with_time_left_has_failed(self):
        with unittest.mock.patch.object(bench, "TUNE_MOST", 0.5), unittest.mock.patch.object(bench, "LOAD_MOST", 0.5):
            board, failure, _ = self.run_board("seq start", 600)
        self.assertEqual(failure, "resnet50 tf32 1: it fails")
        self.assertEqual(board.left_out, [])


# A case is at what SEQ_FAKE_COURSE says, line by line; its time is told as to tests_gpu.
FAKE_TESTS = """#!/bin/sh
case "$*" in
  *--properties*) exit 1 ;;
  *--list-test-cases*) echo "network slow"; echo "a GPU without room"; exit 0 ;;
  *'network slow'*) ;;
  *) [ -z "$SEQ_FAKE_LAST" ] || exec sleep 1000; exit 0 ;;
esac
echo "$SEQ_GPU_SECONDS" >"$SEQ_FAKE_TOLD"
printf "$SEQ_FAKE_COURSE"
exec sleep 1000
"""


class CasesEnd(unittest.TestCase):
    """With a tests_gpu whose first case looks at no clock."""

    def run_cases(self, course, hangs, last="", small_hangs=None):
        """As run_once; again where the machine was too slow for it."""
        for _ in range(3):
            found = self.run_once(course, hangs, last, small_hangs)
            if "left out" not in found[0].values():
                break
        return found

    def run_once(self, course, hangs, last, small_hangs):
        """The result of each case, what the stage calls failed, and what tests.txt says; in 10 s, of which 6 are kept back."""
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        program, output = pathlib.Path(folder.name) / "tests_gpu", Output(pathlib.Path(folder.name) / "out")
        program.write_text(FAKE_TESTS)
        program.chmod(0o755)
        told = pathlib.Path(folder.name) / "told"
        run, deadline = process.run, budget.Deadline(10)

        def run_within(command, seconds, *others, **more):
            if "--test-case" in str(command[1]):
                self.assertLessEqual(seconds, deadline.left() + 0.9)
            return run(command, seconds, *others, **more)

        patches = {"KEPT_BACK": 6, "GRACE": 2, "LAST_GRACE": 1, "HANGS": hangs, "SMALL_HANGS": small_hangs or hangs}
        with contextlib.ExitStack() as stack:
            for name, value in patches.items():
                stack.enter_context(unittest.mock.patch.object(tests, name, value))
            stack.enter_context(unittest.mock.patch.dict(os.environ, {"SEQ_FAKE_COURSE": course, "SEQ_FAKE_LAST": last, "SEQ_FAKE_TOLD": str(told)}))
            stack.enter_context(contextlib.redirect_stdout(io.StringIO()))
            stack.enter_context(unittest.mock.patch.object(process, "run", run_within))
            failure = tests.run(output, None, machine.Place(pathlib.Path(folder.name), None, None, ()), deadline, program)
        if told.exists():
            self.assertLessEqual(float(told.read_text()), 4)
        entries = [json.loads(line) for line in output.path("tests.json").read_text().splitlines()]
        return {entry["case"]: entry["result"] for entry in entries}, failure, output.path("tests.txt").read_text()

    def test_a_case_that_time_was_too_short_for_is_left_out(self):
        results, failure, text = self.run_cases("tests_gpu: at network slow, f32\\ntests_gpu: at network slow, f16\\n", 10000)
        self.assertRegex(results["network slow"], r"^left out: its time was up at network slow, f16, after \d+ s of it$")
        self.assertEqual(results["a GPU without room"], "passed")
        self.assertIsNone(failure)
        self.assertNotIn("tests_gpu: at", text)

    def test_one_that_has_been_at_one_thing_for_long_hangs(self):
        results, failure, _ = self.run_cases("tests_gpu: at network slow, f32\\n", 1)
        self.assertRegex(results["network slow"], r"^hangs: ended at network slow, f32, after \d+ s of it$")
        self.assertEqual(failure, "1 cases failed: network slow")
        results, failure, _ = self.run_cases("", 1)
        self.assertRegex(results["network slow"], "^hangs: ended at its start")
        self.assertEqual(failure, "1 cases failed: network slow")

    def test_what_is_small_hangs_sooner_and_so_does_a_network_that_runs(self):
        course = "tests_gpu: at network slow, f32\\ntests_gpu: runs network slow, f32\\n"
        results, failure, text = self.run_cases(course, 10000, last="hangs", small_hangs=1)
        self.assertRegex(results["network slow"], r"^hangs: ended at running network slow, f32, after \d+ s of it$")
        self.assertRegex(results["a GPU without room"], "^hangs: ended at its start")
        self.assertEqual(failure, "2 cases failed: network slow, a GPU without room")
        self.assertNotIn("tests_gpu: runs", text)
        results, _, _ = self.run_cases(course + "tests_gpu: at network slow, its references\\n", 10000, small_hangs=1)
        self.assertRegex(results["network slow"], "^left out: its time was up at network slow, its references")

    def test_a_deadlock_has_the_time_to_be_seen(self):
        longest = max(tests.HANGS, tests.SMALL_HANGS)
        self.assertGreater(command.SHARES["test"] - tests.KEPT_BACK + tests.GRACE, longest)
        self.assertGreater(tests.KEPT_BACK - tests.GRACE, tests.SMALL_HANGS)

    def test_cases_with_threads_come_first_and_then_networks(self):
        suite, ran = tests.Suite(None, {}, budget.Deadline(60), None), []
        with unittest.mock.patch.object(suite, "run_case", ran.append), unittest.mock.patch.object(os, "sched_getaffinity", lambda _: {0}):
            suite.run(["traps", "goldens", "network a", "several threads", "network b", "a GPU without room"])
        self.assertEqual(ran, ["several threads", "network a", "network b", "goldens", "traps", "a GPU without room"])

    def test_what_failed_before_it_was_left_out_has_failed(self):
        results, failure, text = self.run_cases("tests_gpu: at a\\ntests_gpu: failed a\\ntests_gpu: at b\\n", 10000)
        self.assertRegex(results["network slow"], "^failed, and ended since its time was up, at b,")
        self.assertEqual(failure, "1 cases failed: network slow")
        self.assertIn("tests_gpu: failed a", text)

    def test_the_last_ones_take_no_time_of_the_next_stage(self):
        results, failure, _ = self.run_cases("", 10000, last="hangs")  # run_once looks at what each may take
        self.assertRegex(results["a GPU without room"], "^left out: its time was up at its start,")
        self.assertIsNone(failure)


CUT_OFF = """
import pathlib, sys, threading
from gpu_board import bench, command, output, process, watchdog
bench.SCRATCH = pathlib.Path(sys.argv[1]) / "inputs and answers"
bench.SCRATCH.mkdir()
(bench.SCRATCH / "x.f32").write_text("of a batch")
progress = command.Progress()
progress.stage, progress.output = "bench", output.Output(pathlib.Path(sys.argv[1]))
progress.output.write("bench.txt", "so far")
watchdog.start(2, progress.cut_off)
"""
SPEAKS = """
while True:
    output.say("x" * 60000)
"""
STARTS = """
import time
summary = progress.cut_off
progress.cut_off = lambda: (time.sleep(0.5), summary())  # as a summary takes
watchdog.start(1, lambda: progress.cut_off())
def run():
    while True:
        process.run(["sleep", sys.argv[2]], 1000)
for _ in range(8):
    threading.Thread(target=run, daemon=True).start()
run()
"""
WRITES = """
progress.output.path("timing_cache.json.12-0.tmp").write_text("what a worker had begun to write")
while True:
    progress.output.write("bench.json", "x" * (1 << 26))
"""


def processes_of(word):
    found = []
    for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            if path.read_bytes().split(b"\0")[1:2] == [word.encode()]:
                found.append(int(path.parent.name))
    return found


class CutOff(unittest.TestCase):
    def run_script(self, script, *arguments, **options):
        """Its folder, once it has ended with status 1."""
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        command = [sys.executable, "-c", CUT_OFF + script, folder.name, *arguments]
        with subprocess.Popen(command, env=os.environ | {"PYTHONPATH": str(ROOT / "tools")}, **options) as process:
            try:
                self.assertEqual(process.wait(120), 1)
            finally:
                process.kill()
        return pathlib.Path(folder.name)

    def test_it_ends_though_nobody_takes_what_it_says(self):
        read, write = os.pipe()
        self.addCleanup(os.close, read)
        self.addCleanup(os.close, write)
        folder = self.run_script(SPEAKS, stdout=write)
        self.assertEqual(os.listdir(folder), ["bench.txt"])

    def test_nothing_is_left_that_others_start_meanwhile(self):
        word = f"86399.{os.getpid()}"
        try:
            self.run_script(STARTS, word, stdout=subprocess.DEVNULL)
            left = processes_of(word)
        finally:
            for pid in processes_of(word):
                os.kill(pid, 9)
        self.assertEqual(left, [])

    def test_no_draft_is_left(self):
        folder = self.run_script(WRITES, stdout=subprocess.DEVNULL)
        self.assertEqual(sorted(os.listdir(folder)), ["bench.json", "bench.txt"])

    def test_one_that_writes_for_long_writes_nothing_more_once_another_has_taken_over(self):
        with tempfile.TemporaryDirectory() as folder:
            output = Output(pathlib.Path(folder))
            writes, goes_on = threading.Event(), threading.Event()

            def write():
                with output.writing:
                    writes.set()
                    goes_on.wait()
                output.write("bench.json", "late")

            writer = threading.Thread(target=write, daemon=True)
            writer.start()
            writes.wait()
            output.take_over()
            goes_on.set()
            writer.join(1)
            self.assertTrue(writer.is_alive())
            self.assertEqual(os.listdir(folder), [])


if __name__ == "__main__":
    unittest.main()
