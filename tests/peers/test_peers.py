#!/usr/bin/env python3
"""tools/peers without peers: figures, order of rounds, cases with fake workers, the report, the command line."""

import contextlib
import io
import json
import math
import os
import re
import sys
import unittest
from unittest import mock

sys.dont_write_bytecode = True

from support import Temporary, fake, npy  # noqa: E402

from peers_board import answers, board, case, checks, cold, command, environment, figures, machine  # noqa: E402
from peers_board import networks, quiet, report, torchvision_models  # noqa: E402


class FakeLaunch:
    """Starts a fake worker in place of each peer, behaving as it is told."""

    def __init__(self, answer, behaviours=None, answers_of=None, dtype="f32"):
        self.answer, self.behaviours, self.answers_of = answer, behaviours or {}, answers_of or {}
        self.dtype = dtype
        self.plans = []

    def worker(self, peer, files, threads, tune="fast", plan=None):
        if plan:
            self.plans.append(plan.exists())
        return fake(self.behaviours.get(peer, "well"), self.answers_of.get(peer, self.answer))


class Figures(unittest.TestCase):
    def test_each_peer_comes_first_equally_often(self):
        peers = ["a", "b", "c"]
        rounds = [figures.order(peers, number) for number in range(6)]
        self.assertEqual([sorted(turn) for turn in rounds], [peers] * 6)
        self.assertEqual(rounds[:3], [["a", "b", "c"], ["b", "c", "a"], ["c", "a", "b"]])
        self.assertEqual(sorted(turn[0] for turn in rounds), ["a", "a", "b", "b", "c", "c"])
        before = {turn[turn.index("b") - 1] for turn in rounds if turn.index("b")}
        self.assertEqual(before, {"a", "c"})
        self.assertEqual(figures.order([], 3), [])

    def test_percentiles(self):
        values = [(value, 1) for value in range(1, 101)]
        self.assertEqual([figures.percentile(values, share) for share in (0, 0.5, 0.9, 1)], [1, 50, 90, 100])
        self.assertEqual(figures.percentile([(1, 1), (2, 9)], 0.5), 2)
        self.assertEqual(figures.median([3]), 3)
        self.assertEqual(figures.median([5, 1, 3]), 3)
        with self.assertRaises(ValueError):
            figures.percentile([], 0.5)

    def test_rounds_weigh_the_same(self):
        fast, slow = (1, [1_000_000] * 90), (1, [3_000_000] * 5)
        found = figures.summarize([fast, slow, slow])
        self.assertEqual((found["median_ms"], found["p90_ms"], found["min_ms"]), (3.0, 3.0, 1.0))
        self.assertEqual(found["round_medians_ms"], [1.0, 3.0, 3.0])
        self.assertEqual((found["samples"], found["runs"]), (100, 100))

    def test_a_sample_of_many_runs(self):
        found = figures.summarize([(500, [50_000, 100_000])])
        self.assertEqual((found["median_ms"], found["p90_ms"], found["runs"]), (0.0001, 0.0002, 1000))

    def test_ratio_to_the_best_peer_that_is_right(self):
        def result(median, agrees=True):
            return {"median_ms": median, "round_medians_ms": [median, 2 * median], "agrees": agrees}

        results = {"seq": result(2), "openvino": result(3), "ncnn": result(1, agrees=False), "torch-jit": {"error": "x"}}
        found = figures.compare(results)
        self.assertEqual((found["best_peer"], found["ratio"], found["ratio_quartiles"]), ("openvino", 1.5, [1.5, 1.5]))
        results["seq"]["agrees"] = False
        self.assertIsNone(figures.compare(results)["ratio"])
        self.assertEqual(figures.compare({"seq": result(2)}), {"best_peer": None, "ratio": None})

    def test_who_stands_beside_is_no_best_peer(self):
        def result(median):
            return {"median_ms": median, "round_medians_ms": [median], "agrees": True}

        found = figures.compare({"seq": result(2), "openvino": result(3), "rtneural": result(1)})
        self.assertEqual((found["best_peer"], found["ratio"]), ("openvino", 1.5))
        self.assertIsNone(networks.unsuitable("rtneural", networks.BY_NAME["mlp"], 1))
        self.assertIn("one sample", networks.unsuitable("rtneural", networks.BY_NAME["mlp"], 8))
        self.assertIn("MLPs alone", networks.unsuitable("rtneural", networks.BY_NAME["cifar"], 1))

    def test_geometric_mean(self):
        self.assertAlmostEqual(figures.geometric_mean([0.5, 2, 8]), 2)
        self.assertIsNone(figures.geometric_mean([]))


