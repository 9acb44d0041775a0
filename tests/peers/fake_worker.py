"""Speaks as a worker does: fake_worker.py BEHAVIOUR [ANSWER.npy]. A run takes 2 ms, which it only says."""

import shutil
import sys
import time

behaviour, *rest = sys.argv[1:]
if behaviour == "no-start":
    print("Traceback\nModuleNotFoundError: No module named 'peer'", file=sys.stderr)
    sys.exit(1)
if behaviour == "mute":
    time.sleep(60)
print("hello" if behaviour == "babbles" else "ready 12.5 2048", flush=True)
for line in sys.stdin:
    word, _, value = line.strip().partition(" ")
    if word == "time" and behaviour == "dies":
        print("out of luck", file=sys.stderr)
        sys.exit(3)
    if word == "time":
        print("times 1" if behaviour == "empty" else "times 10 20000000 20000000 40000000", flush=True)
    elif word == "write":
        shutil.copy(rest[0], value)
        print("written", flush=True)
    elif word == "save":
        open(value, "w", encoding="utf-8").close()
        print("saved", flush=True)
