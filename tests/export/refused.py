"""Small modules as people write them, which no model file can express: `says` is what is said of each."""

import dataclasses

import numpy
import torch
import torch.nn.functional as F
from torch import nn

FX = "cannot be followed with torch.fx: its code "


def refused(*inputs, says):
    def mark(cls):
        cls.inputs, cls.says = inputs, (says,) if isinstance(says, str) else says
        return cls

    return mark


@refused("x=N,4", says=("truediv: computes with a number that follows the input's size", "x / x.shape[0]"))
class DividedBySize(nn.Module):
    def forward(self, x):
        return x / x.shape[0]


@refused(
    "x=N,3,8,8",
    says=("pool: MaxPool2d: return_indices gives a second output", "unpool: MaxUnpool2d: seq has no layer type"),
)
class Unpooled(nn.Module):
    def __init__(self):
        super().__init__()
        self.pool, self.unpool = nn.MaxPool2d(2, return_indices=True), nn.MaxUnpool2d(2)

    def forward(self, x):
        y, indices = self.pool(x)
        return self.unpool(y, indices, output_size=x.size())


@refused("x=N,3,8,8", says=("max_pool2d: return_indices gives a second output", "max_unpool2d: no layer does this"))
class UnpooledByFunctions(nn.Module):
    def forward(self, x):
        y, indices = F.max_pool2d(x, 2, return_indices=True)
        return F.max_unpool2d(y, indices, 2)


@refused("x=N,6", says=(FX + "loops over what chunk gives; a, b, c = x.chunk(...) can", "x.chunk(3, dim=1)"))
class LoopOverChunks(nn.Module):
    def forward(self, x):
        return sum(part * 2 for part in x.chunk(3, dim=1))


@refused("x=N,3,6", says=FX + "loops over what unbind gives")
class LoopOverRows(nn.Module):
    def forward(self, x):
        return sum(i * part for i, part in enumerate(x.unbind(1)))


@refused("x=N,4,6", says=FX + "loops over a shape, or spreads it out with *")
class SpreadShape(nn.Module):
    def forward(self, x):
        return x.view(*x.shape[:2], 3, 2)


@refused("x=N,4", says=FX + "loops over a tensor; indices such as x[:, 0] can be followed")
class LoopOverTensor(nn.Module):
    def forward(self, x):
        return sum(row for row in x)


@refused("x=N,4", says=(FX + "decides by a tensor or its size", "if x.dim() == 2:"))
class DecidesBySize(nn.Module):
    def forward(self, x):
        if x.dim() == 2:
            x = x * 2
        return x


@refused("x=N,6", says=FX + "makes a number of Python with int()")
class WholeNumber(nn.Module):
    def forward(self, x):
        return x[:, : int(x.size(1) / 2)]


@refused("x=N,6", says=FX + "gives a tensor or its size to code that is not PyTorch's")
class ByNumpy(nn.Module):
    def forward(self, x):
        return x / numpy.sqrt(x.shape[1])


@refused("x=N,6", says=FX + "writes into a part of a tensor")
class WritesPart(nn.Module):
    def forward(self, x):
        y = x * 2
        y[:, 0] = 0
        return y


@refused("x=N,6", says=FX + "makes a tensor with torch.zeros in a size that follows an input's")
class MakesZeros(nn.Module):
    def forward(self, x):
        return torch.cat([x, torch.zeros(x.shape[0], 2)], 1)


@refused("x=N,6", says=("ones: no layer does this; F.pad puts numbers beside a tensor", "torch.ones(x.size())"))
class MakesOnes(nn.Module):
    def forward(self, x):
        return x + torch.ones(x.size())


@refused("x=N,8", says="getitem: is indexed by a tensor, a list or a truth value; no layer gathers")
class IndexedByBuffer(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("chosen", torch.tensor([0, 3]))

    def forward(self, x):
        return x[:, self.chosen]


@refused("x=N,8", says="getitem: takes what a mask chooses")
class IndexedByMask(nn.Module):
    def forward(self, x):
        return x[x > 0]


@refused("x=N,8", says=("item: no layer does this; it depends on the numbers", "x.max().item()"))
class TakesNumber(nn.Module):
    def forward(self, x):
        return x * x.max().item()


@refused("x=N,6", says=("for 1 reason", "topk: no layer does this", "x.topk(2, dim=1).values"))
class NamedResult(nn.Module):
    def forward(self, x):
        return x.topk(2, dim=1).values


@refused("x=N,4", says="einsum: no layer does this; matmul, permute and sum say the same")
class Einsum(nn.Module):
    def forward(self, x):
        return torch.einsum("bi,bj->bij", x, x)


@refused("x=N,4", says=("lt: no layer does this", "where: no layer does this"))
class Where(nn.Module):
    def forward(self, x):
        return torch.where(x < 0, x, -x)


@refused("x=N,5,4", says="lstm: LSTM: seq has no layer type LSTM")
class Recurrent(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(4, 8, batch_first=True)

    def forward(self, x):
        return self.lstm(x)[0][:, -1]


@refused("x=N,5,8", says="encoder: TransformerEncoder: seq has no layer type TransformerEncoder")
class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), 2)

    def forward(self, x):
        return self.encoder(x)


@refused("x=N,5,8", says="scaled_dot_product_attention: has a mask, which no layer does")
class Masked(nn.Module):
    def forward(self, x):
        return F.scaled_dot_product_attention(x, x, x, is_causal=True)


@refused("x=N,4", says="last: dequantize: no layer does this")
class Quantized(nn.Module):
    def __init__(self):
        super().__init__()
        quantized = torch.ao.nn.quantized
        self.first, self.last = quantized.Quantize(0.1, 0, torch.quint8), quantized.DeQuantize()

    def forward(self, x):
        return self.last(self.first(x))


