"""The worker for PyTorch: one process for all cases, since importing it takes seconds.

torch_worker.py cuda|cpu

Prints `ready`, and then for each line of standard input, JSON, one line of JSON with "error" where that failed:

  {"do": "load", "id", "network", "weights", "x", "dtype", "kind"}    {"seconds"}
                kind: eager (channels_last, cudnn.benchmark), graph (the same, captured), compile (max-autotune), exact
                (once, for its answer)
  {"do": "time", "id", "ms"}      {"repeats", "times"}: nanoseconds of so many runs, each waited for
  {"do": "flow", "id", "ms"}      the same, runs handed over back to back and waited for at the end of a sample
  {"do": "write", "id", "path"}   writes the answer as .npy
  {"do": "drop", "id"}

Inputs and results lie in the GPU's memory. What a library prints goes to standard error.
"""

import copy
import functools
import json
import os
import sys
import time

import torch

from peers_board import answers
from peers_board.worker import choose_repeats, time_slice

from . import safetensors_file

DTYPES = {"f16": torch.float16, "bf16": torch.bfloat16, "f64": torch.float64}
FLOW_NS = 10_000_000
WARM_UPS = 3


class Case:
    def __init__(self, run, answer, wait, dtype):
        self.run, self.answer, self.wait, self.dtype = run, answer, wait, dtype
        self.repeats = {}

    def sample(self, flows, repeats):
        began = time.perf_counter_ns()
        for _ in range(repeats):
            self.run()
            if not flows:
                self.wait()
        self.wait()
        return time.perf_counter_ns() - began

    def time(self, flows, milliseconds):
        sample = functools.partial(self.sample, flows)
        if flows not in self.repeats:
            self.repeats[flows] = choose_repeats(sample, FLOW_NS) if flows else choose_repeats(sample)
        repeats = self.repeats[flows]
        return {"repeats": repeats, "times": time_slice(sample, repeats, milliseconds)}


class Server:
    def __init__(self, device):
        self.device = torch.device(device)
        self.models, self.cases = {}, {}
        torch.backends.cudnn.benchmark = True
        torch.set_grad_enabled(False)

    def wait(self):
        if self.device.type == "cuda":
            torch.cuda.synchronize()

    def load(self, request):
        began = time.perf_counter()
        dtype = request["dtype"]
        use_dtype(dtype)
        model = self.model(request["network"], request["weights"])
        x = read_npy(request["x"]).to(self.device).to(memory_format=torch.channels_last)
        if dtype in DTYPES:
            model, x = copy.deepcopy(model).to(DTYPES[dtype]), x.to(DTYPES[dtype])
        run, last = getattr(self, request["kind"])(model, x)
        self.wait()
        self.cases[request["id"]] = Case(run, lambda: last().float().cpu(), self.wait, dtype)
        return {"seconds": time.perf_counter() - began}

    def model(self, network, weights):
        if network not in self.models:
            import torchvision

            self.models = {}  # one at a time
            with torch.device("meta"):
                model = torchvision.models.get_model(network, weights=None)
            # Those that the file does not hold must not stay without memory.
            for module in model.modules():
                if getattr(module, "num_batches_tracked", None) is not None:
                    module.num_batches_tracked = torch.zeros((), dtype=torch.long)
            found = model.load_state_dict(safetensors_file.load(weights), strict=False, assign=True)
            lacking = [name for name in found.missing_keys if not name.endswith("num_batches_tracked")]
            if lacking or found.unexpected_keys:
                raise ValueError(f"the weights do not fit: {[*lacking, *found.unexpected_keys][:4]}")
            self.models[network] = model.eval().to(self.device).to(memory_format=torch.channels_last)
        return self.models[network]

    def eager(self, model, x):
        state = {}

        def run():
            state["y"] = model(x)

        for _ in range(WARM_UPS):
            run()
        return run, lambda: state["y"]

    def exact(self, model, x):
        """Computed once, some samples at a time and without looking for the fastest algorithms: f64 takes long."""
        torch.backends.cudnn.benchmark = False
        y = torch.cat([model(some) for some in x.split(32)])
        torch.backends.cudnn.benchmark = True
        return lambda: None, lambda: y

    def graph(self, model, x):
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(WARM_UPS):
                model(x)
        torch.cuda.current_stream().wait_stream(stream)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            y = model(x)
        graph.replay()
        return graph.replay, lambda: y

    def compile(self, model, x):
        torch._dynamo.reset()
        return self.eager(torch.compile(model, mode="max-autotune", dynamic=False), x)

    def answer(self, request):
        do = request["do"]
        if do == "load":
            return self.load(request)
        if do == "drop":
            self.cases.pop(request["id"], None)
            if self.device.type == "cuda":
                torch.cuda.empty_cache()  # seq's process has the same GPU
            return {}
        case = self.cases[request["id"]]
        use_dtype(case.dtype)
        if do in ("time", "flow"):
            return case.time(do == "flow", request["ms"])
        case.run()
        self.wait()
        y = case.answer()
        answers.write_npy(request["path"], tuple(y.shape), to_array(y))
        return {}


def use_dtype(dtype):
    """tf32 for what is multiplied in f32, or not."""
    allowed = dtype == "tf32"
    torch.backends.cuda.matmul.allow_tf32 = allowed
    torch.backends.cudnn.allow_tf32 = allowed


def read_npy(path):
    shape, values = answers.read_npy(path)
    return torch.frombuffer(values, dtype=torch.float32).clone().reshape(shape)


def to_array(y):
    import array

    values = array.array("f")
    values.frombytes(bytes(y.contiguous().flatten().view(torch.uint8).tolist()))
    return values


def main():
    out = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    server = Server(sys.argv[1])
    out.write(json.dumps({"ready": torch.__version__}) + "\n")
    for line in sys.stdin:
        try:
            reply = server.answer(json.loads(line))
        except Exception as error:  # the board says what failed, and goes on
            words = str(error).strip().splitlines() or ["it says nothing"]
            reply = {"error": f"{type(error).__name__}: {words[0]}"}
        out.write(json.dumps(reply) + "\n")


if __name__ == "__main__":
    main()
