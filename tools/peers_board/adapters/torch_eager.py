import numpy
import safetensors.torch
import torch
from peers_board import networks

from . import Loaded, flat


def load(file, x_file, y_file, threads, network, dtype):
    torch.set_num_threads(int(threads))
    torch.set_num_interop_threads(1)
    guard = torch.inference_mode()
    guard.__enter__()  # for the life of the process
    x = torch.from_numpy(numpy.load(x_file))
    net = build(network)
    net.load_state_dict(safetensors.torch.load_file(file), strict=False, assign=True)
    net.eval()
    if dtype == "bf16":
        net, x = lowered(net, x)

    def run():
        net(x)

    run.keep = guard
    return Loaded(run, lambda: flat(net(x).float().numpy()))


def lowered(net, x):
    """Module and input in bf16, pictures with their channels last, which is what PyTorch computes fastest."""
    order = torch.channels_last if x.dim() == 4 else torch.contiguous_format
    return net.to(torch.bfloat16, memory_format=order), x.to(torch.bfloat16, memory_format=order)


def build(network):
    """The module without time spent on drawing weights."""
    source, _, name = networks.find(network).module.rpartition(":")
    with torch.device("meta"):
        if source == "torchvision":
            import torchvision

            net = torchvision.models.get_model(name, weights=None)
        else:
            import runpy

            net = runpy.run_path(source)[name]()
    # What the file does not hold (num_batches_tracked) must not stay without memory.
    for module in net.modules():
        if getattr(module, "num_batches_tracked", None) is not None:
            module.num_batches_tracked = torch.zeros((), dtype=torch.long)
    return net
