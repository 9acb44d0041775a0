#!/usr/bin/env python3
"""Which CUDA toolkit and cuDNN tools/gpu_check takes of several."""

import os
import pathlib
import subprocess
import sys
import tempfile
import unittest
import unittest.mock

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tools"))

from gpu_board import build, machine  # noqa: E402

CUDNN = """
extern "C" unsigned long cudnnGetCudartVersion() { return VERSION; }
"""


class Places(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def toolkit(self, name, release):
        folder = self.folder / name
        (folder / "bin").mkdir(parents=True)
        nvcc = folder / "bin/nvcc"
        nvcc.write_text(f"#!/bin/sh\necho 'Cuda compilation tools, release {release}, V{release}.1'\n")
        nvcc.chmod(0o755)
        return folder

    def cudnn(self, name):
        for path in ("include/cudnn_backend.h", "lib/libcudnn.so.9"):
            (self.folder / name / path).parent.mkdir(parents=True, exist_ok=True)
            (self.folder / name / path).write_text(name)
        return self.folder / name

    def find_toolkit(self, on_path, named):
        notes = []
        with (
            unittest.mock.patch.object(machine, "LOCAL", str(self.folder)),
            unittest.mock.patch.object(machine, "pip_folders", lambda: []),
            unittest.mock.patch.dict(os.environ, {"PATH": f"{on_path}/bin:/usr/bin:/bin", "CUDA_HOME": str(named)}),
        ):
            os.environ.pop("CUDAToolkit_ROOT", None)
            os.environ.pop("CUDA_PATH", None)
            return machine.find_toolkit(notes), "\n".join(notes)

    def test_the_newest_toolkit_is_taken_wherever_it_is(self):
        old, new = self.toolkit("old", "12.4"), self.toolkit("cuda-13.2", "13.2")
        middle = self.toolkit("cuda-13.0", "13.0")
        for on_path, named in ((old, middle), (middle, old)):
            found, notes = self.find_toolkit(on_path, named)
            self.assertEqual(found, new)
            self.assertIn(f"CUDA toolkit: 13.2, in {new}", notes)
            self.assertIn(f"the CUDA toolkit in {old} is not taken: it is 12.4", notes)

    def test_toolkits_that_are_too_old_are_named_where_there_is_no_other(self):
        old = self.toolkit("old", "12.4")
        found, notes = self.find_toolkit(old, self.toolkit("mute", ""))
        self.assertIsNone(found)
        lack = build.missing(machine.Place(None, None, None, (), tuple(notes.splitlines())))
        self.assertIn("there is no CUDA toolkit 13.0 or later", lack)
        self.assertIn(f"the CUDA toolkit in {old} is not taken: it is 12.4, and 13.0 or later is needed", lack)
        self.assertIn("of no version that its nvcc tells", lack)

    def find_cudnn(self, roots, cudas):
        notes = []
        with unittest.mock.patch.object(machine, "cuda_of", lambda library: cudas[library.parents[1].name]):
            return machine.find_cudnn(roots, notes), "\n".join(notes)

    def test_a_cudnn_for_this_cuda_is_taken_before_another(self):
        pip, toolkit = self.cudnn("pip"), self.cudnn("toolkit")
        found, notes = self.find_cudnn([pip, toolkit], {"pip": 12, "toolkit": 13})
        self.assertEqual(found, (toolkit / "include", toolkit / "lib/libcudnn.so.9"))
        self.assertIn(f"cuDNN: for CUDA 13, {toolkit}/lib/libcudnn.so.9", notes)
        self.assertIn(f"the cuDNN in {pip}/lib/libcudnn.so.9 is not taken: it is for CUDA 12", notes)
        self.assertEqual(self.find_cudnn([pip, toolkit], {"pip": 13, "toolkit": 13})[0][0], pip / "include")

    def test_another_cudnn_is_taken_where_there_is_no_other_and_that_is_said(self):
        pip, bare = self.cudnn("pip"), self.cudnn("bare")
        (bare / "include/cudnn_backend.h").unlink()
        found, notes = self.find_cudnn([bare, pip], {"pip": 12})
        self.assertEqual(found[0], pip / "include")
        self.assertIn("no cuDNN is for CUDA 13 (pip install nvidia-cudnn-cu13)", notes)
        self.assertIn(f"cuDNN in {bare} is not taken: it has no cudnn_backend.h", notes)
        self.assertEqual(self.find_cudnn([], {})[0], (None, None))

    def test_a_cudnn_says_which_cuda_it_is_for(self):
        source, library = self.folder / "cudnn.cpp", self.folder / "libcudnn.so.9"
        source.write_text(CUDNN)
        subprocess.run([os.environ.get("CXX", "g++"), "-shared", "-fPIC", "-DVERSION=12090", "-o", library, source], check=True)
        self.assertEqual(machine.cuda_of(library), 12)
        self.assertIsNone(machine.cuda_of(source))


if __name__ == "__main__":
    unittest.main()
