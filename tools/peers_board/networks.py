"""Which networks are on the board, which peers, and which files each peer needs of a network."""

import dataclasses
import difflib
import hashlib
import pathlib
import re

from torch_export.torchvision_inputs import sample_shape

from .errors import UsageError

SEED = 0
# seq once more, from a compiled plan; only its cold start and its memory differ from seq's.
COMPILED = "seq .seqx"
PEERS = ("seq", "onnxruntime", "openvino", "ncnn", "torch-jit", "torch-eager", "rtneural")
# They stand beside: their networks are compiled into a program, and no file is loaded.
ASIDE = ("rtneural",)


def compares(peers):
    """Whether ratios can come of these peers."""
    return "seq" in peers and any(peer not in ("seq", *ASIDE) for peer in peers)


@dataclasses.dataclass(frozen=True)
class Network:
    name: str
    source: str  # torchvision, nets.py beside this file, or the path of another Python file
    shape: tuple  # of one sample
    batches: tuple
    argument: str = ""  # what names it on the command line, where the board does not have it
    dtype: str = "f32"  # of its input

    @property
    def module(self):
        """As tools/export_torch.py takes it."""
        source = pathlib.Path(__file__).parent / self.source if self.source == "nets.py" else self.source
        return f"{source}:{self.name.partition('@')[0].rpartition('.')[2]}"

    @property
    def folder(self):
        """Where its files lie, which those of a file's earlier state do not serve."""
        if not self.argument or self.source == "torchvision":
            return self.name
        content = pathlib.Path(self.source).read_bytes() + repr((self.shape, self.dtype)).encode()
        return f"{self.name}-{hashlib.sha256(content).hexdigest()[:12]}"


NETWORKS = (
    Network("resnet18", "torchvision", (3, 224, 224), (1, 8, 32)),
    Network("resnet50", "torchvision", (3, 224, 224), (1, 8, 32)),
    Network("vgg16", "torchvision", (3, 224, 224), (1, 8)),
    Network("mobilenet_v2", "torchvision", (3, 224, 224), (1, 8, 32)),
    Network("efficientnet_b0", "torchvision", (3, 224, 224), (1, 8, 32)),
    Network("densenet121", "torchvision", (3, 224, 224), (1, 8, 32)),
    Network("unet", "nets.py", (3, 128, 128), (1, 8)),
    Network("temporal", "nets.py", (1, 16000), (1, 8, 32)),
    Network("cifar", "nets.py", (3, 32, 32), (1, 8, 32, 256)),
    Network("mlp", "nets.py", (784,), (1, 8, 32)),
    Network("mlp_small", "nets.py", (10,), (1, 8, 32)),
)
BY_NAME = {network.name: network for network in NETWORKS}
OTHER_BATCHES = (1, 8, 32)


def find(text):
    """The network of the board of that name, or another: torchvision:NAME, or FILE.py:FUNCTION@DIMS with the sizes of one
    sample, as in nets.py:tiny@3x32x32, or nets.py:reader@16:i64 for integers; torchvision's have sizes of their own where
    nothing else is said."""
    if text in BY_NAME:
        return BY_NAME[text]
    parts = re.fullmatch(r"(torchvision|.+\.py):(\w+)(?:@([1-9]\d*(?:x[1-9]\d*)*)(?::(i32|i64))?)?", text)
    if parts is None and "@" in text:
        name, _, sizes = text.partition("@")
        shown = f"{name}@3x32x32, or {name}@16:i64 for integers"
        raise UsageError(f"--net {text}: `{sizes}` are no sizes of one sample; write {shown}")
    if parts is None:
        near = difflib.get_close_matches(text, BY_NAME, 1)
        there = f"did you mean {near[0]}?" if near else f"there are {', '.join(BY_NAME)}, torchvision:NAME and FILE.py:FUNCTION@3x32x32"
        raise UsageError(f"--net: there is no `{text}`; {there}")
    source, name, sizes, dtype = parts.groups()
    shape = tuple(map(int, sizes.split("x"))) if sizes else sample_shape(name)
    if source == "torchvision":
        if dtype:
            raise UsageError(f"--net {text}: torchvision's models take no integers")
        on_board = BY_NAME.get(name)
        if on_board is not None and (on_board.source, on_board.shape) == (source, shape):
            return on_board
        return Network(f"{name}@{sizes}" if sizes else name, source, shape, OTHER_BATCHES, text)
    if sizes is None:
        raise UsageError(f"--net {text}: say the sizes of one sample too, as in {text}@3x32x32")
    path = pathlib.Path(source).resolve()
    if not path.is_file():
        raise UsageError(f"--net {text}: {source} is no file")
    return Network(f"{path.stem}.{name}", str(path), shape, OTHER_BATCHES, text, dtype or "f32")


def output_names(count):
    """In files that name a network's outputs."""
    return ["y", *(f"y{index}" for index in range(1, count))]


@dataclasses.dataclass(frozen=True)
class Files:
    """Where the files of one network at one batch are."""

    folder: str
    network: Network
    batch: int

    def path(self, name):
        return f"{self.folder}/{name}"

    @property
    def x(self):
        return self.path(f"x_{self.batch}.npy")

    @property
    def y(self):
        """PyTorch's answer to x; of several outputs the first, with the others beside it (answers.parts)."""
        return self.path(f"y_{self.batch}.npy")

    @property
    def spec(self):
        return self.path(f"{self.network.name}.json")

    @property
    def weights(self):
        return self.path(f"{self.network.name}.safetensors")

    @property
    def onnx(self):
        return self.path(f"{self.network.name}_{self.batch}.onnx")

    @property
    def openvino(self):
        return self.path(f"{self.network.name}_{self.batch}.xml")

    @property
    def ncnn(self):
        return self.path(f"{self.network.name}.ncnn.param")

    @property
    def script(self):
        return self.path(f"{self.network.name}.pt")

    def of(self, peer):
        """The file that a peer loads; those that belong to it lie beside it."""
        by_peer = {"seq": self.spec, "onnxruntime": self.onnx, "openvino": self.openvino, "ncnn": self.ncnn,
                   "torch-jit": self.script, "torch-eager": self.weights, "rtneural": self.weights}  # fmt: skip
        return by_peer[peer]


def unsuitable(peer, network, batch):
    """Why a peer has no such case at all; None where it has."""
    if peer in ("ncnn", "rtneural") and batch > 1:
        return f"{peer} computes one sample at a time"
    if peer == "rtneural" and network.name not in ("mlp", "mlp_small"):
        return "rtneural has the MLPs alone: its networks are types that are written out"
    return None
