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
extern "C" unsigned long cudnnGetVersion() { return 91901; }
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

    def find_cudnn(self, roots, cudas, versions={}):
        notes = []

        def told_by(library):
            name = library.parents[1].name
            return versions.get(name, (9, 19)), cudas[name]

        with unittest.mock.patch.object(machine, "told_by", told_by):
            return machine.find_cudnn(roots, notes), "\n".join(notes)

    def test_a_cudnn_for_this_cuda_is_taken_before_another(self):
        pip, toolkit = self.cudnn("pip"), self.cudnn("toolkit")
        found, notes = self.find_cudnn([pip, toolkit], {"pip": 12, "toolkit": 13})
        self.assertEqual(found, (toolkit / "include", toolkit / "lib/libcudnn.so.9"))
        self.assertIn(f"cuDNN: 9.19, for CUDA 13, {toolkit}/lib/libcudnn.so.9", notes)
        self.assertIn(f"the cuDNN in {pip}/lib/libcudnn.so.9 is not taken: it is 9.19, for CUDA 12, and cuDNN 9.11 or later for CUDA 13 is needed", notes)
        self.assertEqual(self.find_cudnn([pip, toolkit], {"pip": 13, "toolkit": 13})[0][0], pip / "include")

    def test_a_cudnn_that_does_not_fit_is_none_and_that_is_said(self):
        pip, bare, old = self.cudnn("pip"), self.cudnn("bare"), self.cudnn("old")
        (bare / "include/cudnn_backend.h").unlink()
        found, notes = self.find_cudnn([bare, pip, old], {"pip": 12, "old": 13}, {"old": (9, 10)})
        self.assertEqual(found, (None, None))
        lack = build.missing(machine.Place(self.folder, None, None, (), tuple(notes.splitlines())))
        self.assertIn("there is no cuDNN 9.11 or later for CUDA 13: neither in this Python's packages (pip install nvidia-cudnn-cu13)", lack)
        self.assertIn(f"the cuDNN in {pip}/lib/libcudnn.so.9 is not taken: it is 9.19, for CUDA 12, and cuDNN 9.11 or later for CUDA 13 is needed", lack)
        self.assertIn(f"the cuDNN in {old}/lib/libcudnn.so.9 is not taken: it is 9.10, for CUDA 13, and cuDNN 9.11 or later for CUDA 13 is needed", lack)
        self.assertIn(f"cuDNN in {bare} is not taken: it has no cudnn_backend.h", lack)
        self.assertEqual(self.find_cudnn([], {})[0], (None, None))

    def test_headers_that_are_too_old_do_not_fit_either(self):
        pip = self.cudnn("pip")
        (pip / "include/cudnn_version.h").write_text("#define CUDNN_MAJOR 9\n#define CUDNN_MINOR 8\n#define CUDNN_PATCHLEVEL 0\n")
        found, notes = self.find_cudnn([pip], {"pip": 13})
        self.assertEqual(found, (None, None))
        self.assertIn("it is 9.8, for CUDA 13, and cuDNN 9.11 or later", notes)

    def test_one_that_does_not_say_is_taken_where_there_is_no_other(self):
        mute, pip = self.cudnn("mute"), self.cudnn("pip")
        found, notes = self.find_cudnn([mute], {"mute": None}, {"mute": None})
        self.assertEqual(found[0], mute / "include")
        self.assertIn("cuDNN: of no version that it tells, for a CUDA that it does not tell", notes)
        self.assertEqual(self.find_cudnn([mute, pip], {"mute": None, "pip": 13}, {"mute": None})[0][0], pip / "include")

    def test_a_cudnn_says_which_cuda_it_is_for(self):
        source, library = self.folder / "cudnn.cpp", self.folder / "libcudnn.so.9"
        source.write_text(CUDNN)
        subprocess.run([os.environ.get("CXX", "g++"), "-shared", "-fPIC", "-DVERSION=12090", "-o", library, source], check=True)
        self.assertEqual(machine.told_by(library), ((9, 19), 12))
        self.assertEqual(machine.told_by(source), (None, None))


if __name__ == "__main__":
    unittest.main()
