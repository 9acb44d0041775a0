"""What tests of tools/gpu_check have in common."""

import contextlib
import io
import pathlib
import tempfile
import unittest

from gpu_board.output import Output


class Quiet(unittest.TestCase):
    """With a folder for results."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.output = Output(self.folder / "with spaces")
        self.said = io.StringIO()
        hidden = contextlib.redirect_stdout(self.said)
        hidden.__enter__()
        self.addCleanup(hidden.__exit__, None, None, None)
