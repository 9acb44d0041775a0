"""Modules that test_export.py exports: each a thing that an exporter may get wrong."""

import torch
import torch.nn.functional as F
from torch import nn


def net(*inputs):
    """Marks a module that can be exported, with its inputs as --input takes them."""

    def mark(cls):
        cls.inputs = inputs
        return cls

    return mark


def convolutions(before, after):
    return nn.Sequential(
        nn.Conv2d(before, after, 3, padding=1, bias=False), nn.BatchNorm2d(after), nn.ReLU(inplace=True)
    )


@net("x=N,3,H,W")
class ListUNet(nn.Module):
    """Lists of containers, with pools and joins without parameters between their members."""

    def __init__(self):
        super().__init__()
        self.downs = nn.ModuleList([convolutions(3, 4), convolutions(4, 8)])
        self.pool = nn.MaxPool2d(2)
        self.middle = convolutions(8, 16)
        self.ups = nn.ModuleList(
            [nn.ConvTranspose2d(16, 8, 2, 2), convolutions(16, 8), nn.ConvTranspose2d(8, 4, 2, 2), convolutions(8, 4)]
        )

    def forward(self, x):
        skips = []
        for down in self.downs:
            skips.append(down(x))
            x = self.pool(skips[-1])
        x = self.middle(x)
        for i in (0, 2):
            x = self.ups[i + 1](torch.cat([skips.pop(), self.ups[i](x)], dim=1))
        return x


