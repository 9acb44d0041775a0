"""The files of results, and what is said meanwhile."""

import json
import os
import time

START = time.monotonic()


def say(text):
    print(f"[{time.monotonic() - START:5.0f} s] {text}", flush=True)


class Output:
    def __init__(self, folder):
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def path(self, name):
        return self.folder / name

    def write(self, name, text):
        """Whole or not at all."""
        staged = self.folder / f".{name}"
        staged.write_text(text)
        os.replace(staged, self.folder / name)

    def write_json(self, name, value):
        self.write(name, json.dumps(value, indent=1) + "\n")

    def append(self, name, text):
        with open(self.folder / name, "a") as file:
            file.write(text)
