import numpy
import safetensors.torch
import torch
from peers_board import networks
from torch_export import bare, trace
from torch_export.load import load_module, split_source

from . import Loaded, outputs_of


def load(file, x_file, y_file, threads, network, dtype):
    torch.set_num_threads(int(threads))
    torch.set_num_interop_threads(1)
    guard = torch.inference_mode()
    guard.__enter__()  # for the life of the process
    x = torch.from_numpy(numpy.load(x_file))
    net = build(network)
    net.load_state_dict(safetensors.torch.load_file(file), strict=False, assign=True)
    if dtype == "bf16":
        net, x = lowered(net, x)

    def run():
        net(x)

    run.keep = guard
    return Loaded(run, lambda: outputs_of(net(x)))


def lowered(net, x):
    """Module and input in bf16, pictures with their channels last, which is what PyTorch computes fastest."""
    order = torch.channels_last if x.dim() == 4 else torch.contiguous_format
    net = net.to(torch.bfloat16, memory_format=order)
    return net, x.to(torch.bfloat16, memory_format=order) if x.is_floating_point() else x


def build(network):
    """The module, in the form whose parameters the exporter writes, without time spent on drawing weights."""
    source, name = split_source(networks.find(network).module)
    with torch.device("meta"):
        net = load_module(source, name, None)
        trace.fold_parametrizations(net)
        net = bare.held(net, name)
    # What the file does not hold (num_batches_tracked) must not stay without memory.
    for module in net.modules():
        if getattr(module, "num_batches_tracked", None) is not None:
            module.num_batches_tracked = torch.zeros((), dtype=torch.long)
    return net
