"""The board's end of the workers: seq's, one process a case, and PyTorch's, one process for all."""

import json
import math
import os
import pathlib
import sys

from peers_board import client
from peers_board.errors import PeerError

from . import machine, process

WORKER = machine.BUILD / "seq_gpu_worker"
TOOLS = pathlib.Path(__file__).resolve().parents[1]


class CaseError(Exception):
    """One case of a worker failed; the worker goes on."""


class TimeUp(PeerError):
    """Not the worker's own limit was reached but the deadline: it may be well."""


class Worker(client.Worker):
    """Waits for `timeout` seconds, and not beyond `deadline`."""

    # Seconds for which one that is to stop may take its time.
    STOPPING = 5.0

    def __init__(self, command, env, timeout, deadline):
        self.deadline = deadline
        with process.STARTING:
            super().__init__(command, env, timeout)

    def stop(self):
        if self.deadline.left() < self.STOPPING:
            self.process.kill()
        super().stop()

    def _line(self):
        own, left = self.timeout, self.deadline.left()
        self.timeout = min(own, left)
        try:
            return super()._line()
        except PeerError as error:
            if left < own and self.deadline.left() <= 0:
                raise TimeUp(f"no answer in the time that was left: {left:.0f} s") from error
            raise
        finally:
            self.timeout = own


class SeqWorker(Worker):
    def __init__(self, spec, x, batch, dtype, tune, timings, env, seconds, deadline, device="cuda", program=WORKER):
        super().__init__([program, spec, x, batch, dtype, tune, timings, device], env, seconds, deadline)

    def flow(self, milliseconds):
        """As `time`, of runs back to back."""
        return self._slice("flow", milliseconds)

    def gpu_us(self, count):
        self._tell(f"gpu {count}")
        return float(self._answer("gpu", 1)[0])

    def plan(self):
        self._tell("plan")
        word, _, text = self._line().partition(" ")
        if word != "plan":
            raise self._failure(f"it says `{word[:60]}` where `plan` is due")
        return json.loads(text)

    def write_weights(self, path):
        self._tell(f"weights {path}")
        self._answer("written", 0)


class TorchWorker(Worker):
    """Raises CaseError where a case fails, PeerError where the process is gone."""

    START_SECONDS = 120.0

    def __init__(self, env, deadline, device="cuda"):
        super().__init__(self.command(device), env, self.START_SECONDS, deadline)
        self.version = None

    def command(self, device):
        return [sys.executable, "-m", "gpu_board.torch_worker", device]

    def ask(self, do, seconds, deadline, **request):
        self.deadline = deadline
        if self.version is None:
            self.timeout = self.START_SECONDS
            self.version = self._reply()["ready"]
        self.timeout = seconds
        self._tell(json.dumps({"do": do} | request))
        reply = self._reply()
        if "error" in reply:
            raise CaseError(reply["error"])
        return reply

    def _reply(self):
        line = self._line()
        try:
            return json.loads(line)
        except ValueError:
            raise self._failure(f"it says `{line[:60]}`") from None


def torch_environment(env):
    """Without what makes PyTorch's libraries others than its own. Where the loader looks is as it was before: containers
    have the driver there. Where Python looks too, after the tools: PyTorch may be there."""
    own = {key: value for key, value in env.items() if key not in ("LD_LIBRARY_PATH", "SEQ_CUDNN")}
    if "LD_LIBRARY_PATH" in os.environ:
        own["LD_LIBRARY_PATH"] = os.environ["LD_LIBRARY_PATH"]
    own["PYTHONPATH"] = os.pathsep.join(filter(None, [str(TOOLS), own.get("PYTHONPATH")]))
    return own


def distance(answer, expected):
    """The norm of the difference over that of `expected`; infinite where it is no number."""
    if len(answer) != len(expected):
        raise ValueError(f"the answer has {len(answer)} numbers, and {len(expected)} are expected")
    apart = math.sqrt(sum((a - b) ** 2 for a, b in zip(answer, expected)))
    result = apart / max(math.sqrt(sum(b * b for b in expected)), 1e-300)
    return result if math.isfinite(result) else math.inf


__all__ = ["CaseError", "PeerError", "SeqWorker", "TimeUp", "TorchWorker", "distance", "torch_environment"]
