#!/usr/bin/env python3
"""tools/gpu_check without a GPU: the command line, time limits, and what it makes of builds and tests."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time
import unittest
import unittest.mock

sys.dont_write_bytecode = True

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))

from gpu_board import budget, build, command, machine, process, tests, watchdog, workers  # noqa: E402
from quiet import Quiet  # noqa: E402

PROGRAM = ROOT / "tools/gpu_check"


def call(*arguments, **variables):
    return subprocess.run(
        [sys.executable, PROGRAM, *map(str, arguments)], capture_output=True, text=True, env=os.environ | variables
    )


def has_ended(pid):
    """Within 30 s; whoever is its parent may not have asked for its status."""
    until = time.monotonic() + 30
    while time.monotonic() < until:
        try:
            if pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except OSError:
            return True
        time.sleep(0.05)
    return False


class CommandLine(unittest.TestCase):
    def test_wrong_ones_are_status_2(self):
        for arguments in ([], ["--frobnicate", "--out", "x"], ["--out"], ["--out", "x", "--minutes", "0"], ["--out", "x", "--minutes", "soon"]):
            done = call(*arguments)
            self.assertEqual(done.returncode, 2, arguments)
            self.assertIn("gpu_check", done.stderr)

    def test_help_teaches(self):
        done = call("--help")
        self.assertEqual(done.returncode, 0)
        for words in ("--build", "--test", "--bench", "--out", "tools/setup --gpu-check", "77"):
            self.assertIn(words, done.stdout)

    def test_without_a_gpu_it_is_77_with_the_reason_before_anything_is_done(self):
        with tempfile.TemporaryDirectory() as folder:
            for stages in ([], ["--test"], ["--bench"], ["--build", "--test"]):
                began = time.monotonic()
                done = call(*stages, "--out", f"{folder}/out", CUDA_VISIBLE_DEVICES="")
                self.assertEqual(done.returncode, 77, done.stdout + done.stderr)
                self.assertRegex(done.stdout, "there is no GPU to check on: (there is no NVIDIA driver|the NVIDIA driver shows no GPU|CUDA does not start)")
                self.assertFalse(os.path.exists(f"{folder}/out"))
                self.assertLess(time.monotonic() - began, 60)

    def test_stages_and_their_minutes(self):
        options = command.make_parser().parse_args(["--out", "x", "--bench", "--build"])
        self.assertEqual(command.stages_of(options), ["build", "bench"])
        self.assertEqual(command.stages_of(command.make_parser().parse_args(["--out", "x"])), ["build", "test", "bench"])
        self.assertEqual(command.default_minutes(["test"]), 2.5)
        self.assertLess(command.default_minutes(command.STAGES), 10)


class Budgets(unittest.TestCase):
    def test_a_stage_leaves_its_time_to_those_after_it(self):
        now = [100.0]
        whole = budget.Budget(600, {"build": 1, "test": 1, "bench": 2}, lambda: now[0])
        self.assertEqual(whole.begin("build").left(), 150)
        now[0] += 60
        test = whole.begin("test")
        self.assertEqual(test.left(), 180)
        now[0] += 300
        self.assertEqual(test.left(), 0)
        self.assertEqual(whole.begin("bench").left(), 240)

    def test_a_program_ends_with_all_its_children_when_its_time_is_up(self):
        began = time.monotonic()
        done = process.run(["sh", "-c", "echo begun; sleep 100 & sleep 100"], 0.5)
        self.assertLess(time.monotonic() - began, 60)
        self.assertTrue(done.timed_out)
        self.assertEqual(done.text, "begun\n")
        self.assertIn("time was up", done.words())

    def test_a_program_whose_child_left_its_group_is_not_waited_for(self):
        began = time.monotonic()
        with unittest.mock.patch.object(process, "ENDING", 0.5):
            done = process.run(["sh", "-c", "echo begun; setsid sleep 100 & sleep 100"], 0.5)
        self.assertLess(time.monotonic() - began, 60)
        self.assertTrue(done.timed_out)
        self.assertEqual(done.text, "begun\n")

    def test_a_program_that_says_no_more_ends_in_its_time_too(self):
        began = time.monotonic()
        self.assertTrue(process.run(["sh", "-c", "exec >&- 2>&-; exec sleep 100"], 0.5).timed_out)
        self.assertLess(time.monotonic() - began, 60)

    def test_lines_come_whole_and_the_last_one_too(self):
        said = []
        done = process.run(["sh", "-c", "printf 'a\\nb'; sleep 0.2; printf 'c\\n\\nd'"], 60, on_line=said.append)
        self.assertEqual((said, done.text, done.timed_out), (["a\n", "bc\n", "\n", "d"], "a\nbc\n\nd", False))

    def test_no_program_outlives_one_that_is_ended(self):
        script = (
            "import signal, sys; from gpu_board import process; signal.signal(signal.SIGTERM, process.stop)\n"
            "try: process.run(['sh', '-c', 'echo $$; exec sleep 100'], 90, on_line=lambda line: print(line, end='', flush=True))\n"
            "except KeyboardInterrupt: sys.exit(5)"
        )
        with subprocess.Popen(
            [sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, env=os.environ | {"PYTHONPATH": str(ROOT / "tools")}
        ) as parent:
            child = int(parent.stdout.readline())
            parent.terminate()
            self.assertEqual(parent.wait(60), 5)
        self.assertTrue(has_ended(child))

    def test_how_programs_end(self):
        self.assertIsNone(process.run(["true"], 60).words())
        self.assertEqual(process.run(["sh", "-c", "exit 3"], 60).words(), "status 3")
        self.assertEqual(process.run(["sh", "-c", "kill -SEGV $$"], 60).words(), "died of signal 11 (SIGSEGV)")
        self.assertEqual(process.run(["/nowhere/at/all"], 60).status, 127)


HANGS = """
import os, pathlib, subprocess, sys, time
from gpu_board import command, machine, tests
command.GRACE = 0.5
command.machine.find_gpu = lambda: (machine.Gpu("a fake", 1 << 30, (9, 0), 13000), "")
def hang(output, gpu, place, deadline):
    output.write("tests.txt", "so far" + chr(10))
    output.write("tests.json", "")
    # In a session of its own, and orphaned: no group holds it.
    subprocess.run(["setsid", "sh", "-c", f"sleep 1000 & echo $! >{output.path('pid')}"])
    time.sleep(1000)
