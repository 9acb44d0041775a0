#!/usr/bin/env python3
"""tools/peers without peers: the networks that names stand for, the files made of them, and answers beside each other."""

import array
import math
import sys
import textwrap
import unittest

sys.dont_write_bytecode = True

from support import Temporary, npy  # noqa: E402

from peers_board import answers, client, environment, making, networks  # noqa: E402
from peers_board.errors import UsageError  # noqa: E402


class Networks(Temporary):
    def test_others_than_the_board_s(self):
        self.assertIs(networks.find("torchvision:resnet50"), networks.BY_NAME["resnet50"])
        alex = networks.find("torchvision:alexnet")
        self.assertEqual((alex.name, alex.shape, alex.module), ("alexnet", (3, 224, 224), "torchvision:alexnet"))
        wide = networks.find("torchvision:resnet50@3x64x64")
        self.assertEqual((wide.shape, wide.module), ((3, 64, 64), "torchvision:resnet50"))
        self.assertNotEqual(wide.folder, "resnet50")
        self.assertEqual(networks.find("torchvision:r3d_18").shape, (3, 16, 112, 112))
        self.assertTrue(networks.BY_NAME["mlp"].module.endswith("peers_board/nets.py:mlp"))

    def test_a_file_s_function(self):
        path = self.folder / "own.py"
        path.write_text("def tiny(): pass")
        own = networks.find(f"{path}:tiny@4x8")
        self.assertEqual((own.name, own.shape, own.module), ("own.tiny", (4, 8), f"{path.resolve()}:tiny"))
        whole = networks.find(f"{path}:tiny@16:i64")
        self.assertEqual((whole.shape, whole.dtype, own.dtype), ((16,), "i64", "f32"))
        self.assertNotEqual(whole.folder, networks.find(f"{path}:tiny@16:i32").folder)
        before = own.folder
        path.write_text("def tiny(): return None")
        self.assertNotEqual(own.folder, before)

    def test_what_is_none(self):
        for text, said in (("resnet5", "did you mean resnet50"), (f"{self.folder}/no.py:tiny@3", "is no file"),
                           ("a.py:tiny", "say the sizes"), ("torchvision:", "there are"), ("x.py:f@3x0", "no sizes"),
                           ("torchvision:resnet18@3x9x9:i64", "take no integers"),
                           ("torchvision:resnet18@3xq", "`3xq` are no sizes .* torchvision:resnet18@3x32x32")):  # fmt: skip
            with self.assertRaisesRegex(UsageError, said):
                networks.find(text)


class Answers(Temporary):
    def test_npy(self):
        shape, values = answers.read_npy(npy(self.folder / "a.npy", [1, 2.5, -3, 4], (2, 2)))
        self.assertEqual((shape, list(values)), ((2, 2), [1, 2.5, -3, 4]))
        self.assertEqual(answers.read_shape(self.folder / "a.npy"), (2, 2))
        self.assertEqual((self.folder / "a.npy").stat().st_size % 64, 16)
        (self.folder / "b.npy").write_bytes(b"nothing")
        with self.assertRaisesRegex(ValueError, "no .npy file"):
            answers.read_npy(self.folder / "b.npy")

    def test_integers(self):
        head = str({"descr": "<i8", "fortran_order": False, "shape": (2,)}).encode() + b"\n"
        numbers = array.array("q", [3, -(2**40)])
        head = b"\x93NUMPY\x01\x00" + len(head).to_bytes(2, "little") + head
        (self.folder / "a.npy").write_bytes(head + numbers.tobytes())
        self.assertEqual(answers.read_npy(self.folder / "a.npy"), ((2,), numbers))

    def test_several_outputs(self):
        outputs = [((2,), array.array("f", [100, 200])), ((1, 1), array.array("f", [1]))]
        answers.write_parts(self.folder / "y.npy", outputs)
        found = answers.read_parts(self.folder / "y.npy")
        self.assertEqual(found, [values for _, values in outputs])
        self.assertEqual(answers.largest_difference(found, found), 0)
        self.assertEqual(answers.largest_difference([found[0], [1.5]], found), 0.5)  # of its own magnitude
        with self.assertRaisesRegex(ValueError, "1 outputs, and 2"):
            answers.largest_difference(found[:1], found)

    def test_difference_is_relative_to_the_largest(self):
        self.assertAlmostEqual(answers.difference([1, -99], [2, -100]), 0.01)
        self.assertEqual(answers.difference([math.nan, 1], [1, 1]), math.inf)
        self.assertEqual(answers.difference([1, 2], [1, math.nan]), math.inf)
        self.assertEqual(answers.difference([math.inf], [-math.inf]), math.inf)
        self.assertEqual(answers.difference([math.nan, math.inf, 1], [math.nan, math.inf, 2]), 0.5)
        with self.assertRaisesRegex(ValueError, "1 numbers, and 2"):
            answers.difference([1], [1, 2])


class Making(Temporary):
    def test_a_network_that_there_is_not_is_a_mistake_of_the_command_line(self):
        python = self.folder / "python"
        python.write_text(f"#!/bin/sh\necho 'there is no such network' >&2\nexit {making.NO_NETWORK}\n")
        python.chmod(0o755)
        network = networks.find("torchvision:resnet5")
        with self.assertRaisesRegex(UsageError, "--net torchvision:resnet5: there is no such network"):
            making.make(str(python), None, self.folder, network, [1], ["seq"])
        self.assertEqual([path.name for path in self.folder.iterdir()], ["python"])


    def make(self, code, dims, peers):
        """The files, once they are made."""
        try:
            import safetensors  # noqa: F401
            import torch  # noqa: F401
        except ImportError as error:
            self.skipTest(str(error))
        path = self.folder / "own.py"
        body = textwrap.indent(textwrap.dedent(code), "    ")
        path.write_text(f"import torch\nfrom torch import nn\n\n\nclass Net(nn.Module):\n{body}")
        network = networks.find(f"{path}:Net@{dims}")
        env = client.environment(environment.ROOT / "tools")
        self.assertEqual(making.make(sys.executable, env, self.folder, network, [2], peers), {})
        return making.files(self.folder, network, 2)

    def test_outputs_in_a_dictionary(self):
        code = """
            def forward(self, x):
                return {"same": torch.relu(x), "more": [x.flatten(1).mean(1), None]}
        """
        files = self.make(code, "2x3", ["seq", "torch-jit"])
        x, (same, mean) = answers.read_npy(files.x)[1], answers.read_parts(files.y)
        self.assertEqual(list(same), [max(value, 0) for value in x])
        self.assertEqual(len(mean), 2)

    def test_integers_are_rows_of_the_table(self):
        code = """
            def __init__(self):
                super().__init__()
                self.table = nn.Embedding(3, 4)

            def forward(self, ids):
                return self.table(ids)
        """
        files = self.make(code, "50:i64", ["seq"])
        self.assertEqual(set(answers.read_npy(files.x)[1]), {0, 1, 2})

    def test_what_does_not_run(self):
        for code, said in (("def forward(self, x): return x @ x", "does not run on one input, f32 of 2x3: "),
                           ("def forward(self, x): return x > 0", "others than of floating-point numbers")):  # fmt: skip
            with self.assertRaisesRegex(UsageError, said):
                self.make(code, "3", ["seq"])


if __name__ == "__main__":
    unittest.main()
