#!/usr/bin/env python3
"""The bench of tools/gpu_check without a GPU: what it reports, and a board on the CPU."""

import json
import os
import pathlib
import sys
import unittest
import unittest.mock

sys.dont_write_bytecode = True

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))

from gpu_board import bench, bench_report, budget, workers  # noqa: E402
from peers_board import answers  # noqa: E402
from quiet import Quiet  # noqa: E402


def timed(milliseconds, batch, **more):
    figures = {"median_ms": milliseconds, "p90_ms": milliseconds}
    return {"time": figures, "flow": figures, "samples_per_s": batch * 1000 / milliseconds, "distance": 1e-4, "agrees": True} | more


class Report(unittest.TestCase):
    def case(self, dtype, batch, **peers):
        return {"network": "resnet50", "dtype": dtype, "batch": batch, "peers": {name.replace("_", "-"): entry for name, entry in peers.items()}}

    def test_goals(self):
        found = list(bench_report.goals([
            self.case("f16", 1, seq=timed(0.35, 1), torch_compile=timed(0.40, 1)),
            self.case("f16", 128, seq=timed(4, 128), torch_compile=timed(4.4, 128)),
        ]))  # fmt: skip
        self.assertEqual(found[0], "resnet50 f16, batch 128: at least 30000 images/s: 32000, reached")
        self.assertEqual(found[1], "resnet50 tf32, batch 128: at least 14000 images/s: not measured")
        self.assertEqual(found[2], "resnet50 f16, batch 1: 0.4 ms at most: 0.350 ms, reached")
        self.assertEqual(found[3], "resnet50 f16, batch 1: at least 1.2 times torch.compile: 1.14, MISSED")
        self.assertEqual(found[4], "resnet50 f16, batch 32: at least 1.0 times torch.compile: not measured")
        self.assertEqual(found[5], "resnet50 f16, batch 128: at least 1.0 times torch.compile: 1.10, reached")

    def test_rows_say_what_failed_and_what_is_wrong(self):
        case = self.case("f16", 1, seq=timed(1, 1, agrees=False, tune="none", gpu_us=900), torch_eager={"error": "RuntimeError: no"})
        text = bench_report.text({"cases": [case], "left_out": [["vgg16", "f32", 32]], "notes": ["a note"]})
        self.assertRegex(text, r"seq +1\.000 .* 0\.900 .*WRONG not tuned")
        for words in ("RuntimeError: no", "left out: vgg16 f32 32", "a note"):
            self.assertIn(words, text)

    def test_what_has_a_goal_comes_first_and_torch_compile_last_of_it(self):
        order = bench.cases()
        self.assertEqual(len(order), 3 * 4 * 3)
        self.assertEqual(len(set(order)), len(order))
        turns = bench.passes(order)
        compiled = [("resnet50", "f16", batch) for batch in (1, 32, 128)]
        self.assertEqual(turns[:7], [(case, False) for case in (*compiled, ("resnet50", "tf32", 128))] + [(case, True) for case in compiled])
        self.assertCountEqual(turns, [(case, flag) for case in order for flag in (False, True)])
        # What bench_report calls a goal, and no more.
        goals = [{"network": network, "dtype": dtype, "batch": batch, "peers": {
            "seq": timed(1, batch), "torch-compile": timed(1, batch)}} for network, dtype, batch in order[:4]]  # fmt: skip
        self.assertFalse([line for line in bench_report.goals(goals) if "not measured" in line])
        for lack in range(4):
            rest = goals[:lack] + goals[lack + 1:]
            self.assertTrue([line for line in bench_report.goals(rest) if "not measured" in line])

    def test_distances(self):
        self.assertAlmostEqual(workers.distance([1.0, 2.0], [1.0, 1.0]), 0.5**0.5)
        self.assertEqual(workers.distance([float("nan")], [1.0]), float("inf"))
        with self.assertRaises(ValueError):
            workers.distance([1.0], [1.0, 2.0])


    def test_what_agrees(self):
        # Of seq; PyTorch is there to be timed.
        for dtype, allowed in (("f32", 1e-5), ("tf32", 2e-3), ("f16", 2e-3), ("bf16", 2e-2)):
            self.assertTrue(bench.agrees("seq", dtype, allowed))
            self.assertFalse(bench.agrees("seq", dtype, allowed * 1.01))
            self.assertTrue(bench.agrees("torch-eager", dtype, allowed * 9))
            self.assertFalse(bench.agrees("torch-eager", dtype, 1))


