"""The board's end of a worker: starts it, tells it what to do, and turns what goes wrong into a PeerError."""

import os
import select
import subprocess
import tempfile
import time

from .errors import PeerError

# What would make one library faster or slower behind the board's back.
STRIPPED = ("OMP_", "KMP_", "GOMP_", "MKL_", "DNNL_", "ONEDNN_", "TBB_", "OV_", "ORT_", "TORCH_", "OPENBLAS_")


def environment(extra_path=None):
    kept = {key: value for key, value in os.environ.items() if not key.startswith(STRIPPED)}
    if extra_path:
        kept["PYTHONPATH"] = os.pathsep.join(filter(None, [str(extra_path), kept.get("PYTHONPATH")]))
    return kept


class Worker:
    """Raises PeerError from every method; the process is then gone. Use it in a with statement."""

    def __init__(self, command, env=None, timeout=300.0):
        self.timeout = timeout
        self.errors = tempfile.TemporaryFile()
        self.buffer = b""
        self.started = time.perf_counter()
        try:
            self.process = subprocess.Popen(
                [str(word) for word in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors, env=env
            )
        except OSError as error:
            self.errors.close()
            raise PeerError(f"{command[0]}: {error.strerror}") from error

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    @property
    def pid(self):
        return self.process.pid

    def wait_ready(self):
        """Once the first answer is there: milliseconds since the start of the process, and what the worker says."""
        load_ms, base_kib = self._answer("ready", 2)
        return {
            "cold_ms": (time.perf_counter() - self.started) * 1000,
            "load_ms": float(load_ms),
            "base_kib": int(base_kib),
        }

    def time(self, milliseconds):
        """(repeats, [nanoseconds, ...]) of a slice."""
        return self._slice("time", milliseconds)

    def _slice(self, word, milliseconds):
        self._tell(f"{word} {milliseconds:g}")
        repeats, *times = map(int, self._answer("times"))
        if repeats < 1 or not times or min(times) < 0:
            raise self._failure("it answers with no times")
        return repeats, times

    def write(self, path):
        self._tell(f"write {path}")
        self._answer("written", 0)

    def save(self, path):
        self._tell(f"save {path}")
        self._answer("saved", 0)

    def peak_kib(self):
        """The most memory that the process held so far."""
        try:
            with open(f"/proc/{self.pid}/status") as status:
                return next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
        except (OSError, StopIteration) as error:
            raise self._failure("its memory cannot be read") from error

    def stop(self):
        if self.process.stdin and not self.process.stdin.closed:
            try:
                self.process.stdin.close()
            except OSError:
                pass
        try:
            self.process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
        self.errors.close()

    def _tell(self, line):
        try:
            self.process.stdin.write(line.encode() + b"\n")
            self.process.stdin.flush()
        except (OSError, ValueError) as error:
            raise self._failure("it ended") from error

    def _answer(self, word, count=None):
        line = self._line()
        first, *rest = line.split() or [""]
        if first != word or count is not None and len(rest) != count:
            raise self._failure(f"it says `{line[:60]}` where `{word}` is due")
        return rest

    def _line(self):
        until = time.monotonic() + self.timeout
        while b"\n" not in self.buffer:
            left = until - time.monotonic()
            if left <= 0 or not select.select([self.process.stdout], [], [], left)[0]:
                raise self._failure(f"no answer in {self.timeout:.0f} s")
            piece = os.read(self.process.stdout.fileno(), 1 << 16)
            if not piece:
                raise self._failure("it ended")
            self.buffer += piece
        line, _, self.buffer = self.buffer.partition(b"\n")
        return line.decode(errors="replace")

    def _failure(self, reason):
        """Ends the process; the error has its last words."""
        if self.process.poll() is None:
            try:
                self.process.wait(timeout=0.5 if reason == "it ended" else 0)
            except subprocess.TimeoutExpired:
                self.process.kill()
        status = self.process.wait()
        self.errors.seek(0)
        words = [line for line in self.errors.read().decode(errors="replace").splitlines() if line.strip()]
        if reason == "it ended":
            reason = f"the worker ended with status {status}" if status >= 0 else f"the worker died of signal {-status}"
        return PeerError(f"{reason}: {words[-1].strip()}" if words else reason)
