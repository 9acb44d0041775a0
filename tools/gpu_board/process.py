"""Runs a program with a time limit, all of whose processes end with it."""

import os
import select
import signal
import subprocess
import threading
import time

LIVE = set()
# Held while a process is started, and taken for good by what ends this one.
STARTING = threading.RLock()
# Seconds for which one that was ended is waited for: what hangs in a driver does not end, what left its group is not ended.
ENDING = 5


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


def start_no_more():
    """Who would start a process after this waits for the end of this one."""
    STARTING.acquire(timeout=1)


def run(command, seconds, env=None, cwd=None, on_line=lambda line: None):
    """Its output goes line by line to `on_line`, and is in the result."""
    try:
        with STARTING:
            process = subprocess.Popen(
                [str(word) for word in command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                env=env, cwd=cwd, start_new_session=True,
            )  # fmt: skip
    except OSError as error:
        return Result(127, f"{command[0]}: {error.strerror}\n", False)
    LIVE.add(process)
    lines = []
    try:
        until = time.monotonic() + max(seconds, 0.1)
        expired = follow(process, until, lines, on_line) or not has_ended(process, until - time.monotonic())
        if expired:
            end(process)
            has_ended(process, ENDING)
        status = process.returncode if process.returncode is not None else -signal.SIGKILL
    except BaseException:
        end(process)
        raise
    finally:
        LIVE.discard(process)
        process.stdout.close()
    return Result(status, "".join(lines), expired)


def follow(process, until, lines, on_line):
    """Takes its output until it closes it. Whether its time was up first: then it is ended."""
    expired, rest = False, b""
    while True:
        left = until - time.monotonic()
        if left <= 0 and expired:
            break
        if left <= 0:
            expired, until = True, time.monotonic() + ENDING
            end(process)
        elif select.select([process.stdout], [], [], left)[0]:
            piece = os.read(process.stdout.fileno(), 1 << 16)
            if not piece:
                break
            *whole, rest = (rest + piece).split(b"\n")
            for line in whole:
                lines.append(line.decode(errors="replace") + "\n")
                on_line(lines[-1])
    if rest:
        lines.append(rest.decode(errors="replace"))
        on_line(lines[-1])
    return expired


def has_ended(process, seconds):
    try:
        process.wait(max(seconds, 0))
    except subprocess.TimeoutExpired:
        return False
    return True


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
