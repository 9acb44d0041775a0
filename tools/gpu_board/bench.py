"""Times seq beside PyTorch on the GPU: each case in interleaved rounds, the most telling cases first."""

import array
import importlib.util
import math
import random
import shutil
import time

from peers_board import answers, figures

from . import bench_report, machine, workers
from .budget import Deadline
from .output import say
from .workers import CaseError, PeerError, TimeUp

SPECS = machine.ROOT / "tests/data/networks"
# For inputs and answers, which may be large: gone when the bench is.
SCRATCH = machine.BUILD / "bench"
SHAPE = (3, 224, 224)
BATCHES = (1, 32, 128)
ROUNDS = 3
SLICE_MS = 70
# Relative distances from the exact answer that seq may have. PyTorch's may be larger: it is there to be timed, takes transforms
# (Winograd) for f32, and libraries may cut numbers off for tf32.
ALLOWED = {"f32": 1e-5, "tf32": 2e-3, "f16": 2e-3, "bf16": 2e-2}
OTHERS_MORE = 10
TORCH = ("torch-eager", "torch-graph")
COMPILED = "torch-compile"
# Seconds without which a case is not begun, and those that a case may take for one thing.
LEAST, TUNE_MOST, COMPILE_MOST, LOAD_MOST = 8, 60, 120, 40


# What has a goal, and of that what has it beside torch.compile.
GOALS_COMPILED = [("resnet50", "f16", batch) for batch in (1, 32, 128)]
GOALS = [*GOALS_COMPILED, ("resnet50", "tf32", 128)]


def cases():
    """(network, dtype, batch), the most telling ones first."""
    order = [(network, dtype) for dtype in ("f16", "tf32", "bf16", "f32") for network in ("mobilenet_v2", "vgg16", "resnet50")]
    rest = [(network, dtype, batch) for network, dtype in order for batch in (1, 128, 32)]
    return GOALS + [case for case in rest if case not in GOALS]


def passes(order):
    """(case, whether torch.compile is measured too), in the order in which they are measured: the goals without
    torch.compile, which takes minutes, and with it, then all else in the same way."""
    goals, rest = [case for case in order if case in GOALS], [case for case in order if case not in GOALS]
    compiled = [case for case in goals if case in GOALS_COMPILED]
    later = [case for case in goals if case not in GOALS_COMPILED]
    return [(case, False) for case in goals] + [(case, True) for case in compiled] + [
        *((case, False) for case in rest), *((case, True) for case in later + rest)
    ]  # fmt: skip


def run(output, gpu, place, deadline):
    if not workers.WORKER.exists():
        return f"there is no {workers.WORKER.relative_to(machine.ROOT)}: --build makes it"
    remove_scratch()
    SCRATCH.mkdir(parents=True)
    board = Board(output, place.environment(), SCRATCH, deadline)
    try:
        return board.run(cases())
    finally:
        board.close()
        remove_scratch()


def remove_scratch():
    shutil.rmtree(SCRATCH, ignore_errors=True)


def has_torch():
    return all(importlib.util.find_spec(name) for name in ("torch", "torchvision"))


def agrees(name, dtype, apart):
    return apart <= ALLOWED[dtype] * (1 if name == "seq" else OTHERS_MORE)


