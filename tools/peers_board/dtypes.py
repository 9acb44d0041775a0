"""What the peers compute in, and what that means for them."""

import subprocess

from . import answers, networks
from .errors import BoardError

DTYPES = ("f32", "bf16")

# Of the largest magnitude, from PyTorch's answer in f64. bf16 keeps 8 bits: 2^-8 for each rounding, over some dozen layers.
TOLERANCES = {"f32": answers.TOLERANCE, "bf16": 5e-2}


def require(seq_worker, dtype):
    """Raises BoardError where seq cannot compute in it here."""
    if dtype == "f32":
        return
    done = subprocess.run([seq_worker, dtype], capture_output=True, text=True)
    if done.returncode == 1:
        reason = done.stderr.strip()
        raise BoardError(
            f"--dtype {dtype}: seq does not compute in it here: {reason}; --peers without seq times the others"
        )


def unsuitable(peer, network, batch, dtype):
    """Why a peer has no such case at all; None where it has."""
    if dtype == "bf16" and peer == "onnxruntime":
        return "ONNX Runtime has no bf16 convolutions on the CPU"
    if dtype == "bf16" and peer == "rtneural":
        return "RTNeural computes in f32"
    return networks.unsuitable(peer, network, batch)
