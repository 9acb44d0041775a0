"""Small modules as people write them, each of which a model file can express: its answer is compared with PyTorch's."""

import torch
import torch.nn.functional as F
from torch import nn


class _Function(torch.autograd.Function):
    @staticmethod
    def forward(context, x):
        return x.clamp(min=0)


class OwnFunction(nn.Module):
    inputs = ("x=N,4",)

    def forward(self, x):
        return _Function.apply(x) - 1


class AugmentedSum(nn.Module):
    """`+=` changes a tensor for all its names."""

    inputs = ("x=N,4",)

    def forward(self, x):
        y = F.relu(x)
        z = y
        z += 1
        self.lower(y)
        return y * z, x.clone().mul_(3) - x

    def lower(self, y):
        y -= 0.5


class AugmentedParts(nn.Module):
    """A part changes, and the others do not."""

    inputs = ("x=N,6",)

    def forward(self, x):
        first, second = F.relu(x).chunk(2, dim=1)
        first *= second
        pieces = x.split(2, dim=1)
        pieces[0].add_(pieces[1])
        return torch.cat([second, first, pieces[0], pieces[2]], 1)


class AugmentedSize(nn.Module):
    inputs = ("x=N,4,6",)

    def forward(self, x):
        length = x.size(2)
        length //= 2
        return x[:, :, :length] / length**0.5


class Devices(nn.Module):
    inputs = ("x=N,4",)

    def forward(self, x):
        y = x.detach().to(torch.float32).to("cpu", non_blocking=True).cpu().type_as(x)
        return y.to(x.device).clamp_min(0.1) + y.clamp(-0.5, max=0.5)


class Keywords(nn.Module):
    inputs = ("x=N,6",)

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(6, 6)

    def forward(self, x, *, scale=2.0):
        y = F.linear(input=x, weight=self.linear.weight, bias=self.linear.bias)
        y = F.softmax(input=F.leaky_relu(input=y, negative_slope=0.2), dim=-1)
        return torch.add(input=y, other=self.linear(input=x), alpha=2) * scale


class Shapes(nn.Module):
    inputs = ("x=N,4,6,6",)

    def forward(self, x):
        batch, channels, height, width = x.shape
        y = x.view(batch, channels // 2, 2, height * width).transpose(1, 2).reshape(batch, -1)
        z = x.view(x.shape[:2] + (36,)).permute(0, 2, 1).contiguous().view(x.size(0), -1)
        return y + z, x.mean(dim=(2, 3)) + torch.mean(x, (-2, -1)), x[:, -3:-1, ::2, None]


class Resized(nn.Module):
    inputs = ("x=N,4,H,W",)

    def __init__(self):
        super().__init__()
        self.pool, self.up = nn.AdaptiveAvgPool2d((None, 3)), nn.Upsample(scale_factor=(2, 3))

    def forward(self, x):
        nearest = F.interpolate(x, scale_factor=2, mode="nearest")
        doubled = F.interpolate(x, size=(x.shape[2] * 2, x.shape[3] * 2), mode="bilinear")
        return nearest + doubled, self.pool(x), F.adaptive_max_pool2d(x, (2, None)), self.up(x)


class Joined(nn.Module):
    inputs = ("x=N,7,4",)

    def forward(self, x):
        a, b, c = torch.split(x, [2, 2, 3], dim=1)
        uneven, *_ = x.chunk(3, 1)[2], x
        first, _, _ = torch.tensor_split(x, 3, dim=1)
        rows = [x[:, i] * i for i in range(3)]
        return {"parts": torch.cat((c, a), dim=1), "rest": [b, {"uneven": uneven}], "split": first,
                "stacked": torch.stack(rows, dim=-1), "none": None}  # fmt: skip


class Padded(nn.Module):
    inputs = ("x=N,3,9,9",)

    def __init__(self):
        super().__init__()
        self.a = nn.Conv2d(3, 4, 3, padding=1, padding_mode="reflect")
        self.b = nn.Conv2d(4, 4, 3, padding=1, padding_mode="circular")
        self.c = nn.Conv2d(4, 4, (3, 2), padding="same", dilation=(2, 1))

    def forward(self, x):
        y = F.pad(F.pad(x, (1, 2, 1, 1), mode="reflect"), (-1, -2, 0, 0))
        return self.c(self.b(self.a(x))), F.pad(y, (0, 1), value=3.0)


class Parametrized(nn.Module):
    inputs = ("x=N,4",)

    def __init__(self):
        super().__init__()
        norms = nn.utils.parametrizations
        self.a, self.b = norms.weight_norm(nn.Linear(4, 5)), norms.spectral_norm(nn.Linear(5, 5))
        self.c, self.d = norms.orthogonal(nn.Linear(5, 5)), nn.utils.spectral_norm(nn.Linear(5, 5))

    def forward(self, x):
        return self.d(self.c(self.b(self.a(x))))


class Tied(nn.Module):
    """A tensor that two layers have, and a container that runs three times."""

    inputs = ("ids=N,6:i64",)

    def __init__(self):
        super().__init__()
        self.table, self.head = nn.Embedding(11, 6), nn.Linear(6, 11, bias=False)
        self.head.weight = self.table.weight
        self.block = nn.Sequential(nn.Sequential(nn.Linear(6, 6), nn.Sequential(nn.Tanh())), nn.Sequential(nn.ReLU()))

    def forward(self, ids):
        x = self.table(ids)
        return self.head(self.block(self.block(x)) + self.block(x))


class _Padding(nn.Conv2d):
    def forward(self, x):
        return super().forward(F.pad(x, (1, 1, 1, 1)))


class _Doubling(nn.Conv2d):
    """Its forward is torch.nn's, which calls what is its own."""

    def _conv_forward(self, input, weight, bias):
        return super()._conv_forward(input * 2, weight, bias)


class Derived(nn.Module):
    inputs = ("x=N,3,6,6",)

    def __init__(self):
        super().__init__()
        self.a, self.b = _Padding(3, 4, 3), _Doubling(4, 4, 3)

    def forward(self, x):
        return self.b(self.a(x))


class HookedContainer(nn.Module):
    """torch.fx runs hooks on containers."""

    inputs = ("x=N,6",)

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(6, 6))
        self.layers.register_forward_hook(lambda module, inputs, output: output * 2)

    def forward(self, x):
        return self.layers(x)


