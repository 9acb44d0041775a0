"""What the peers compute in, and what that means for them."""

from . import answers, networks

DTYPES = ("f32", "bf16")

# Of the largest magnitude, from PyTorch's answer in f64. bf16 keeps 8 bits: 2^-8 for each rounding, over some dozen layers.
TOLERANCES = {"f32": answers.TOLERANCE, "bf16": 5e-2}


def unsuitable(peer, network, batch, dtype):
    """Why a peer has no such case at all; None where it has."""
    if dtype == "bf16" and peer == "onnxruntime":
        return "ONNX Runtime has no bf16 convolutions on the CPU"
    if dtype == "bf16" and peer == "rtneural":
        return "RTNeural computes in f32"
    return networks.unsuitable(peer, network, batch)