FAKE_WORKER = """#!/bin/sh
case "$3 $5" in
  "1 fast") exec sleep 1000 ;;
esac
echo ready 1 1
cat >/dev/null
"""


class Tuning(Quiet):
    def test_a_case_that_is_not_tuned_in_its_time_leaves_the_others_theirs(self):
        program = self.folder / "worker"
        program.write_text(FAKE_WORKER)
        program.chmod(0o755)
        board = bench.Board(self.output, dict(os.environ), self.folder, budget.Deadline(600), "cpu", program, torch=False, shape=(3, 2, 2))
        with unittest.mock.patch.object(bench, "TUNE_MOST", 2):
            found = []
            for batch in (1, 32):
                peers = {}
                board.start_seq(("resnet50", "f16", batch), peers).stop()
                found.append(peers["seq"]["tune"])
        self.assertEqual(found, ["none", "fast"])
        self.assertIn("resnet50 f16 1: it is not tuned: no answer in 2 s", self.said.getvalue())


@unittest.skipUnless("SEQ_GPU_WORKER" in os.environ, "there is no seq_gpu_worker")
class Bench(Quiet):
    """On the CPU, where f32 is all there is of these dtypes."""

    def board(self, seconds=600):
        return bench.Board(
            self.output, dict(os.environ), self.folder, budget.Deadline(seconds), "cpu", os.environ["SEQ_GPU_WORKER"], torch=False, shape=(3, 32, 32)
        )

    def test_a_board_of_seq_alone(self):
        board = self.board()
        self.assertIsNone(board.run([("cifar", "f32", 1), ("cifar", "f32", 5)]))
        document = json.loads(self.output.path("bench.json").read_text())
        self.assertEqual([case["batch"] for case in document["cases"]], [1, 5])
        for case in document["cases"]:
            seq = case["peers"]["seq"]
            self.assertGreater(seq["samples_per_s"], 0)
            self.assertEqual(seq["distance"], 0)
            self.assertGreater(seq["plan"]["steps"], 0)
            self.assertEqual(len(seq["time"]["round_medians_ms"]), bench.ROUNDS)
        self.assertIn("PyTorch is left out", self.output.path("bench.txt").read_text())
        self.assertLessEqual(len(os.listdir(self.output.folder)), 8)

    def test_what_fails_is_said_and_the_others_go_on(self):
        failure = self.board().run([("cifar", "f16", 1), ("cifar", "f32", 1)])
        self.assertEqual(failure, "cifar f16 1: it fails")
        cases = json.loads(self.output.path("bench.json").read_text())["cases"]
        self.assertIn("f16 is no dtype to compute in on the CPU", cases[0]["peers"]["seq"]["error"])
        self.assertIn("flow", cases[1]["peers"]["seq"])

    def test_what_time_does_not_allow_is_left_out(self):
        board = self.board(seconds=1)
        self.assertIsNone(board.run([("cifar", "f32", 1)]))
        self.assertEqual(json.loads(self.output.path("bench.json").read_text())["left_out"], [["cifar", "f32", 1]])

    def test_weights_are_what_pytorch_reads(self):
        board = self.board()
        with board.start_seq(("cifar", "f32", 1), {}) as worker:
            worker.write_weights(self.folder / "w.safetensors")
            worker.write(self.folder / "y.npy")
        with open(self.folder / "w.safetensors", "rb") as file:
            header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        self.assertEqual(header["0.weight"], {"dtype": "F32", "shape": [16, 3, 3, 3], "data_offsets": [0, 1728]})
        self.assertEqual(answers.read_npy(self.folder / "y.npy")[0], (1, 10))


if __name__ == "__main__":
    unittest.main()