command.ACTIONS["test"] = hang
sys.argv[1:] = ["--test", "--bench", "--minutes", "0.1", "--out", sys.argv[1]]
sys.exit(command.main())
"""


class Watchdog(unittest.TestCase):
    def test_what_hangs_is_cut_off_with_all_that_it_started(self):
        with tempfile.TemporaryDirectory() as folder:
            began = time.monotonic()
            done = subprocess.run(
                [sys.executable, "-c", HANGS, folder], capture_output=True, text=True, timeout=300, env=os.environ | {"PYTHONPATH": str(ROOT / "tools")}
            )
            self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
            self.assertLess(time.monotonic() - began, 250)
            self.assertIn("test: cut off", done.stdout)
            results = pathlib.Path(folder)
            self.assertTrue((results / "tests.txt").read_text().startswith("so far\n"))
            self.assertIn("comparison", (results / "tests.txt").read_text())
            self.assertIn("a fake", (results / "versions.json").read_text())
            self.assertTrue(has_ended(int((results / "pid").read_text())))

    def test_it_comes_before_ten_minutes(self):
        self.assertLess(command.MOST_MINUTES * 60 + command.GRACE + 2 * watchdog.KILLING + watchdog.SPEAKING, 595)


class Build(Quiet):
    def test_what_lacks_is_said(self):
        everything = machine.Place(pathlib.Path("/cuda"), pathlib.Path("/include"), pathlib.Path("/lib/libcudnn.so.9"), ())
        self.assertIsNone(build.missing(everything))
        self.assertIn("no CUDA toolkit", build.missing(machine.Place(None, None, None, ())))
        self.assertIn("no cuDNN", build.missing(machine.Place(pathlib.Path("/cuda"), None, None, ())))

    def test_it_builds_for_the_gpu_that_is_there_without_onednn(self):
        place = machine.Place(pathlib.Path("/cuda"), pathlib.Path("/include"), pathlib.Path("/lib/libcudnn.so.9"), ())
        words = build.configure_command(machine.Gpu("A100", 1 << 30, (8, 0), 13000), place)
        self.assertIn("-DCMAKE_CUDA_ARCHITECTURES=80-real", words)
        self.assertIn("-DSEQ_ONEDNN=none", words)
        self.assertIn("-DSEQ_CUDNN_LIBRARY=/lib/libcudnn.so.9", words)
        self.assertIn("-DCMAKE_CUDA_ARCHITECTURES=90-real", build.configure_command(None, place))

    def test_libraries_beside_cudnn_are_found_by_the_loader(self):
        place = machine.Place(None, None, pathlib.Path("/p/cudnn/lib/libcudnn.so.9"), (pathlib.Path("/p/cudnn/lib"), pathlib.Path("/p/cu13/lib")))
        found = place.environment()
        self.assertTrue(found["LD_LIBRARY_PATH"].startswith("/p/cudnn/lib:/p/cu13/lib"))
        self.assertEqual(found["SEQ_CUDNN"], "/p/cudnn/lib/libcudnn.so.9")

    def test_nothing_is_kept_outside_of_the_build(self):
        own = machine.Place(None, None, None, ()).environment()
        for env in (own, workers.torch_environment(own)):
            for name in ("XDG_CACHE_HOME", "CUDA_CACHE_PATH", "TORCHINDUCTOR_CACHE_DIR", "TRITON_CACHE_DIR"):
                self.assertTrue(pathlib.Path(env[name]).is_relative_to(machine.BUILD / "cache"), name)

    def test_pytorch_finds_the_driver_where_the_loader_looked_before(self):
        place = machine.Place(None, None, pathlib.Path("/p/cudnn/lib/libcudnn.so.9"), (pathlib.Path("/p/cudnn/lib"),))
        for before in ({"LD_LIBRARY_PATH": "/usr/local/nvidia/lib64"}, {}):
            with unittest.mock.patch.dict(os.environ, before):
                if not before:
                    os.environ.pop("LD_LIBRARY_PATH", None)
                found = workers.torch_environment(place.environment())
            self.assertEqual(found.get("LD_LIBRARY_PATH"), before.get("LD_LIBRARY_PATH"))
            self.assertNotIn("SEQ_CUDNN", found)

    def test_pytorch_is_found_where_this_python_finds_it(self):
        package = self.folder / "torch_of_the_path"
        package.mkdir()
        (package / "__init__.py").touch()
        script = "import gpu_board.workers, torch_of_the_path; print('both')"
        before = os.environ.get("PYTHONPATH", "")
        for path in (str(self.folder), os.pathsep.join(filter(None, ["/nowhere", str(self.folder), before]))):
            with unittest.mock.patch.dict(os.environ, {"PYTHONPATH": path}):
                env = workers.torch_environment(machine.Place(None, None, None, ()).environment())
            found = subprocess.run([sys.executable, "-c", script], cwd=self.folder.parent, env=env, capture_output=True, text=True)
            self.assertEqual(found.stdout, "both\n", found.stderr)
        with unittest.mock.patch.dict(os.environ):
            os.environ.pop("PYTHONPATH", None)
            env = workers.torch_environment(machine.Place(None, None, None, ()).environment())
        self.assertEqual(env["PYTHONPATH"], str(ROOT / "tools"))

    def test_a_failed_command_shows_its_last_words(self):
        failure = build.call(self.output, ["sh", "-c", "echo '[1/2] compiling'; echo it is broken; exit 1"], budget.Deadline(60))
        self.assertIn("status 1", failure)
        self.assertIn("it is broken", self.said.getvalue())
        self.assertIn("[1/2]", self.output.path("build.log").read_text())


FAKE_TESTS = """#!/bin/sh
case "$*" in
  *--properties*) echo '{"deviceName": "a fake"}' ;;
  *--list-test-cases*)
    printf '[doctest] listing all test case names\\n=====\\nnetwork a\\nwell, with a comma\\nit fails\\nit dies\\na GPU without room\\na subset for compute-sanitizer\\n=====\\n[doctest] unskipped\\n' ;;
  *'well? with a comma'*) echo '{"test": "t", "dtype": "f32", "checked": 2, "worst": 1e-7, "allowed": 1e-5, "worst_of": "x", "failed": [], "left_out": 0}' >>"$SEQ_GPU_RESULTS" ;;
  *'it fails'*) echo wrong; exit 1 ;;
  *'it dies'*) kill -SEGV $$ ;;
  *'without room'*) sleep "$SEQ_FAKE_SLEEP" ;;