class Board:
    def __init__(self, output, env, folder, deadline, device="cuda", program=workers.WORKER, torch=None, shape=SHAPE):
        self.output, self.env, self.folder, self.deadline = output, env, folder, deadline
        self.device, self.program, self.shape = device, program, shape
        self.results, self.left_out, self.notes = {}, [], []
        self.torch = {}
        self.with_torch = has_torch() if torch is None else torch
        if self.with_torch:
            self.torch_worker(compiles=False)  # it imports PyTorch while the first case is tuned
        else:
            self.note("PyTorch is left out: this Python has no torch and torchvision")

    def run(self, order):
        say(f"bench: {len(order)} cases, at most {self.deadline.left():.0f} s")
        for case, compiled in passes(order):
            if compiled:
                self.compile(case)
            elif self.deadline.left() < LEAST:
                self.left_out.append(list(case))
            else:
                self.guarded(case, False)
        self.save()
        print(bench_report.text(self.document()), flush=True)
        failed = [case for case, result in self.results.items() if "error" in result["peers"].get("seq", {})]
        wrong = [case for case, result in self.results.items() if result["peers"].get("seq", {}).get("agrees") is False]
        if failed or wrong:
            return "; ".join(f"{' '.join(map(str, case))}: {'it fails' if case in failed else 'a wrong answer'}" for case in failed + wrong)
        return None

    def compile(self, case):
        """Measures again what was measured, with torch.compile beside it."""
        if not self.with_torch or case not in self.results:
            return
        if self.deadline.left() > 2 * LEAST + 30:
            self.guarded(case, True)
        elif case in GOALS_COMPILED:
            self.note(f"{' '.join(map(str, case))}: torch.compile is left out: no time was left")

    def guarded(self, case, compiled):
        began = time.monotonic()
        peers = {}
        try:
            self.measure(case, peers, compiled)
        except TimeUp as error:
            self.cut_short(case, str(error))
            return
        except PeerError as error:
            peers.setdefault("seq", {})["error"] = str(error)
        old = self.results.get(case, {}).get("peers", {})
        if "error" in peers.get("seq", {}) and "error" not in old.get("seq", {"error": ""}):
            return
        self.results[case] = {"network": case[0], "dtype": case[1], "batch": case[2], "peers": peers}
        self.save()
        say(f"bench: {bench_report.line(self.results[case])} ({time.monotonic() - began:.0f} s)")

    def cut_short(self, case, why):
        """What was measured of it before stays."""
        self.note(f"{' '.join(map(str, case))}: cut short{', and as it was before' if case in self.results else ''}: {why}")
        if case not in self.results:
            self.left_out.append(list(case))
        self.save()

    def measure(self, case, peers, compiled):
        network, dtype, batch = case
        with self.start_seq(case, peers) as worker:
            weights = self.folder / f"{network}.safetensors"
            if self.with_torch and not weights.exists():
                for other in self.folder.glob("*.safetensors"):
                    other.unlink()
                worker.write_weights(weights)
            names = self.load_torch(case, [*TORCH, *[COMPILED] * compiled], peers) if self.with_torch else []
            self.compare(case, worker, names, peers)
            times = {name: {"time": [], "flow": []} for name in ["seq", *names]}
            for number in range(ROUNDS):
                for name in figures.order(list(times), number):
                    for what in ("time", "flow"):
                        self.slice(worker, name, what, times, peers)
            for name, kinds in times.items():
                if kinds["flow"] and "error" not in peers[name]:
                    peers[name] |= {what: figures.summarize(rounds) for what, rounds in kinds.items()}
                    peers[name]["samples_per_s"] = batch * 1000 / peers[name]["flow"]["median_ms"]
            if self.device == "cuda":
                peers["seq"]["gpu_us"] = worker.gpu_us(20)
            peers["seq"]["plan"] = worker.plan()
            self.drop(names)

    def slice(self, worker, name, what, times, peers):
        if name == "seq":
            times[name][what].append(worker.time(SLICE_MS) if what == "time" else worker.flow(SLICE_MS))
            return
        try:
            reply = self.ask_torch(what, id=name, ms=SLICE_MS)
            times[name][what].append((reply["repeats"], reply["times"]))
        except (CaseError, PeerError) as error:
            peers[name]["error"] = str(error)

    def start_seq(self, case, peers):
        """Tuned where that does not take too long; else as the estimates have it."""
        network, dtype, batch = case
        entry = peers["seq"] = {}
        for tune in ("fast", "none"):
            seconds = TUNE_MOST if tune == "fast" else LOAD_MOST
            worker = workers.SeqWorker(
                SPECS / f"{network}.json", self.x_of(batch), batch, dtype, tune, self.output.path("timing_cache.json"),
                self.env, seconds, self.part(0.5), self.device, self.program,
            )  # fmt: skip
            try:
                entry |= {"load_s": worker.wait_ready()["cold_ms"] / 1000, "tune": tune}
                worker.timeout, worker.deadline = 60.0, self.deadline
                return worker
            except PeerError as error:
                worker.stop()
                if tune == "none":
                    raise
                self.note(f"{' '.join(map(str, case))}: it is not tuned: {error}")
        raise AssertionError

    def load_torch(self, case, names, peers):
        """Those that are ready to be timed."""
        network, dtype, batch = case
        loaded = []
        for name in names:
            entry = peers[name] = {}
            seconds = COMPILE_MOST if name == COMPILED else LOAD_MOST
            try:
                reply = self.ask_torch(
                    "load", seconds, 0.6, id=name, network=network, dtype=dtype, kind=name.removeprefix("torch-"),
                    weights=str(self.folder / f"{network}.safetensors"), x=str(self.x_of(batch)),
                )  # fmt: skip
                entry["load_s"] = reply["seconds"]
                loaded.append(name)
            except (CaseError, PeerError) as error:
                entry["error"] = str(error)
                if isinstance(error, PeerError) and name != COMPILED:
                    # The process is gone, and what it had loaded.
                    for before in loaded:
                        peers[before]["error"] = f"the worker ended with {name}"
                    loaded = []
        return loaded

    def torch_worker(self, compiles):
        """What compiles has a process of its own, since one that takes too long is ended."""
        if compiles not in self.torch:
            self.torch[compiles] = workers.TorchWorker(workers.torch_environment(self.env), self.deadline, self.device)
        return self.torch[compiles]

    def part(self, share):
        """Of the time that is left."""
        return Deadline(self.deadline.left() * share)

    def ask_torch(self, do, seconds=60.0, share=1.0, **request):
        compiles = request["id"] == COMPILED
        if self.deadline.left() <= 0:
            raise TimeUp("no time is left")
        try:
            return self.torch_worker(compiles).ask(do, seconds, self.part(share), **request)
        except PeerError:
            if compiles in self.torch:
                self.torch.pop(compiles).stop()
            raise

    def compare(self, case, worker, names, peers):
        """With PyTorch's answer in f64, or without PyTorch with seq's in f32."""
        network, dtype, batch = case
        path = self.folder / "y.npy"
        found = {}
        worker.write(path)
        found["seq"] = answers.read_npy(path)[1]
        for name in names:
            try:
                self.ask_torch("write", id=name, path=str(path))
                found[name] = answers.read_npy(path)[1]
            except (CaseError, PeerError) as error:
                peers[name]["error"] = str(error)
        truth = self.truth(network, batch)
        if truth is None and dtype == "f32":
            truth = found["seq"]
        for name, values in found.items():
            if truth is not None:
                apart = workers.distance(values, truth)
                peers[name] |= {"distance": apart, "agrees": agrees(name, dtype, apart)}

    def drop(self, names):
        for name in names:
            try:
                self.ask_torch("drop", id=name)
            except (CaseError, PeerError):
                pass  # the process is gone, and what it had loaded

    def truth(self, network, batch):
        """PyTorch's answer in f64; None where there is none."""
        path = self.folder / f"truth_{network}_{batch}.npy"
        if not path.exists() and self.with_torch:
            try:
                self.ask_torch(
                    "load", LOAD_MOST, 0.6, id="truth", network=network, dtype="f64", kind="exact",
                    weights=str(self.folder / f"{network}.safetensors"), x=str(self.x_of(batch)),
                )  # fmt: skip
                self.ask_torch("write", id="truth", path=str(path))
                self.drop(["truth"])
            except (CaseError, PeerError) as error:
                self.note(f"no answer in f64 of {network}: {error}")
        return answers.read_npy(path)[1] if path.exists() else None

    def x_of(self, batch):
        """The same for all networks: normally distributed."""
        path = self.folder / f"x_{batch}.npy"
        if not path.exists():
            draw = random.Random(batch)
            sample = array.array("f", (draw.gauss(0, 1) for _ in range(math.prod(self.shape))))
            # Shifted a sample at a time: drawing millions of numbers takes seconds.
            values = array.array("f")
            for number in range(batch):
                values += sample[number * 1013 :] + sample[: number * 1013]
            answers.write_npy(path, (batch, *self.shape), values)
        return path

    def note(self, text):
        self.notes.append(text)
        say(f"bench: {text}")

    def document(self):
        return {"notes": self.notes, "left_out": self.left_out, "cases": list(self.results.values())}

    def save(self):
        document = self.document()
        self.output.write_json("bench.json", document)
        self.output.write("bench.txt", bench_report.text(document))

    def close(self):
        for worker in self.torch.values():
            worker.stop()
        self.output.remove_drafts()