class Cases(Temporary):
    def setUp(self):
        super().setUp()
        self.files = networks.Files(str(self.folder), networks.BY_NAME["mlp"], 8)
        self.right = npy(self.files.y, [1, 2])
        self.wrong = npy(self.folder / "wrong.npy", [1, 3])

    def measure(self, **launch):
        peers = ["seq", "onnxruntime", "openvino", "ncnn", "torch-jit"]
        return case.measure(FakeLaunch(self.right, **launch), self.files, 1, peers, 3, 10)

    def test_a_peer_that_fails_does_not_stop_the_others(self):
        behaviours = {"openvino": "dies", "torch-jit": "no-start"}
        found = self.measure(behaviours=behaviours, answers_of={"onnxruntime": self.wrong})
        peers = found["peers"]
        self.assertEqual((peers["seq"]["median_ms"], peers["seq"]["p90_ms"], peers["seq"]["samples"]), (2, 4, 9))
        self.assertEqual((peers["onnxruntime"]["agrees"], peers["onnxruntime"]["difference"]), (False, 0.5))
        self.assertIn("out of luck", peers["openvino"]["error"])
        self.assertIn("No module named", peers["torch-jit"]["error"])
        self.assertIn("one sample at a time", peers["ncnn"]["unsuitable"])
        self.assertEqual((found["best_peer"], found["ratio"]), (None, None))

    def test_bf16_is_left_to_those_who_have_it_and_compared_loosely(self):
        near = npy(self.folder / "near.npy", [value * 1.02 for value in answers.read_npy(self.right)[1]])
        peers = ["seq", "onnxruntime", "openvino"]
        found = {}
        for dtype in ("f32", "bf16"):
            launch = FakeLaunch(self.right, answers_of={"openvino": near}, dtype=dtype)
            found[dtype] = case.measure(launch, self.files, 1, peers, 2, 10)["peers"]
        self.assertNotIn("unsuitable", found["f32"]["onnxruntime"])
        self.assertIn("no bf16", found["bf16"]["onnxruntime"]["unsuitable"])
        self.assertEqual([found[dtype]["openvino"]["agrees"] for dtype in found], [False, True])

    def test_cold_start(self):
        launch = FakeLaunch(self.right, {"openvino": "no-start"})
        found = cold.measure(launch, self.files, 1, ["seq", "onnxruntime", "openvino", "ncnn"], 2)
        self.assertEqual(found["peers"]["seq"]["load_ms"], 12.5)
        self.assertEqual(found["load_ms_ratio"], 1)
        self.assertIn("error", found["peers"]["openvino"])
        self.assertNotIn("ncnn", found["peers"])
        self.assertEqual(launch.plans, [True, True])
        self.assertEqual(found["peers"]["seq .seqx"]["load_ms"], 12.5)
        self.assertEqual(found["load_ms_ratio_compiled"], 1)
        table = report.cold([found], ["seq", "onnxruntime"], "load_ms", "base_kib")
        self.assertRegex(table, r"\| +seq .seqx \| +seq \| .*\| ratio, seq .seqx \| ratio, seq \|")
        self.assertRegex(table, r"\| +1\.00 \| +1\.00 \|\n*$")

    def test_cold_start_without_a_plan(self):
        launch = FakeLaunch(self.right, {"seq": "no-start"})
        found = cold.measure(launch, self.files, 1, ["seq", "onnxruntime"], 1)
        self.assertIn("error", found["peers"]["seq .seqx"])
        self.assertIsNone(found["load_ms_ratio_compiled"])
        self.assertEqual(launch.plans, [])

    def content(self):
        cases = [self.measure(behaviours={"openvino": "dies"}, answers_of={"torch-jit": self.wrong})]
        peers = ["seq", "onnxruntime", "openvino", "ncnn", "torch-jit"]
        return {
            "date": "today", "noise": ["others are busy"], "cases": cases,
            "cold": [cold.measure(FakeLaunch(self.right), self.files, 1, peers, 1)],
            "machine": {"cpu": "A CPU", "cores": 2, "memory_gib": 4.0, "virtual": True, "caches": {"L2": "1M"},
                        "isa": ["avx2"], "system": "Linux"},
            "versions": {"seq": "abc", "openvino": None}, "settings": {"peers": peers, "rounds": 3, "slice_ms": 10.0},
        }  # fmt: skip

    def test_report(self):
        words = report.text(self.content())
        self.assertIn("A CPU, 2 cores of a virtual machine", words)
        self.assertIn("**The machine was not quiet**: others are busy", words)
        self.assertRegex(words, r"\| mlp:8 +\| +2\.00 \(4\.00\) \| +\*\*2\.00 \(4\.00\)\*\* \| +failed \|")
        self.assertIn("wrong answer, 2.00 (4.00)", words)
        self.assertIn("openvino failed: the worker ended with status 3: out of luck", words)
        self.assertIn("torch-jit's answer is 0.5 of the largest magnitude", words)

    def test_seq_alone_has_no_ratios(self):
        content = self.content()
        content["settings"]["peers"] = ["seq"]
        for key in ("cases", "cold"):
            for case_ in content[key]:
                case_["peers"] = {peer: r for peer, r in case_["peers"].items() if peer.startswith("seq")}
                case_ |= {"best_peer": None, "ratio": None}
        words = report.text(content)
        self.assertRegex(words, r"\| network:batch \| +seq \|\n")
        self.assertRegex(words, r"\| mlp:8 +\| 2\.00 \(4\.00\) \|\n")
        self.assertRegex(words, r"\| network:batch \| +seq .seqx \| +seq \|\n")
        self.assertNotIn("ratio", words)
        self.assertFalse(networks.compares(["openvino", "ncnn"]) or networks.compares(["seq", "rtneural"]))

    def test_what_nobody_has_run_is_named(self):
        failed, done = {"error": "it cannot be made"}, {"median_ms": 1.0}
        cases = [{"network": name, "batch": batch, "threads": threads, "peers": peers} for name, batch, threads, peers in (
            ("none", 1, 1, {"seq": failed, "ncnn": failed}), ("none", 1, 2, {"seq": failed}),
            ("some", 8, 1, {"seq": failed, "ncnn": done}))]  # fmt: skip
        self.assertEqual(board.untimed(cases), ["none:1"])

    def test_rendering_a_board_again(self):
        path = self.folder / "board.json"
        path.write_text(json.dumps(self.content()))
        status, said, errors = run("--render", str(path), "--python", sys.executable, "--picture", "png")
        self.assertEqual((status, "A CPU" in said), (0, True), errors)
        path.write_text("{}")
        status, _, errors = run("--render", str(path), "--python", sys.executable)
        self.assertEqual((status, "no board of tools/peers" in errors), (1, True), errors)