esac
"""


class Tests(Quiet):
    def fake(self):
        program = self.folder / "tests_gpu"
        program.write_text(FAKE_TESTS)
        program.chmod(0o755)
        return program

    def run_fake(self, seconds=600, sleep="0"):
        os.environ["SEQ_FAKE_SLEEP"] = sleep
        place = machine.Place(self.folder, None, None, ())
        failure = tests.run(self.output, None, place, budget.Deadline(seconds), self.fake())
        lines = [json.loads(line) for line in self.output.path("tests.json").read_text().splitlines()]
        return failure, {line["case"]: line["result"] for line in lines if "case" in line}

    def test_each_case_runs_by_itself_and_one_that_dies_ends_no_other(self):
        failure, results = self.run_fake()
        self.assertEqual(results.pop("compute-sanitizer")[:8], "left out")
        self.assertEqual(results, {
            "network a": "passed", "well, with a comma": "passed", "it fails": "status 1",
            "it dies": "died of signal 11 (SIGSEGV)", "a GPU without room": "passed",
        })  # fmt: skip
        self.assertEqual(failure, "2 cases failed: it fails, it dies")
        text = self.output.path("tests.txt").read_text()
        self.assertIn("wrong", text)
        self.assertRegex(text, r"t +f32 +2 +1.00e-07")
        self.assertEqual(json.loads(self.output.path("device_properties.json").read_text()), {"deviceName": "a fake"})

    def test_what_time_does_not_allow_is_left_out_and_said(self):
        failure, results = self.run_fake(seconds=5)
        self.assertIsNone(failure)
        self.assertEqual(results["network a"], "left out")
        self.assertEqual(results["it fails"], "left out")

    def test_what_the_sanitizer_says(self):
        def verdict(status, text, timed_out=False):
            return tests.verdict(process.Result(status, text, timed_out))

        self.assertEqual(verdict(0, "========= ERROR SUMMARY: 0 errors\n"), "passed")
        self.assertEqual(verdict(99, "========= Invalid read\n========= ERROR SUMMARY: 3 errors\n"), "failed: 3 errors")
        self.assertEqual(verdict(1, "========= Error: Device not supported\n"), "left out: Error: Device not supported")
        self.assertEqual(verdict(-9, "========= COMPUTE-SANITIZER\n", True), "left out: not done in its time")
        self.assertEqual(verdict(1, "========= ERROR SUMMARY: 0 errors\n"), "failed: status 1")
        self.assertTrue(verdict(0, "").startswith("left out"))

    def test_the_sanitizer_looks_at_memory_and_not_at_what_libraries_ask_of_cuda(self):
        sanitizer = self.folder / "compute-sanitizer"
        sanitizer.write_text(f"#!/bin/sh\necho \"$@\" >'{self.folder}/asked'\necho '========= ERROR SUMMARY: 0 errors'\n")
        sanitizer.chmod(0o755)
        with unittest.mock.patch.dict(os.environ, {"PATH": f"{self.folder}:{os.environ['PATH']}"}):
            _, results = self.run_fake()
        self.assertEqual(results["compute-sanitizer"], "passed")
        self.assertIn("--tool memcheck --report-api-errors no", (self.folder / "asked").read_text())

    def test_a_program_that_is_not_there(self):
        self.assertIn("--build makes it", tests.run(self.output, None, machine.Place(None, None, None, ()), budget.Deadline(9), self.folder / "none"))


if __name__ == "__main__":
    unittest.main()
