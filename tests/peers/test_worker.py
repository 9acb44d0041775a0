#!/usr/bin/env python3
"""The workers of tools/peers: their samples, the protocol with a fake one, and seq's.

$SEQ_WORKER is seq's worker; without it what needs it is skipped.
"""

import array
import ctypes
import json
import os
import pathlib
import shutil
import struct
import subprocess
import sys
import time
import unittest

sys.dont_write_bytecode = True

from support import HERE, Temporary, fake, npy  # noqa: E402

from peers_board import answers, client, worker  # noqa: E402
from peers_board.adapters import Loaded  # noqa: E402
from peers_board.errors import PeerError  # noqa: E402

SEQ_WORKER = os.environ.get("SEQ_WORKER", str(HERE.parents[1] / "build/seq_worker"))


class Samples(Temporary):
    def test_as_many_runs_as_the_clock_needs(self):
        lasting = worker.make_sample(Loaded(lambda: time.sleep(0.001), None))
        self.assertEqual(worker.choose_repeats(lasting), 1)
        self.assertEqual(worker.choose_repeats(lambda repeats: worker.LONG_RUN_NS), 1)
        self.assertGreater(worker.choose_repeats(lambda repeats: 100 * repeats), worker.SAMPLE_NS / 100)
        self.assertGreaterEqual(len(worker.time_slice(lasting, 1, 20)), 2)

    @unittest.skipUnless(shutil.which("cc"), "needs a C compiler")
    def test_calls_of_c(self):
        loop = str(self.folder / "loop.so")
        source = pathlib.Path(worker.__file__).parent / "native_loop.c"
        subprocess.run(["cc", "-shared", "-fPIC", source, "-o", loop], check=True)
        libc = ctypes.CDLL(None)
        for function, succeeds in ((libc.sched_yield, True), (libc.getpid, False)):
            sample = worker.native_sample(loop, "time_of_one", ctypes.cast(function, ctypes.c_void_p).value, (None,))
            if succeeds:
                self.assertGreater(min(sample(1000) for _ in range(5)), min(sample(1) for _ in range(5)))
            else:
                self.assertRaisesRegex(RuntimeError, "a run failed", sample, 1)


class Protocol(Temporary):
    def test_a_worker_that_does_well(self):
        answer = npy(self.folder / "y.npy", [1, 2])
        with fake("well", answer) as worker:
            ready = worker.wait_ready()
            self.assertEqual((ready["load_ms"], ready["base_kib"]), (12.5, 2048))
            self.assertGreater(ready["cold_ms"], 0)
            self.assertEqual(worker.time(5), (10, [20000000, 20000000, 40000000]))
            worker.write(self.folder / "z.npy")
            self.assertEqual(list(answers.read_npy(self.folder / "z.npy")[1]), [1, 2])
            self.assertGreater(worker.peak_kib(), 1000)
        self.assertEqual(worker.process.returncode, 0)

    def fails(self, words, use, *arguments, **options):
        with self.assertRaisesRegex(PeerError, words), fake(*arguments, **options) as worker:
            use(worker)
        self.assertIsNotNone(worker.process.returncode)

    def test_what_goes_wrong_is_said(self):
        self.fails("ended with status 1: ModuleNotFoundError", lambda worker: worker.wait_ready(), "no-start")
        self.fails("`hello` where `ready` is due", lambda worker: worker.wait_ready(), "babbles")
        self.fails("no answer in 0 s", lambda worker: worker.wait_ready(), "mute", timeout=0.2)
        self.fails("ended with status 3: out of luck", self.start_and_time, "dies")
        self.fails("no times", self.start_and_time, "empty")
        with self.assertRaisesRegex(PeerError, "/nowhere: No such file"):
            client.Worker(["/nowhere"])

    def start_and_time(self, worker):
        worker.wait_ready()
        worker.time(5)

    def test_settings_of_libraries_are_not_handed_on(self):
        os.environ["OMP_NUM_THREADS"] = "1"
        self.addCleanup(os.environ.pop, "OMP_NUM_THREADS")
        found = client.environment("/tools")
        self.assertNotIn("OMP_NUM_THREADS", found)
        self.assertEqual(found["PYTHONPATH"].split(os.pathsep)[0], "/tools")
        self.assertIn("PATH", found)


@unittest.skipUnless(os.access(SEQ_WORKER, os.X_OK), "needs seq_worker")
class SeqWorker(Temporary):
    def spec(self):
        layers = [{"type": "Linear", "name": "fc", "out_features": 2}]
        text = {"seq": 1, "inputs": {"x": ["N", 3]}, "layers": layers, "weights": "net.safetensors"}
        (self.folder / "net.json").write_text(json.dumps(text))
        header = {"fc.weight": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]},
                  "fc.bias": {"dtype": "F32", "shape": [2], "data_offsets": [24, 32]}}  # fmt: skip
        head = json.dumps(header).encode()
        numbers = array.array("f", [1, 0, 0, 0, 1, 1, 10, 20]).tobytes()
        (self.folder / "net.safetensors").write_bytes(struct.pack("<Q", len(head)) + head + numbers)
        return self.folder / "net.json"

    def test_it_speaks_as_the_board_listens(self):
        x = npy(self.folder / "x.npy", [1, 2, 3, 4, 5, 6], (2, 3))
        with client.Worker([SEQ_WORKER, self.spec(), x, 2, 1], timeout=60) as worker:
            self.assertGreater(worker.wait_ready()["load_ms"], 0)
            repeats, times = worker.time(20)
            self.assertGreater(repeats, 1)
            self.assertGreater(min(times), 0)
            worker.write(self.folder / "y.npy")
        self.assertEqual(answers.read_npy(self.folder / "y.npy"), ((2, 2), array.array("f", [11, 25, 14, 31])))

    def test_all_outputs_are_written(self):
        spec = json.loads(self.spec().read_text())
        spec |= {"layers": [*spec["layers"], "ReLU"], "outputs": ["fc", "1"]}
        (self.folder / "net.json").write_text(json.dumps(spec))
        x = npy(self.folder / "x.npy", [1, -30, 3], (1, 3))
        with client.Worker([SEQ_WORKER, self.folder / "net.json", x, 1, 1], timeout=60) as worker:
            worker.wait_ready()
            worker.write(self.folder / "y.npy")
        self.assertEqual([list(values) for values in answers.read_parts(self.folder / "y.npy")], [[11, -7], [11, 0]])

    def test_whether_it_computes_in_a_dtype(self):
        self.assertEqual(subprocess.run([SEQ_WORKER, "f32"]).returncode, 0)
        done = subprocess.run([SEQ_WORKER, "bf16"], capture_output=True, text=True)
        self.assertEqual((done.returncode, "bf16 takes" in done.stderr), (1, True) if done.returncode else (0, False))

    def test_what_is_wrong_is_said(self):
        with client.Worker([SEQ_WORKER, "/nowhere.json", "x.npy", 1, 1], timeout=60) as worker:
            with self.assertRaisesRegex(PeerError, "ended with status 1: .*nowhere"):
                worker.wait_ready()


if __name__ == "__main__":
    unittest.main()
