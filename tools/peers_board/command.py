"""The command line of tools/peers."""

import argparse
import difflib
import os
import pathlib
import re
import sys

from . import board, checks, dtypes, environment, machine, networks
from .errors import BoardError, UsageError

DESCRIPTION = """\
Times seq beside ONNX Runtime, OpenVINO, ncnn and PyTorch: the same networks with the same weights, in one run.

  tools/peers                                       the whole board: an hour or so on two cores
  tools/peers --quick                               a look: four networks, batch 1, some minutes
  tools/peers --net resnet50,vgg16 --batch 1        these networks alone
  tools/peers --net mlp_small --threads 1 --peers seq,onnxruntime
  tools/peers --net resnet50 --dtype bf16           in bf16: each peer's own way of it
  tools/peers --net torchvision:squeezenet1_1,nets.py:tiny@3x32x32 --batch 1
                                                    other networks: of torchvision, and what tiny of nets.py returns
  tools/peers --net mlp --peers seq                 seq alone: times without ratios, which leave no board behind
  tools/peers --render board.json                   tables and picture of a board that was measured before

It installs the peers into .cache/peers/environment (several GB; nothing else is touched), builds build/seq_worker, makes
the networks with seeded weights under .cache/peers/networks, checks that all peers give PyTorch's answer, and times them in
interleaved rounds: one process for each peer has the network loaded, and one after the other each runs for a slice of
time while the others wait. The ratio is the best peer's median over seq's: above 1 seq is ahead.
The table goes to standard output; board.json, board.md and a picture go to the folder that -o names.

Measure on a quiet machine: it warns where others are busy, and says so in the board.
docs/benchmarks.md says what is measured and how.
"""
EPILOG = """\
networks: {networks}
peers: {peers}

$SEQ_PEERS_PYTHON does what --python does. Exit status: 0 the board is there, though a peer may have failed (the board says which,
and why); 1 there is no board, or a network that no peer has run; 2 the command line is wrong.
"""
QUICK = {"networks": ["resnet18", "cifar", "mlp", "mlp_small"], "batches": [1], "rounds": 5, "seconds": 0.5, "cold_runs": 1}
FULL = {"networks": list(networks.BY_NAME), "batches": None, "rounds": 10, "seconds": 3.0, "cold_runs": 5}


class Parser(argparse.ArgumentParser):
    def error(self, message):
        raise UsageError(message.removeprefix("argument "))


def number(read, least, most):
    """A type of argparse: what `read` makes of the text, from `least` to `most`."""

    def convert(text):
        try:
            value = read(text)
        except ValueError:
            value = None
        if value is None or not least <= value <= most:
            kind = "a whole number" if read is int else "a number"
            raise argparse.ArgumentTypeError(f"takes {kind} from {least:g} to {most:g}, but gets '{text}'")
        return value

    return convert


def make_parser():
    epilog = EPILOG.format(networks=", ".join(networks.BY_NAME), peers=", ".join(networks.PEERS))
    parser = Parser(
        prog="peers", description=DESCRIPTION, epilog=epilog, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--net", action="append", metavar="NAME,...",
        help="networks to measure: of the board (by default all), torchvision:NAME, or FILE.py:FUNCTION@DIMS with the "
        "sizes of one sample (3x32x32, or 16:i64 for integers)",
    )  # fmt: skip
    parser.add_argument(
        "--batch", action="append", metavar="INT,...",
        help="batches, of those that the board has for a network; by default all. Other networks take any, by default 1, 8 and 32"
    )
    parser.add_argument(
        "--threads", action="append", metavar="INT,...", help="numbers of threads; by default 1 and all cores"
    )
    parser.add_argument("--dtype", choices=dtypes.DTYPES, default="f32", help="what the peers compute in (f32)")
    parser.add_argument("--peers", action="append", metavar="NAME,...", help="by default all, and seq")
    parser.add_argument("--rounds", type=number(int, 1, 100_000), metavar="INT", help="rounds of each case (10; with --quick 5)")
    parser.add_argument(
        "--seconds", type=number(float, 0.001, 86_400), metavar="S", help="how long each peer runs in a case, all rounds together (3; with --quick 0.5)"
    )
    parser.add_argument(
        "--cold", type=number(int, 0, 10_000), metavar="INT", dest="cold_runs",
        help="fresh processes for cold start and memory, at each network's least batch and most threads (5; with --quick 1); 0: none",
    )  # fmt: skip
    parser.add_argument("--quick", action="store_true", help="few networks and short rounds, where nothing else is said")
    parser.add_argument("-o", "--out", type=pathlib.Path, metavar="DIR", help="where the board goes (.cache/peers/board; without "
                        "seq or without a peer to compare it with: nowhere)")  # fmt: skip
    parser.add_argument("--picture", choices=("svg", "png"), default="svg", help="the kind of picture (svg)")
    parser.add_argument("--render", metavar="FILE", help="measures nothing: tables and picture of a board.json")
    parser.add_argument(
        "--python", metavar="PATH",
        help="a Python that has the peers already; what it lacks is reported, and nothing is installed",
    )  # fmt: skip
    parser.add_argument(
        "--rtneural", metavar="DIR",
        help="RTNeural's repository, which puts it beside the MLPs at batch 1; $SEQ_RTNEURAL does the same",
    )  # fmt: skip
    parser.add_argument("--seq-worker", metavar="PATH", help="a seq_worker that is built already; nothing is built")
    return parser


