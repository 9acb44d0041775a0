"""Layers of torch.nn that are all of a module, each with the inputs of a test."""

import torch
from torch import nn


def layer(*inputs):
    """Marks a function that returns a bare layer, with its inputs as --input takes them."""

    def mark(function):
        function.inputs = inputs
        return function

    return mark


linear = layer("x=N,8")(lambda: nn.Linear(8, 4))
conv2d = layer("x=N,8,9,9")(lambda: nn.Conv2d(8, 4, 3, padding="same"))
conv2d_reflect = layer("x=N,8,9,9")(lambda: nn.Conv2d(8, 4, 3, padding=1, padding_mode="reflect"))
transposed = layer("x=N,8,H,W")(lambda: nn.ConvTranspose2d(8, 4, 3))
bilinear = layer("a=N,3", "b=N,5")(lambda: nn.Bilinear(3, 5, 4))
batch_norm = layer("x=N,8,4,4")(lambda: nn.BatchNorm2d(8))
instance_norm = layer("x=N,8,4,4")(lambda: nn.InstanceNorm2d(8, affine=True))
group_norm = layer("x=N,8,4,4")(lambda: nn.GroupNorm(2, 8))
layer_norm = layer("input=N,8")(lambda: nn.LayerNorm(8))
prelu = layer("x=N,8")(lambda: nn.PReLU(8))
embedding = layer("ids=N,5:i64")(lambda: nn.Embedding(10, 4))
softmax2d = layer("x=N,8,4,4")(nn.Softmax2d)
relu = layer("x=N,8")(lambda: nn.ReLU(inplace=True))
pool = layer("x=N,8,4,4")(lambda: nn.MaxPool2d(2))
identity = layer("x=N,8")(nn.Identity)
weight_norm = layer("x=N,8")(lambda: nn.utils.parametrizations.weight_norm(nn.Linear(8, 4)))

WITHOUT_LAYER = {"lstm": "LSTM", "attention": "MultiheadAttention", "unfold": "Unfold"}


def lstm():
    return nn.LSTM(8, 4)


def attention():
    return nn.MultiheadAttention(8, 2)


def unfold():
    return nn.Unfold(2)


class OwnLinear(nn.Linear):
    """Its forward is its own, so it is no layer of torch.nn, and nothing names its parameters."""

    inputs = ("x=N,4",)

    def __init__(self):
        super().__init__(4, 4)

    def forward(self, x):
        return torch.nn.functional.linear(x * 2, self.weight, self.bias)
