#!/usr/bin/env python3
"""tools/export_torch.py: what it writes runs to PyTorch's digits, what it cannot write it refuses by name.

$SEQC is the command; without it, and without PyTorch, what needs them is skipped.
"""

import contextlib
import io
import json
import math
import os
import pathlib
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "tools"))
sys.dont_write_bytecode = True
os.environ.setdefault("SEQC", str(HERE.parents[1] / "build/seqc"))

import export_torch  # noqa: E402
from torch_export import command_line, torchvision_inputs  # noqa: E402
from torch_export.errors import ExportError  # noqa: E402

try:
    import numpy  # noqa: F401
    import safetensors.torch
    import torch

    import bare
    import nets
    import refused
    import written
    from torch_export import compare
except ImportError as error:
    torch = None
    print(f"skipped: all that needs PyTorch ({error})", file=sys.stderr)



def run(*arguments):
    """(exit status, standard output, standard error)."""
    out, err = io.StringIO(), io.StringIO()
    argv, sys.argv = sys.argv, ["export_torch.py", *map(str, arguments)]
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            status = export_torch.main()
    except SystemExit as stop:
        status = stop.code
    finally:
        sys.argv = argv
    return status, out.getvalue(), err.getvalue()


class CommandLine(unittest.TestCase):
    def refuses(self, words, *arguments):
        status, _, said = run(*arguments)
        self.assertEqual((status, words in said), (2, True), said)

    def test_help_teaches(self):
        status, said, _ = run("--help")
        self.assertEqual(status, 0)
        self.assertIn("torchvision:resnet50", said)

    def test_what_is_wrong_is_said(self):
        self.refuses("required", "torchvision:resnet18")
        self.refuses("expected NAME=DIMS[:DTYPE]", "nets.py:f", "-o", "x", "--input", "N,3")
        self.refuses("expected NAME=DIMS[:DTYPE]", "nets.py:f", "-o", "x", "--input", "x=N,0")
        self.refuses("no dtype `f8`", "nets.py:f", "-o", "x", "--input", "x=N:f8")
        self.refuses("expected SYMBOL=INT", "nets.py:f", "-o", "x", "--set", "N=0")
        self.refuses("expected NAME=DIMS[:DTYPE]", "nets.py:f", "-o", "x", "--input", "x=N\u00e9,3")
        self.refuses("--help says how", "nets.py:f", "-o", "x", "--seed", "q")
        self.refuses("unrecognized arguments: --bogus", "nets.py:f", "-o", "x", "--bogus")
        self.refuses("one of the two", "nets.py:f", "-o", "x", "--seed", "0", "--weights", "w.pt")

    def test_names_of_files(self):
        says = {"a/b": "holds a slash", "../up": "holds a slash", "/": "holds a slash", "": "is empty", " ": "is empty",
                ".": "means a folder", "..": "means a folder", "a\nb": "cannot be printed", "a\x00": "cannot be printed",
                "\udcff": "cannot be printed", "n" * 244: "is too long", "\u00e9" * 122: "is too long"}  # fmt: skip
        for name, said in says.items():
            with self.subTest(name):
                self.refuses(said, "nets.py:f", "-o", "nowhere", "--name", name)
        self.assertFalse(pathlib.Path("nowhere").exists())
        command_line.check_name("\u00e9" * 121)

    def test_numbers_and_files(self):
        self.refuses("at most 2147483647", "nets.py:f", "-o", "x", "--input", "x=N,99999999999999999999")
        self.refuses("at most 2147483647", "nets.py:f", "-o", "x", "--set", "N=2147483648")
        self.refuses("N has a value already", "nets.py:f", "-o", "x", "--set", "N=1", "--set", "N=2")
        self.refuses("from -2^63 to 2^64 - 1", "nets.py:f", "-o", "x", "--seed", str(2**64))
        status, _, said = run("nets.py:f", "-o", "x", "--weights", "nowhere.pt")
        self.assertEqual((status, said.strip()), (1, "export_torch.py: --weights nowhere.pt: there is no such file"))
        status, _, said = run("nets.py:f", "-o", f"{__file__}/x")
        self.assertEqual((status, "is no folder; name one" in said), (1, True), said)

    @unittest.skipIf(torch, "PyTorch is here")
    def test_without_pytorch(self):
        status, _, said = run("torchvision:resnet18", "-o", "x")
        self.assertEqual((status, "PyTorch is not installed" in said), (1, True), said)