def words(texts, option, known):
    """The names that an option lists, each once."""
    names = [word for text in texts for word in text.split(",") if word]
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name, known, 1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"
            raise UsageError(f"{option}: there is no `{name}`; {hint}")
    if not names:
        raise UsageError(f"{option} names nothing")
    return list(dict.fromkeys(names))


def named_networks(texts):
    names = list(dict.fromkeys(word for text in texts for word in text.split(",") if word))
    if not names:
        raise UsageError("--net names nothing")
    for name in names:
        networks.find(name)
    return names


def numbers(texts, option):
    parts = [word for text in texts for word in text.split(",")]
    for word in parts:
        if not re.fullmatch(r"[1-9]\d{0,5}", word):
            raise UsageError(f"{option} {','.join(parts)}: expected a number of 1 or more, or several as in 1,8, and not '{word}'")
    return sorted(set(map(int, parts)))


def complete(options):
    """The options with defaults in place of what was left out."""
    checks.contradictions(options)
    options.python = options.python if options.python is not None else os.environ.get("SEQ_PEERS_PYTHON") or None
    options.rtneural = options.rtneural if options.rtneural is not None else os.environ.get("SEQ_RTNEURAL") or None
    defaults, named = QUICK if options.quick else FULL, bool(options.peers)
    options.networks = named_networks(options.net) if options.net else defaults["networks"]
    options.batches = numbers(options.batch, "--batch") if options.batch else defaults["batches"]
    options.threads = numbers(options.threads, "--threads") if options.threads else sorted({1, machine.cores()})
    cores = machine.cores()
    if options.threads[-1] > cores:
        usable = "1 core" if cores == 1 else f"{cores} cores"
        raise UsageError(f"--threads {options.threads[-1]}: this process may use {usable}, by its affinity and control groups")
    options.peers = words(options.peers, "--peers", networks.PEERS) if options.peers else list(networks.PEERS)
    if options.rtneural is None and "rtneural" in options.peers:
        if named:
            raise UsageError("--peers rtneural: --rtneural says where its sources are")
        options.peers.remove("rtneural")
    options.peers = [peer for peer in networks.PEERS if peer in options.peers]
    if options.out is None and networks.compares(options.peers):
        options.out = environment.CACHE / "board"
    for key in ("rounds", "seconds", "cold_runs"):
        if getattr(options, key) is None:
            setattr(options, key, defaults[key])
    options.slice_ms = options.seconds * 1000 / options.rounds
    found = [networks.find(name) for name in options.networks]
    batches = {batch for network in found for batch in network.batches}
    if options.batches and all(not network.argument for network in found) and not batches & set(options.batches):
        raise UsageError(f"--batch: the board has batches {', '.join(map(str, sorted(batches)))} for these networks")
    return options


def main():
    options = None
    try:
        options = make_parser().parse_args()
        complete(options)
        if options.render is not None:
            board.render(options)
        else:
            checks.check(options)
            board.run(options)
    except UsageError as error:
        print(f"peers: {error}\npeers: tools/peers --help says how", file=sys.stderr)
        return 2
    except (BoardError, OSError) as error:
        of_file = isinstance(error, OSError) and error.filename is not None
        print(f"peers: {f'{error.filename}: {error.strerror}' if of_file else error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        there = "" if options is None or options.out is None else "; what was measured until then is in the board's files"
        print(f"\npeers: stopped{there}", file=sys.stderr)
        return 130
    return 0
