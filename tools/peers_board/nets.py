"""The networks that torchvision does not have."""

import torch
from torch import nn


def cifar():
    return nn.Sequential(
        nn.Conv2d(3, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(2048, 128), nn.ReLU(), nn.Linear(128, 10),
    )  # fmt: skip


def mlp():
    return nn.Sequential(nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 256), nn.ReLU(), nn.Linear(256, 10))


def mlp_small():
    return nn.Sequential(nn.Linear(10, 50), nn.ReLU(), nn.Linear(50, 2))


def _double(inputs, outputs):
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(),
        nn.Conv2d(outputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(),
    )  # fmt: skip


class _Up(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.grow = nn.ConvTranspose2d(inputs, outputs, 2, stride=2)
        self.convs = _double(2 * outputs, outputs)

    def forward(self, x, skip):
        return self.convs(torch.cat([skip, self.grow(x)], 1))


class UNet(nn.Module):
    """Three steps down and up again, 16 to 128 channels."""

    def __init__(self):
        super().__init__()
        self.first, self.pool = _double(3, 16), nn.MaxPool2d(2)
        self.down1, self.down2, self.down3 = _double(16, 32), _double(32, 64), _double(64, 128)
        self.up3, self.up2, self.up1 = _Up(128, 64), _Up(64, 32), _Up(32, 16)
        self.last = nn.Conv2d(16, 2, 1)

    def forward(self, x):
        a = self.first(x)
        b = self.down1(self.pool(a))
        c = self.down2(self.pool(b))
        d = self.down3(self.pool(c))
        return self.last(self.up1(self.up2(self.up3(d, c), b), a))


def unet():
    return UNet()


class _Dilated(nn.Module):
    def __init__(self, channels, dilation):
        super().__init__()
        self.conv = nn.Conv1d(channels, channels, 3, padding=dilation, dilation=dilation, bias=False)
        self.norm, self.relu = nn.BatchNorm1d(channels), nn.ReLU()
        self.mix = nn.Conv1d(channels, channels, 1)

    def forward(self, x):
        return x + self.mix(self.relu(self.norm(self.conv(x))))


def temporal():
    """A second of sound at 16 kHz: dilated convolutions along time, 10 classes."""
    return nn.Sequential(
        nn.Conv1d(1, 32, 9, stride=4, padding=4), nn.ReLU(),
        _Dilated(32, 1), _Dilated(32, 2), _Dilated(32, 4), _Dilated(32, 8),
        nn.Conv1d(32, 64, 9, stride=4, padding=4), nn.ReLU(),
        _Dilated(64, 1), _Dilated(64, 2), _Dilated(64, 4), _Dilated(64, 8),
        nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(64, 10),
    )  # fmt: skip
