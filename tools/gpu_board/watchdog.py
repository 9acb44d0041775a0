"""Ends gpu_check when its time is up, whatever it waits for: a process that no signal ends, a driver that does not answer."""

import ctypes
import os
import pathlib
import signal
import threading
import time

from . import process

PR_SET_CHILD_SUBREAPER = 36
# Seconds for each of two rounds of killing, and for the last words, which may wait for a reader of standard output.
KILLING, SPEAKING = 1.5, 3


def start(seconds, last_words):
    """After so many seconds kills all that this process started, calls `last_words`, and ends it with status 1."""
    # What processes leave behind that end before theirs becomes this one's.
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    timer = threading.Timer(max(seconds, 0), expire, [last_words])
    timer.daemon = True
    timer.start()
    return timer


def expire(last_words):
    try:
        process.start_no_more()
        kill_all(KILLING)
        speaker = threading.Thread(target=last_words, daemon=True)
        speaker.start()
        speaker.join(SPEAKING)
        kill_all(KILLING)
    finally:
        os._exit(1)


def kill_all(seconds):
    """Until none is left: what is killed may have started another meanwhile."""
    until = time.monotonic() + seconds
    while found := descendants(os.getpid()):
        for pid in found:
            kill(pid)
        if time.monotonic() > until:
            break
        time.sleep(0.02)


def kill(pid):
    try:
        os.kill(pid, signal.SIGKILL)
    except OSError:
        pass  # it has ended


def descendants(pid):
    """The processes that one started, theirs, and so on, which have not ended."""
    children = {}
    for path in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent = path.read_text().rpartition(")")[2].split()[:2]
        except (OSError, ValueError):
            continue  # it has ended
        if state not in "ZX":
            children.setdefault(int(parent), []).append(int(path.parent.name))
    found = [pid]
    for one in found:
        found += children.get(one, [])
    return found[1:]