class Replaced(nn.Module):
    """A buffer that forward sets before it is read: nothing is left for the next call."""

    inputs = ("x=N,6",)

    def __init__(self):
        super().__init__()
        self.register_buffer("mean", torch.zeros(6))

    def forward(self, x):
        self.mean = x.mean(0)
        return x - self.mean


class OfTheBatch(nn.Module):
    """Norms without running statistics, and one with them."""

    inputs = ("x=N,3,8,8",)

    def __init__(self):
        super().__init__()
        self.a = nn.InstanceNorm2d(3, track_running_stats=True, affine=True)

    def forward(self, x):
        return self.a(x), F.instance_norm(x), F.softmax(x.flatten(1))


class NotANumber(nn.Module):
    """What PyTorch gives as NaN or infinity is right so."""

    inputs = ("x=N,3",)

    def forward(self, x):
        zero = x * 0
        return torch.cat([zero / zero, x, x * x / (zero * zero)], 1)


class _Excitation(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.fc = nn.Sequential(nn.Linear(channels, 2), nn.ReLU(True), nn.Linear(2, channels), nn.Sigmoid())

    def forward(self, x):
        batch, channels, _, _ = x.size()
        y = F.adaptive_avg_pool2d(x, 1).view(batch, channels)
        return x * self.fc(y).view(batch, channels, 1, 1).expand_as(x)


class Expanded(nn.Module):
    """Arithmetic expands by itself."""

    inputs = ("x=N,4,5,5",)

    def __init__(self):
        super().__init__()
        self.first, self.second = _Excitation(4), _Excitation(4)

    def forward(self, x):
        x = self.second(self.first(x) + x)
        mean = x.mean(3, keepdim=True)
        apart = x - mean.expand(-1, -1, -1, 5)
        apart *= mean.expand(x.shape)
        mean.mul_(2)
        return apart, x + torch.broadcast_to(mean, x.shape)


class Powers(nn.Module):
    inputs = ("x=N,4",)

    def forward(self, x):
        y = x**3
        y **= 2
        return y, torch.pow(x, 4.0), 0.5 * x * (1 + torch.tanh(0.8 * (x + 0.04 * x.pow(3))))


class GivenSize(nn.Module):
    """Transposed convolutions to the size of what was there before."""

    inputs = ("x=N,3,7,10",)

    def __init__(self):
        super().__init__()
        self.down, self.up = nn.Conv2d(3, 4, 3, 2, 1), nn.ConvTranspose2d(4, 3, (3, 4), stride=2, padding=1)

    def forward(self, x):
        y = self.down(x)
        return self.up(y, output_size=x.size()) + x, self.up(y, x.shape[2:])


class Brain(nn.Module):
    inputs = ("x=N,6:bf16",)

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(6, 3).bfloat16()

    def forward(self, x):
        return self.linear(x)


class Squeezed(nn.Module):
    """squeeze leaves what is not 1."""

    inputs = ("x=N,1,3,1",)

    def forward(self, x):
        y = x.squeeze(-1) + 1
        return x.squeeze(0), x.squeeze(2) * 2, x.squeeze((0, 1, 3)), y.squeeze(1), x.squeeze()


class OneTensorTwice(nn.Module):
    """Outputs that are the same tensor, and one that is an input."""

    inputs = ("x=N,4",)

    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(4, 3)

    def forward(self, x):
        y = self.fc(x)
        return y, y, x, {"again": y}
