"""Ends gpu_check when its time is up, whatever it waits for: a process that no signal ends, a driver that does not answer."""

import ctypes
import os
import pathlib
import signal
import sys
import threading

PR_SET_CHILD_SUBREAPER = 36


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
        for pid in descendants(os.getpid()):
            kill(pid)
        last_words()
        sys.stdout.flush()
    finally:
        os._exit(1)


def kill(pid):
    try:
        os.kill(pid, signal.SIGKILL)
    except OSError:
        pass  # it has ended


def descendants(pid):
    """The processes that one started, theirs, and so on."""
    children = {}
    for path in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(path.read_text().rpartition(")")[2].split()[1])
        except (OSError, ValueError, IndexError):
            continue  # it has ended
        children.setdefault(parent, []).append(int(path.parent.name))
    found = [pid]
    for one in found:
        found += children.get(one, [])
    return found[1:]
