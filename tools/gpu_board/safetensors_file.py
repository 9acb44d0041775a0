"""Reads a safetensors file of f32 with PyTorch alone."""

import json
import math


def load(path):
    """A state_dict."""
    import torch

    with open(path, "rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        data = bytearray(file.read())
    tensors = {}
    for name, entry in header.items():
        if name == "__metadata__" or name.endswith("num_batches_tracked"):
            continue
        if entry["dtype"] != "F32":
            raise ValueError(f"{path}: {name} is {entry['dtype']}, and F32 is expected")
        count, begin = math.prod(entry["shape"]), entry["data_offsets"][0]
        flat = torch.frombuffer(data, dtype=torch.float32, count=count, offset=begin) if count else torch.empty(0)
        tensors[name] = flat.reshape(entry["shape"])
    return tensors
