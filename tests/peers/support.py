"""What the tests of tools/peers share."""

import array
import pathlib
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "tools"))
sys.dont_write_bytecode = True

from peers_board import answers, client  # noqa: E402


def npy(path, values, shape=None):
    """Writes a .npy file of f32."""
    answers.write_npy(path, tuple(shape or (len(values),)), array.array("f", values))
    return str(path)


def fake(behaviour, *arguments, timeout=20.0):
    return client.Worker([sys.executable, HERE / "fake_worker.py", behaviour, *arguments], timeout=timeout)


class Temporary(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
