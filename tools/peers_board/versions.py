"""Prints the versions of what the peers' Python has, as JSON; null for what is not there."""

import importlib.metadata
import json
import platform

NAMES = ("onnxruntime", "openvino", "ncnn", "pnnx", "torch", "torchvision", "onnx", "numpy", "safetensors", "matplotlib")


def version(name):
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


if __name__ == "__main__":
    print(json.dumps({"python": platform.python_version()} | {name: version(name) for name in NAMES}))