@refused("x=N,8", says="fft_rfft: no layer does this")
class Complex(nn.Module):
    def forward(self, x):
        return torch.fft.rfft(x).abs()


@refused("ids=N,6:i64", says="linear: takes the parameters of `table`, which are those of Embedding, for Linear")
class TiedByFunction(nn.Module):
    def __init__(self):
        super().__init__()
        self.table = nn.Embedding(11, 6)

    def forward(self, ids):
        return F.linear(self.table(ids), self.table.weight)


@refused("ids=N,6:i64", says="table: Embedding: max_norm changes the table while it is used")
class Renormalized(nn.Module):
    def __init__(self):
        super().__init__()
        self.table = nn.Embedding(11, 6, max_norm=1.0)

    def forward(self, ids):
        return self.table(ids)


class _Scaled(nn.Conv2d):
    def _conv_forward(self, input, weight, bias):
        return super()._conv_forward(input, weight * 2, bias)


@refused("x=N,3,6,6", says="conv: conv2d: its weight is computed by forward, and a layer's parameters are stored")
class ComputedWeight(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = _Scaled(3, 4, 3)

    def forward(self, x):
        return self.conv(x)


@refused("x=N,6", says="HookedOutermost: has a hook")
class HookedOutermost(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(6, 6)
        self.register_forward_hook(lambda module, inputs, output: output * 2)

    def forward(self, x):
        return self.linear(x)


@refused("x=N,3", says="inner: DataParallel: runs another module on several devices; export its module")
class Wrapped(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = nn.DataParallel(nn.Linear(3, 3))

    def forward(self, x):
        return self.inner(x)


def scripted():
    return torch.jit.script(nn.Linear(3, 3))


scripted.inputs = ("x=N,3",)
scripted.says = ("is compiled by torch.jit",)


@refused("x=N,3", says="output: returns int; outputs are tensors that layers give")
class ReturnsNumber(nn.Module):
    def forward(self, x):
        return x + 1, x.shape[0]


@dataclasses.dataclass
class _Result:
    answer: torch.Tensor


@refused("x=N,3", says="output: returns _Result; outputs are tensors that layers give")
class ReturnsObject(nn.Module):
    def forward(self, x):
        return _Result(x + 1)


_KEPT = "is changed by forward, and a model file keeps nothing from one run to the next"


@refused("x=N,3", says=f"total: {_KEPT}")
class ChangesBuffer(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("total", torch.zeros(1))

    def forward(self, x):
        self.total += 1
        return x * self.total


@refused("x=N,3", says=f"mean: {_KEPT}")
class MovingMean(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("mean", torch.zeros(3))

    def forward(self, x):
        y = x - self.mean
        self.mean = 0.9 * self.mean + 0.1 * x.mean(0)
        return y


@refused("x=N,3", says=f"total: {_KEPT}")
class NewBuffer(nn.Module):
    """Forward computes with a tensor that it has made of its buffer."""

    def __init__(self):
        super().__init__()
        self.register_buffer("total", torch.zeros(1))

    def forward(self, x):
        self.total = self.total + 1
        return x * self.total


@refused("x=N,3", says="copy_: changes the buffer `mean`, and a model file keeps nothing")
class CopiesIntoBuffer(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("mean", torch.zeros(3))

    def forward(self, x):
        self.mean.copy_(x.mean(0))
        return x * 2


@refused("x=N,3", says=f"calls: {_KEPT}")
class CountsCalls(nn.Module):
    def __init__(self):
        super().__init__()
        self.calls = 0

    def forward(self, x):
        self.calls += 1
        return x * self.calls


@refused("x=N,4,2", says="add: changes a tensor in place of which a view is used later")
class ViewOfView(nn.Module):
    def forward(self, x):
        y = x * 2
        z = y.transpose(1, 2).flatten(1)
        z += 1
        return y


@refused("x=N,4", says="cannot be followed with torch.fx: 'in' names a layer and is a word of Python's own")
class NamedAsKeyword(nn.Module):
    def __init__(self):
        super().__init__()
        self.m = nn.ModuleDict({"in": nn.Linear(4, 4)})

    def forward(self, x):
        return self.m["in"](x)


@refused("x=N,4,5", says=("for 2 reasons", "expand: repeats elements, which no layer does", "m = x.mean", "w = x.mean"))
class Repeated(nn.Module):
    """Nothing else makes the sums and products as wide."""

    def forward(self, x):
        m = x.mean(2, keepdim=True).expand(-1, -1, 5)
        w = x.mean(2, keepdim=True).expand(-1, -1, 5)
        return m * m, w * 2


@refused("x=N,4,5", says=("for 3 reasons", "expand: repeats elements, which no layer does", "a = x.mean", "b = x[", "c = torch"))
class RepeatedTogether(nn.Module):
    """Neither operand of a sum makes it as wide once both are left as they were."""

    def forward(self, x):
        a = x.mean(2, keepdim=True).expand(-1, -1, 5)
        b = x[:, :, :1].expand_as(x)
        c = torch.broadcast_to(input=x[:, :, :1], size=x.shape)
        return (a + b) * x, a - c


@refused("x=N,4,5", says="mul_: changes a tensor in place of which a view is used later")
class ExpandedThenChanged(nn.Module):
    def forward(self, x):
        y = x.mean(2, keepdim=True)
        wide = y.expand_as(x)
        y.mul_(2)
        return x * wide


@refused("x=N,4", says="pow: raises to a power that is no whole number from 2 to 4")
class Root(nn.Module):
    def forward(self, x):
        return x**0.5
