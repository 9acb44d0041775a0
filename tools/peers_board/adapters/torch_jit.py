import numpy
import torch

from . import Loaded, outputs_of


def load(file, x_file, y_file, threads, network, dtype):
    torch.set_num_threads(int(threads))
    torch.set_num_interop_threads(1)
    torch.set_grad_enabled(False)
    guard = torch.inference_mode()
    guard.__enter__()  # for the life of the process
    x = torch.from_numpy(numpy.load(x_file))
    net = torch.jit.load(file).eval()
    if dtype == "bf16":
        net, x = net.to(torch.bfloat16), x.to(torch.bfloat16) if x.is_floating_point() else x
    net = torch.jit.freeze(net)
    # Two runs in which the executor records shapes and compiles, so that later ones do not.
    net(x)
    net(x)

    def run():
        net(x)

    run.keep = guard
    return Loaded(run, lambda: outputs_of(net(x)))
