"""All steps of a board, from the options to the files."""

import datetime
import json
import os
import pathlib
import subprocess
import sys
import tempfile

from . import case, client, cold, dtypes, environment, machine, making, networks, quiet, report
from .errors import BoardError


def say(*words):
    print("peers:", *words, file=sys.stderr, flush=True)


class Board:
    def __init__(self, options):
        self.options = options
        self.env = client.environment(environment.ROOT / "tools")
        self.env["SEQ_PEERS_LOOP"] = environment.build_loop()
        seq_worker = self._seq_worker() if "seq" in options.peers else None
        if seq_worker:
            dtypes.require(seq_worker, options.dtype)
        rtneural = environment.build_rtneural_worker(options.rtneural) if "rtneural" in options.peers else None
        self.python = environment.find_python(options.python) or environment.install()
        versions = machine.versions(self.python, self.env, environment.ROOT)
        self.launch = case.Launch(self.python, seq_worker, self.env, rtneural, dtype=options.dtype)
        if seq_worker and options.seq_worker:
            built = datetime.datetime.fromtimestamp(os.path.getmtime(seq_worker)).isoformat(" ", "minutes")
            versions["seq"] = f"of {options.seq_worker}, built {built}"
        self.folder = making.folder_of(versions)
        keys = ("peers", "rounds", "slice_ms", "cold_runs", "networks", "threads", "dtype")
        self.content = {
            "date": datetime.datetime.now().astimezone().isoformat(timespec="seconds"),
            "machine": machine.describe(),
            "versions": versions,
            "settings": {key: getattr(options, key) for key in keys},
            "noise": [],
            "cases": [],
            "cold": [],
        }

    def _seq_worker(self):
        if self.options.seq_worker is None:
            return environment.build_seq_worker()
        return environment.find_seq_worker(self.options.seq_worker)

    def make_networks(self):
        """{(network, peer, batch): reason} for what could not be made."""
        failed = {}
        for name in self.options.networks:
            network, batches = networks.find(name), self.batches(name)
            say(f"{name}: making its files, where they are missing")
            reasons = making.make(self.python, self.env, self.folder, network, batches, self.options.peers)
            for (peer, batch), reason in reasons.items():
                say(f"{name}:{batch}: {peer} has no files: {reason}")
                failed[name, peer, batch] = reason
        return failed

    def batches(self, name):
        wanted = self.options.batches
        network = networks.find(name)
        if network.argument:  # any batch may be asked for
            return wanted or list(network.batches)
        return [batch for batch in network.batches if wanted is None or batch in wanted]

    def look_around(self):
        for reason in quiet.look():
            say(f"warning: this machine is not quiet: {reason}")
            self.content["noise"].append(reason)

    def run(self):
        failed = self.make_networks()
        self.look_around()
        todo = [(n, b, t) for n in self.options.networks for b in self.batches(n) for t in self.options.threads]
        for number, (name, batch, threads) in enumerate(todo):
            peers = [peer for peer in self.options.peers if (name, peer, batch) not in failed]
            where = f"[{number + 1}/{len(todo)}] {name}:{batch}, {threads} thread{'s' if threads > 1 else ''}"
            files = making.files(self.folder, networks.find(name), batch)
            absent = {p: {"error": failed[name, p, batch]} for p in self.options.peers if p not in peers}
            self.content["cases"].append(self._time(files, threads, peers, where, absent))
            self.write()
            if self._is_cold(name, batch, threads):
                on_run = progress(f"{where}, cold start", self.options.cold_runs)
                self.content["cold"].append(cold.measure(self.launch, files, threads, peers, self.options.cold_runs, on_run))
                self.write()

    def _time(self, files, threads, peers, where, absent):
        if not os.path.exists(files.y):
            return {"network": files.network.name, "batch": files.batch, "threads": threads, "best_peer": None,
                    "ratio": None, "peers": absent}  # fmt: skip
        say(f"{where}: loading")
        options = self.options
        on_round = progress(where, options.rounds)
        found = case.measure(self.launch, files, threads, peers, options.rounds, options.slice_ms, on_round)
        found["peers"] |= absent
        for peer, result in found["peers"].items():
            if "error" in result:
                say(f"{where}: {peer} failed: {result['error']}")
            elif result.get("agrees") is False:
                say(f"{where}: {peer}'s answer is {result['difference']:.2g} of the largest magnitude from PyTorch's")
        if found["ratio"]:
            best = found["best_peer"]
            own, other = (report.number(found["peers"][p]["median_ms"]) for p in ("seq", best))
            say(f"{where}: seq {own} ms, {best} {other} ms, ratio {found['ratio']:.2f}")
        return found

    def _is_cold(self, name, batch, threads):
        return self.options.cold_runs > 0 and batch == min(self.batches(name)) and threads == max(self.options.threads)

    def write(self):
        if self.options.out is None:
            return
        self.options.out.mkdir(parents=True, exist_ok=True)
        write_whole(self.options.out / "board.json", json.dumps(self.content, indent=1) + "\n")
        write_whole(self.options.out / "board.md", report.text(self.content))


def progress(where, total):
    """Shows the round on a terminal, in place."""
    if not sys.stderr.isatty():
        return lambda number: None

    def show(number):
        end = "\r" if number + 1 < total else "\r\033[K"
        print(f"peers: {where}: {number + 1} of {total}", end=end, file=sys.stderr, flush=True)

    return show


def write_whole(path, text):
    with tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False, encoding="utf-8") as file:
        file.write(text)
    os.chmod(file.name, 0o644)
    os.replace(file.name, path)


def draw(python, env, source, target):
    """The picture, or a word on why there is none."""
    done = subprocess.run([python, "-m", "peers_board.picture", source, target], env=env, capture_output=True, text=True)
    if done.returncode != 0:
        words = done.stderr.strip().splitlines()
        say(f"there is no picture: {words[-1] if words else f'status {done.returncode}'}")
    else:
        say(f"the picture is {target}")


def run(options):
    compares = networks.compares(options.peers)
    if not compares:
        say(f"--peers {','.join(options.peers)}: there are no ratios without seq and a peer beside it")
    board = Board(options)
    board.run()
    print(report.text(board.content), end="")
    if options.out is None:
        say("no board is written; -o DIR writes one")
    else:
        say(f"the board is {options.out / 'board.json'}, its tables {options.out / 'board.md'}")
    if compares:
        draw(board.python, board.env, options.out / "board.json", options.out / f"board.{options.picture}")
    nothing = untimed(board.content["cases"])
    if nothing:
        raise BoardError(f"nothing was timed of {', '.join(nothing)}: the board says why")


def untimed(cases):
    """The networks with their batches that no peer has run."""
    failed = [case for case in cases if all("error" in result for result in case["peers"].values())]
    return list(dict.fromkeys(f"{case['network']}:{case['batch']}" for case in failed))


def render(options):
    """The tables and the picture of a board that was measured before."""
    path = pathlib.Path(options.render)
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        words = report.text(content)
    except (ValueError, KeyError, TypeError) as error:
        what = f"it lacks {error}" if isinstance(error, KeyError) else str(error)
        raise BoardError(f"{path}: this is no board of tools/peers: {what}; --render takes the board.json of a folder that -o named") from error
    print(words, end="")
    python = environment.find_python(options.python)
    if python is None:
        say("there is no picture: it takes matplotlib, and the peers are not installed; --python PATH names a Python that has it")
        return
    draw(python, client.environment(environment.ROOT / "tools"), path, path.with_suffix(f".{options.picture}"))