@net("x=N,3,H,W")
class ResizingUNet(nn.Module):
    """Sizes of one tensor from those of another."""

    def __init__(self):
        super().__init__()
        self.first, self.second, self.last = convolutions(3, 4), convolutions(4, 8), convolutions(12, 2)

    def forward(self, x):
        wide = self.first(x)
        narrow = self.second(F.max_pool2d(wide, 2))
        narrow = F.interpolate(narrow, size=wide.shape[2:], mode="bilinear", align_corners=False)
        short = wide.size(2) - narrow.size(2)
        narrow = F.pad(narrow, [0, 0, short // 2, short - short // 2])
        return torch.sigmoid(self.last(torch.cat((wide, narrow), 1)))


class Causal(nn.Module):
    def __init__(self, before, after, dilation):
        super().__init__()
        self.cut = 2 * dilation
        plain = nn.Conv1d(before, after, 3, padding=self.cut, dilation=dilation)
        self.conv = nn.utils.parametrizations.weight_norm(plain)
        self.down = nn.Conv1d(before, after, 1) if before != after else None

    def forward(self, x):
        y = F.dropout(F.relu(self.conv(x)[:, :, : -self.cut]), 0.2, self.training)
        return F.relu(y + (x if self.down is None else self.down(x)))


@net("x=N,4,L")
class Temporal(nn.Module):
    """Weight norm, slices, the last moment."""

    def __init__(self):
        super().__init__()
        self.blocks = nn.Sequential(Causal(4, 8, 1), Causal(8, 8, 2))
        self.head = nn.Linear(8, 3)

    def forward(self, x):
        return self.head(self.blocks(x)[:, :, -1])


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.fc = nn.Conv2d(3, 4, 3), nn.Linear(4, 5)

    def forward(self, x):
        x = F.adaptive_max_pool2d(F.relu(self.conv(x)), (1, 1))
        return self.fc(x.view(x.size(0), -1))


@net("left=N,3,16,16", "right=N,3,16,16")
class Siamese(nn.Module):
    """One container applied twice, and an argument that keeps its default. All of the answer is the difference."""

    def __init__(self):
        super().__init__()
        self.encoder, self.head = Encoder(), nn.Linear(5, 2, bias=False)

    def forward(self, left, right, scale=None):
        y = self.head((self.encoder(left) - self.encoder(right)) ** 2)
        return y if scale is None else y * scale


@net("x=N,6")
class TwoNames(nn.Module):
    """A layer that the module has under two names, in a row with itself."""

    def __init__(self):
        super().__init__()
        self.first = nn.Linear(6, 6)
        self.second = self.first
        self.act = nn.Tanh()

    def forward(self, x):
        return self.second(self.act(self.first(self.act(x))))


@net("ids=N,T:i64")
class Attention(nn.Module):
    """Views by computed sizes, products of tensors, two outputs."""

    def __init__(self):
        super().__init__()
        self.table, self.mix, self.out = nn.Embedding(11, 12), nn.Linear(12, 36), nn.Linear(12, 12)
        self.norm = nn.LayerNorm(12)

    def forward(self, ids):
        x = self.table(ids)
        batch, length, width = x.shape
        query, key, value = self.mix(x).chunk(3, dim=-1)
        query = query.view(batch, length, 3, 4).transpose(1, 2)
        key = key.view(batch, length, 3, 4).permute(0, 2, 1, 3)
        value = value.reshape(batch, length, 3, width // 3).transpose(1, 2)
        y = F.scaled_dot_product_attention(query, key, value).transpose(1, 2).reshape(batch, length, width)
        return self.norm(x + self.out(y)), torch.softmax(query @ key.transpose(-2, -1) * 0.5, -1)


@net("x=N,3,8,8")
class Pieces(nn.Module):
    """Splits, indices, numbers on either side, several outputs of which one is the input."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, padding="same")
        self.tail = nn.Sequential(nn.Conv2d(4, 4, 1), nn.PReLU(4))

    def forward(self, x):
        y = self.conv(x)
        first, second = y.split(4, dim=1)
        halves = y.chunk(2, 1)
        stacked = torch.stack([first, halves[1]], 1).mean(dim=[3, 4])
        product = self.tail(first) * (1 - second).clamp(0, 1)
        return {"product": product, "stacked": stacked, "cut": y[:, 1:3, ::2, None], "last": y[..., -1], "x": x}


@net("x=N,4")
class InPlace(nn.Module):
    """What changes a tensor in place changes it for all that take it later."""

    def __init__(self):
        super().__init__()
        self.linear, self.act = nn.Linear(4, 4), nn.ReLU(inplace=True)

    def forward(self, x):
        y = self.linear(x)
        z = self.act(y)
        y.mul_(2)
        return y + z


@net("x=N,3,5")
class Whole(nn.Module):
    """Changes its input, and takes the mean and the sum of all there is."""

    def forward(self, x):
        y = x.add_(1)
        return {"mean": y.mean(), "apart": y - torch.sum(y * y)}


class OwnNorm(nn.LayerNorm):
    """Its forward is no longer torch.nn's, but its parameters are a layer's."""

    def forward(self, x):
        x = F.layer_norm(x.permute(0, 2, 3, 1), self.normalized_shape, self.weight, self.bias, self.eps)
        return x.permute(0, 3, 1, 2)


@net("x=N,3,8,8")
class Functional(nn.Module):
    """Parameters that functions take, and a buffer of one number."""

    def __init__(self):
        super().__init__()
        self.conv, self.norm = nn.Conv2d(3, 6, 3, groups=3, padding=1), OwnNorm(6)
        self.head = nn.Linear(6, 2, bias=False)
        self.register_buffer("scale", torch.tensor(0.25))

    def forward(self, x):
        x = F.conv2d(x, self.conv.weight, self.conv.bias, padding=1, groups=3)
        return F.linear(self.norm(x).mean((2, 3)) * self.scale, self.head.weight)


@net("x=N,3,8,8")
class Thresholds(nn.Module):
    """torch.fx sees F.threshold under the name that it has inside of PyTorch, `_threshold`."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 6, 3)

    def forward(self, x):
        return F.threshold(self.conv(x), 0.1, 20.0)


class Turns(nn.Module):
    def __init__(self):
        super().__init__()
        self.linears = nn.ModuleList([nn.Linear(6, 6) for _ in range(2)])
        self.norms = nn.ModuleList([nn.LayerNorm(6) for _ in range(2)])

    def forward(self, x):
        for linear, norm in zip(self.linears, self.norms):
            x = x + F.gelu(norm(linear(x)))
        return x


class Interleaved(nn.Module):
    """Lists whose layers run in turns, at two places."""

    inputs = ("x=N,6",)

    def __init__(self):
        super().__init__()
        self.block, self.last = Turns(), Turns()

    def forward(self, x):
        return self.last(self.block(x))


class Inexpressible(nn.Module):
    inputs = ("x=N,4",)

    def __init__(self):
        super().__init__()
        self.linear, self.attention = nn.Linear(4, 4), nn.MultiheadAttention(4, 2)
        self.gain = nn.Parameter(torch.ones(4))

    def forward(self, x):
        y = torch.exp(self.linear(x)) * self.gain
        y = self.attention(y, y, y)[0]
        return F.dropout(torch.flip(y, [1]))


class ControlFlow(nn.Module):
    inputs = ("x=N,4",)

    def forward(self, x):
        return x * 2 if x.sum() > 0 else x


class Hooked(nn.Module):
    inputs = ("x=N,4",)

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(4, 4)
        self.linear.register_forward_hook(lambda module, inputs, output: output * 2)

    def forward(self, x):
        return self.linear(x)


class ViewInPlace(nn.Module):
    inputs = ("x=N,4,2",)

    def forward(self, x):
        y = x + 1
        z = y.flatten(1)
        y.mul_(2)
        return z


def raises():
    raise ValueError("no such data")


def no_module():
    return 3


class SizesInOptions(nn.Module):
    inputs = ("x=N,3,H",)

    def forward(self, x):
        y = F.pad(x, [0, x.size(2)]) + float("inf")
        return F.avg_pool1d(y, y.size(2)), y.view(x.size(2), x.size(0), -1)