class Texts(unittest.TestCase):
    def test_numbers(self):
        found = [report.number(value) for value in (0, 0.0001234, 0.0598, 1.234, 12.34, 123.4, 1234.5, 0.9999, None)]
        self.assertEqual(found, ["0.00", "0.000123", "0.0598", "1.23", "12.3", "123", "1234", "1.00", ""])

    def test_table(self):
        self.assertEqual(report.table(["a", "bcd"], [["xy", 1]]), "| a  | bcd |\n| -- | --: |\n| xy |   1 |")


class Quiet(unittest.TestCase):
    def test_this_process_is_not_another(self):
        watch = quiet.Watch([])
        self.assertGreaterEqual(watch.others(), 0)
        self.assertTrue(all(isinstance(reason, str) for reason in quiet.look(0.05)))


def run(*arguments):
    """(exit status, standard output, standard error)."""
    out, err = io.StringIO(), io.StringIO()
    argv, sys.argv = sys.argv, ["peers", *arguments]
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            status = command.main()
    except SystemExit as stop:
        status = stop.code
    finally:
        sys.argv = argv
    return status, out.getvalue(), err.getvalue()


class Machine(Temporary):
    def write(self, name, text):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def quotas(self):
        return [quota for quota in map(machine.quota, machine.control_groups(self.folder)) if quota < math.inf]

    def test_what_control_groups_leave(self):
        self.assertEqual(self.quotas(), [])
        self.write("proc/self/cgroup", "4:cpu,cpuacct:/docker/x\n2:memory:/docker/y\n0::/a/b\nnothing\n")
        self.write("sys/fs/cgroup/a/cpu.max", "150000 100000\n")
        self.write("sys/fs/cgroup/a/b/cpu.max", "max 100000\n")
        self.write("sys/fs/cgroup/memory/docker/y/cpu.max", "1 100000\n")
        self.write("sys/fs/cgroup/cpu,cpuacct/docker/x/cpu.cfs_quota_us", "400000\n")
        self.write("sys/fs/cgroup/cpu,cpuacct/docker/x/cpu.cfs_period_us", "100000\n")
        self.write("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "-1\n")
        self.write("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000\n")
        self.assertEqual(sorted(self.quotas()), [1.5, 4])

    def test_rubbish_limits_nothing(self):
        self.write("proc/self/cgroup", "0::/../../x\n:\n1:cpu\n")
        for text in ("many 5", "100000 0", ""):
            self.write("sys/fs/cgroup/cpu.max", text)
            self.assertEqual(self.quotas(), [])

    def test_cores(self):
        self.assertIn(machine.cores(), range(1, len(os.sched_getaffinity(0)) + 1))


class CommandLine(unittest.TestCase):
    def refuses(self, words, *arguments):
        status, _, said = run(*arguments)
        self.assertEqual((status, words in said), (2, True), said)

    def test_help_teaches(self):
        status, said, _ = run("--help")
        self.assertEqual(status, 0)
        for words in ("tools/peers --quick", "resnet50", "torch-eager", "Exit status"):
            self.assertIn(words, said)

    def test_what_is_wrong_is_said(self):
        self.refuses("did you mean resnet50?", "--net", "resnet5")
        self.refuses("there are seq, onnxruntime", "--peers", "x")
        self.refuses("a number of 1 or more", "--batch", "0")
        self.refuses("a number of 1 or more", "--threads", "1,two")
        self.refuses("--rounds: takes a whole number from 1 to 100000, but gets '0'", "--rounds", "0")
        self.refuses("--seconds: takes a number from 0.001", "--seconds", "nan")
        self.refuses("--cold: takes a whole number from 0", "--cold", "1e3")
        self.refuses("unrecognized arguments: --bogus", "--bogus")
        self.refuses("the board has batches 1, 8", "--net", "unet", "--batch", "7")
        self.refuses("names nothing", "--net", ",")
        self.refuses(f"this process may use {machine.cores()} core", "--threads", "1,99999")
        self.refuses(f"--threads {machine.cores() + 1}", "--threads", str(machine.cores() + 1))

    def test_where_the_board_goes(self):
        def out(*arguments):
            return command.complete(command.make_parser().parse_args(arguments)).out

        self.assertEqual(out(), environment.CACHE / "board")
        self.assertEqual(out("--peers", "seq,ncnn"), environment.CACHE / "board")
        self.assertIsNone(out("--peers", "seq"))
        self.assertIsNone(out("--peers", "ncnn"))
        self.assertEqual(out("--peers", "seq", "-o", "here").name, "here")


class BeforeAnything(Temporary):
    """What is wrong is said before anything is installed, built or made."""

    def setUp(self):
        super().setUp()
        for name in ("install", "build_seq_worker", "build_loop", "build_rtneural_worker"):
            patch = mock.patch.object(environment, name, side_effect=AssertionError(f"{name} is called"))
            patch.start()
            self.addCleanup(patch.stop)

    def says(self, status, words, *arguments):
        got, _, said = run(*map(str, arguments))
        self.assertEqual((got, words in said), (status, True), said)

    def test_a_dtype_that_seq_lacks_here(self):
        worker = self.folder / "worker"
        worker.write_text("#!/bin/sh\necho 'bf16 takes another processor' >&2\nexit 1\n")
        worker.chmod(0o755)
        arguments = ["--seq-worker", worker, "--python", sys.executable, "--net", "mlp", "-o", self.folder / "board"]
        with mock.patch.object(environment, "build_loop"), mock.patch.object(checks, "check_python"):
            self.says(1, "seq does not compute in it here: bf16 takes another", "--dtype", "bf16", *arguments)
        self.assertFalse((self.folder / "board/board.json").exists())

    def test_programs(self):
        script = self.folder / "python"
        script.write_text("#!/bin/sh\necho '{\"python\": \"3.11\", \"numpy\": \"2\", \"torch\": null}'\n")
        script.chmod(0o755)
        self.says(1, "--python /nowhere/python: no such Python", "--python", "/nowhere/python")
        self.says(1, "it is no Python", "--python", "true")
        self.says(1, "it lacks torch, safetensors, torchvision,", "--python", script)
        self.says(1, "it lacks torch, safetensors,", "--python", script, "--net", "mlp")
        self.says(1, "--seq-worker /nowhere/worker: no program; tools/build seq_worker", "--seq-worker", "/nowhere/worker")
        self.says(1, "no program", "--seq-worker", self.folder)

    def test_networks(self):
        path = self.folder / "own.py"
        path.write_text("import math\n\n\ndef tiny():\n    hidden = 1\n")
        self.says(2, "torchvision has no model `resnet51`; did you mean resnet50?", "--net", "torchvision:resnet51")
        self.says(2, "own.py defines no `tinny`; did you mean tiny?", "--net", f"{path}:tinny@3")
        self.says(2, "own.py defines no `hidden`", "--net", f"{path}:hidden@3")
        with self.assertRaisesRegex(AssertionError, "build_loop is called"):
            run("--net", f"{path}:tiny@3", "-o", str(self.folder))
        path.write_text("from math import *\n")
        with self.assertRaisesRegex(AssertionError, "build_loop is called"):
            run("--net", f"{path}:floor@3", "-o", str(self.folder))
        path.write_text("def tiny(:\n")
        self.says(1, "own.py:1: invalid syntax", "--net", f"{path}:tiny@3")

    def test_rtneural(self):
        self.says(1, "there is no RTNeural/RTNeural.h in it", "--rtneural", self.folder)
        (self.folder / "RTNeural").mkdir()
        (self.folder / "RTNeural/RTNeural.h").touch()
        self.says(1, "there is no modules/json/json.hpp in it", "--rtneural", self.folder)

    def test_the_board_s_folder(self):
        (self.folder / "file").touch()
        self.says(1, "name a folder that can be written to", "-o", self.folder / "file")
        self.says(1, "name a folder that can be written to", "-o", "/proc/board")

    def test_what_would_change_nothing(self):
        self.says(2, "seq is not among --peers", "--peers", "ncnn", "--seq-worker", sys.executable)
        self.says(2, "rtneural is not among --peers", "--peers", "seq,ncnn", "--rtneural", self.folder)
        for more in (["--net", "mlp"], ["--dtype", "bf16"], ["-o", "x"], ["--cold", "1"], ["--quick"]):
            self.says(2, f"{more[0]}: --render measures nothing", "--render", "board.json", *more)

    def test_names_of_torchvision(self):
        try:
            import torchvision
        except ImportError as error:
            self.skipTest(str(error))
        pinned = re.search(r"^torchvision==(.*)$", environment.REQUIREMENTS.read_text(), re.MULTILINE).group(1)
        if torchvision.__version__.split("+")[0] != pinned:
            self.skipTest(f"torchvision is {torchvision.__version__}, not {pinned}")
        self.assertEqual(torchvision_models.NAMES, torchvision.models.list_models())


if __name__ == "__main__":
    unittest.main()
