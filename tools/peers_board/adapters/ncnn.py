import ncnn
import numpy

from . import Loaded, flat


def load(file, x_file, y_file, threads, network, dtype):
    net = ncnn.Net()
    net.opt.num_threads = int(threads)
    for option in ("fp16_packed", "fp16_storage", "fp16_arithmetic", "bf16_storage", "bf16_packed", "int8_inference"):
        if hasattr(net.opt, f"use_{option}"):
            setattr(net.opt, f"use_{option}", option.startswith(dtype))
    if net.load_param(file) != 0 or net.load_model(file.removesuffix(".param") + ".bin") != 0:
        raise RuntimeError(f"ncnn cannot read {file}")
    sample = numpy.ascontiguousarray(numpy.load(x_file)[0])  # a Mat of it does not keep it alive
    if sample.dtype == numpy.int64:
        sample = sample.astype(numpy.int32)
    x = ncnn.Mat(sample).clone()
    create, source = net.create_extractor, net.input_names()[0]
    targets = [f"out{index}" for index in range(len(net.output_names()))]  # as pnnx calls them

    def run():
        extractor = create()
        extractor.input(source, x)
        return [extractor.extract(target) for target in targets]

    def answer():
        found = run()
        for status, _ in found:
            if status != 0:
                raise RuntimeError(f"ncnn stopped with {status}")
        return [flat(numpy.array(y)[None]) for _, y in found]

    return Loaded(run, answer)