def names_of(source):
    """Of the modules that the file defines for the tests."""
    return [name for name, item in vars(source).items() if isinstance(item, type) and hasattr(item, "inputs")]


@unittest.skipUnless(torch, "needs PyTorch")
class Exporting(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def export(self, name, *more, inputs=None, source=None):
        source = source or nets
        if inputs is None:
            inputs = getattr(getattr(source, name, None), "inputs", ())
        given = [part for text in inputs for part in ("--input", text)]
        return run(f"{HERE / source.__name__}.py:{name}", "-o", self.folder, *given, *more)

    def succeeds(self, name, *more):
        """The model file and the weights."""
        status, out, said = self.export(name, "--seed", "3", "--check", *more)
        self.assertEqual(status, 0, said)
        self.assertIn("of the largest magnitude", out)
        spec = json.loads((self.folder / f"{name}.json").read_text())
        return spec, safetensors.torch.load_file(self.folder / f"{name}.safetensors")

    def fails(self, name, status, *words, **options):
        got, _, said = self.export(name, **options)
        self.assertEqual(got, status, said)
        for word in words:
            self.assertIn(word, said)
        self.assertNotIn("Traceback", said)
        self.assertEqual(list(self.folder.iterdir()), [])
        return said


class Numbers(Exporting):
    def test_parameters_keep_their_names(self):
        for name in ("ListUNet", "ResizingUNet", "Siamese", "Attention", "Pieces", "InPlace"):
            with self.subTest(name):
                torch.manual_seed(3)
                expected = getattr(nets, name)().state_dict()
                _, weights = self.succeeds(name)
                self.assertEqual(weights.keys(), expected.keys())

    def test_weight_norm_is_folded(self):
        _, weights = self.succeeds("Temporal")
        self.assertIn("blocks.1.conv.weight", weights)

    def test_a_module_used_again_is_shared(self):
        spec, weights = self.succeeds("TwoNames")
        self.assertEqual([layer.get("share") for layer in spec["layers"] if "share" in layer], ["first"])
        self.assertEqual(weights.keys(), {"first.weight", "first.bias"})

    def test_threshold_is_written(self):
        spec, _ = self.succeeds("Thresholds")
        self.assertIn("Threshold", str(spec))

    def test_parameters_that_functions_take(self):
        spec, weights = self.succeeds("Functional")
        self.assertIn({"type": "Mul", "name": "mul", "other": 0.25}, spec["layers"])
        self.assertEqual(len(weights), 5)

    def test_lists_in_turns_with_rename(self):
        _, weights = self.succeeds("Interleaved", "--rename")
        self.assertIn("block.linears_1.weight", weights)

    def test_statistics_are_drawn(self):
        _, weights = self.succeeds("ListUNet")
        self.assertGreater(weights["downs.0.1.running_mean"].abs().min().item(), 0)

    def test_what_people_write(self):
        for name in names_of(written):
            with self.subTest(name):
                status, out, said = self.export(name, "--seed", "1", "--check", source=written)
                self.assertEqual((status, "of the largest magnitude" in out), (0, True), said)

    def test_a_size_that_is_asked_for_is_noted_where_it_varies(self):
        status, _, said = self.export("GivenSize", "--check", source=written, inputs=["x=N,3,7,L"])
        self.assertEqual((status, "output_size asks for output_padding" in said), (0, True), said)

    def test_nan_agrees_with_nan_alone(self):
        nan, inf = math.nan, math.inf
        expected = torch.tensor([[nan, 2.0], [inf, -inf]])
        self.assertEqual(compare.difference(expected, expected.clone()), 0)
        self.assertEqual(compare.difference(expected, torch.tensor([[nan, 1.0], [inf, -inf]])), 0.5)
        self.assertEqual(compare.difference(torch.tensor([nan]), torch.tensor([nan])), 0)
        for given, said in (([[nan, nan], [inf, -inf]], r"gives nan where PyTorch gives 2, at \[0, 1\], .* 1 of 4"),
                            ([[3.0, 2.0], [inf, inf]], r"gives 3 where PyTorch gives nan, at \[0, 0\], .* 2 of 4")):  # fmt: skip
            with self.assertRaisesRegex(ExportError, said):
                compare.difference(expected, torch.tensor(given))

    def test_weights_from_a_file(self):
        module = nets.Siamese()
        torch.save({"state_dict": module.state_dict()}, self.folder / "trained.pt")
        status, _, said = self.export("Siamese", "--weights", self.folder / "trained.pt", "--check")
        self.assertEqual(status, 0, said)
        written = safetensors.torch.load_file(self.folder / "Siamese.safetensors")
        self.assertTrue(torch.equal(written["head.weight"], module.head.weight))

    def test_torchvision_s_models_of_clips(self):
        try:
            from torchvision import models
        except ImportError as error:
            self.skipTest(str(error))
        self.assertEqual(sorted(torchvision_inputs.VIDEO), models.list_models(models.video))
        status, _, said = run("torchvision:r3d_18", "-o", self.folder)
        self.assertEqual(status, 0, said)
        self.assertEqual(json.loads((self.folder / "r3d_18.json").read_text())["inputs"], {"x": ["N", 3, 16, 112, 112]})

    def test_torchvision(self):
        try:
            import torchvision  # noqa: F401
        except ImportError as error:
            self.skipTest(str(error))
        status, out, said = run("torchvision:resnet18", "-o", self.folder, "--seed", "0", "--check")
        self.assertEqual(status, 0, said)
        status, _, said = run("torchvision:resnet19", "-o", self.folder)
        self.assertEqual((status, "did you mean resnet18" in said), (1, True), said)


class Bare(Exporting):
    """A layer of torch.nn as the whole module."""

    def test_it_is_written_as_that_layer(self):
        for name, function in vars(bare).items():
            if not hasattr(function, "inputs") or isinstance(function, type):
                continue
            with self.subTest(name):
                status, out, said = self.export(name, "--seed", "1", "--check", source=bare)
                self.assertEqual((status, "of the largest magnitude" in out), (0, True), said)
                layers = json.loads((self.folder / f"{name}.json").read_text())["layers"]
                self.assertEqual(len(layers), 1)

    def test_its_plain_state_dict_is_taken(self):
        plain = bare.linear().state_dict()
        torch.save(plain, self.folder / "trained.pt")
        status, _, said = self.export("linear", "--weights", self.folder / "trained.pt", "--check", source=bare)
        self.assertEqual(status, 0, said)
        written = safetensors.torch.load_file(self.folder / "linear.safetensors")
        self.assertEqual(written.keys(), {"linear.weight", "linear.bias"})
        self.assertTrue(torch.equal(written["linear.weight"], plain["weight"]))

    def test_its_parametrization_is_folded(self):
        status, _, said = self.export("weight_norm", source=bare)
        self.assertEqual((status, "note: weight_norm: the parametrization is folded" in said), (0, True), said)

    def test_what_seq_has_no_layer_for(self):
        for name, kind in bare.WITHOUT_LAYER.items():
            said = f"for 1 reason:\n  {kind}: seq has no layer type {kind}"
            self.fails(name, 1, said, source=bare, inputs=["x=N,4,8"])

    def test_a_forward_of_its_own(self):
        self.fails("OwnLinear", 1, "linear: has parameters of the outermost module", source=bare)


class Refusals(Exporting):
    def test_what_people_write(self):
        for name in names_of(refused) + ["scripted"]:
            with self.subTest(name):
                self.fails(name, 1, *getattr(refused, name).says, source=refused)

    def test_all_at_once_by_name_with_lines(self):
        said = self.fails(
            "Inexpressible", 1, "exp: no layer does this", "`gain`", "attention: MultiheadAttention", "flip", "dropout",
            "y = torch.exp(self.linear(x)) * self.gain",
        )  # fmt: skip
        self.assertIn("for 5 reasons", said)

    def test_what_torch_fx_cannot_follow(self):
        self.fails("ControlFlow", 1, "decides by a tensor", "if x.sum() > 0")

    def test_what_would_be_silently_wrong(self):
        self.fails("Hooked", 1, "linear: Linear: has a hook")
        self.fails("ViewInPlace", 1, "mul_: changes a tensor in place")

    def test_sizes_where_numbers_are_needed(self):
        self.fails(
            "SizesInOptions", 1, "its padding depends on the input's size", "its other is inf",
            "its kernel_size depends", "view: gives more than one size",
        )  # fmt: skip

    def test_lists_in_turns(self):
        said = self.fails("Interleaved", 1, "block.linears: container", "block.norms: container", "--rename")
        self.assertIn("last.linears: container", said)

    def test_names_of_inputs(self):
        self.fails("Siamese", 2, "forward of Siamese takes left, right, scale", inputs=["left=N,3,16,16"])
        self.fails("Siamese", 2, "takes left, right, scale", inputs=["left=N,3,16,16", "other=N,3,16,16"])
        inputs = ["head=N,3,16,16", "b=N,3,16,16"]
        self.fails("Siamese", 1, "head: Linear: has the name of the input `head`", inputs=inputs)

    def test_an_input_that_does_not_fit(self):
        hint = "--input NAME=DIMS gives an input other sizes, and --set"
        inputs = ["left=N,4,16,16", "right=N,3,16,16"]
        self.fails("Siamese", 1, "fails", "x = F.adaptive_max_pool2d", hint, inputs=inputs)

    def test_sizes_beyond_pytorch_s(self):
        self.fails("Thresholds", 1, "overflow", inputs=["x=N,2000000000,2000000000,2000000000"])

    def test_without_seqc(self):
        before = os.environ["SEQC"]
        self.addCleanup(os.environ.__setitem__, "SEQC", before)
        os.environ["SEQC"] = "/nowhere/seqc"
        status, _, said = self.export("raises", "--check")
        self.assertEqual((status, "--check needs the command" in said), (1, True), said)

    def test_files_and_functions(self):
        self.fails("raises", 1, "ValueError: no such data", "nets.py")
        self.fails("no_module", 1, "gives int, not a torch.nn.Module")
        self.fails("ListUnet", 1, "did you mean ListUNet")
        status, _, said = run("absent.py:f", "-o", self.folder)
        self.assertEqual((status, said.strip()), (1, "export_torch.py: absent.py: no such file"))
        status, _, said = run("neither", "-o", self.folder)
        self.assertEqual((status, "neither torchvision:NAME" in said), (2, True), said)

    def test_weights_that_are_none(self):
        (self.folder / "notes.pt").write_text("root:x:0:0\n")
        status, _, said = self.export("Siamese", "--weights", self.folder / "notes.pt")
        self.assertEqual((status, "cannot be read as a state_dict" in said), (1, True), said)

    def test_weights_that_do_not_fit(self):
        torch.save(nets.Encoder().state_dict(), self.folder / "other.pt")
        status, _, said = self.export("Siamese", "--weights", self.folder / "other.pt")
        self.assertEqual((status, "does not fit" in said), (1, True), said)


if __name__ == "__main__":
    unittest.main()
