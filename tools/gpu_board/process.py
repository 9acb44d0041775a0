"""Runs a program with a time limit, all of whose processes end with it."""

import os
import signal
import subprocess
import threading


LIVE = set()


class Result:
    def __init__(self, status, text, timed_out):
        self.status, self.text, self.timed_out = status, text, timed_out

    def words(self):
        """How it ended, in words; None where all is well."""
        if self.timed_out:
            return "stopped, since its time was up"
        if self.status < 0:
            return f"died of signal {-self.status} ({signal.Signals(-self.status).name})"
        return f"status {self.status}" if self.status else None


def run(command, seconds, env=None, cwd=None, on_line=lambda line: None):
    """Its output goes line by line to `on_line`, and is in the result."""
    try:
        process = subprocess.Popen(
            [str(word) for word in command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            env=env, cwd=cwd, start_new_session=True,
        )  # fmt: skip
    except OSError as error:
        return Result(127, f"{command[0]}: {error.strerror}\n", False)
    LIVE.add(process)
    expired = threading.Event()

    def expire():
        expired.set()
        end(process)

    timer = threading.Timer(max(seconds, 0.1), expire)
    timer.start()
    lines = []
    try:
        for line in process.stdout:
            lines.append(line.decode(errors="replace"))
            on_line(lines[-1])
        status = process.wait()
    except BaseException:
        end(process)
        raise
    finally:
        timer.cancel()
        LIVE.discard(process)
        process.stdout.close()
    return Result(status, "".join(lines), expired.is_set())


def stop(*_):
    """What a signal that ends this process does: no child outlives it."""
    for process in list(LIVE):
        end(process)
    raise KeyboardInterrupt


def end(process):
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
