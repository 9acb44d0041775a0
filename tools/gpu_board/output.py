"""The files of results, and what is said meanwhile."""

import json
import os
import threading
import time

START = time.monotonic()


def say(text):
    print(f"[{time.monotonic() - START:5.0f} s] {text}", flush=True)


class Output:
    """Its methods may be called by several threads."""

    FILES = (
        "versions.json", "device_properties.json", "build.log", "tests.json", "tests.txt", "bench.json", "bench.txt", "timing_cache.json",
    )  # fmt: skip

    def __init__(self, folder):
        self.folder, self.writing, self.last_writer = folder, threading.RLock(), None
        folder.mkdir(parents=True, exist_ok=True)

    def path(self, name):
        return self.folder / name

    def write(self, name, text):
        """Whole or not at all."""
        staged = self.folder / f".{name}"
        with self.writing:
            self.wait_for_the_end()
            try:
                staged.write_text(text)
                os.replace(staged, self.folder / name)
            finally:
                staged.unlink(missing_ok=True)

    def write_json(self, name, value):
        self.write(name, json.dumps(value, indent=1) + "\n")

    def append(self, name, text):
        with self.writing:
            self.wait_for_the_end()
            with open(self.folder / name, "a") as file:
                file.write(text)

    def wait_for_the_end(self):
        """Of the process, where another thread is the only one that writes."""
        if self.last_writer not in (None, threading.get_ident()):
            threading.Event().wait()

    def take_over(self):
        """From here on only this thread writes; and what others had begun to write is gone."""
        self.last_writer = threading.get_ident()
        if not self.writing.acquire(timeout=1):
            for name in self.FILES:
                (self.folder / f".{name}").unlink(missing_ok=True)
        self.remove_drafts()

    def remove_drafts(self):
        """Of workers that were ended while they wrote."""
        for draft in self.folder.glob("timing_cache.json.*.tmp"):
            draft.unlink(missing_ok=True)
