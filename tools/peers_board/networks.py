"""Which networks are on the board, which peers, and which files each peer needs of a network."""

import dataclasses

SEED = 0
# seq once more, from a compiled plan; only its cold start and its memory differ from seq's.
COMPILED = "seq .seqx"
PEERS = ("seq", "onnxruntime", "openvino", "ncnn", "torch-jit", "torch-eager", "rtneural")
# They stand beside: their networks are compiled into a program, and no file is loaded.
ASIDE = ("rtneural",)


@dataclasses.dataclass(frozen=True)
class Network:
    name: str
    source: str  # torchvision, or nets.py beside this file
    shape: tuple  # of one sample
    batches: tuple


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
        """PyTorch's answer to x."""
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
