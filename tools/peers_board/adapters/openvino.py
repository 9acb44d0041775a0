import numpy
import openvino
from openvino import properties
from openvino.properties import hint


def load(file, x_file, batch, threads, network):
    options = {
        properties.inference_num_threads(): int(threads),
        properties.num_streams(): 1,
        hint.performance_mode(): hint.PerformanceMode.LATENCY,
        hint.inference_precision(): openvino.Type.f32,
    }
    core = openvino.Core()
    compiled = core.compile_model(core.read_model(file), "CPU", options)
    request = compiled.create_infer_request()
    x = numpy.load(x_file)
    y = numpy.empty(tuple(compiled.output(0).shape), numpy.float32)
    request.set_input_tensor(openvino.Tensor(x, shared_memory=True))
    request.set_output_tensor(openvino.Tensor(y, shared_memory=True))
    infer = super(openvino.InferRequest, request).infer  # below the Python class, which would look at the inputs again

    def run():
        infer({}, share_outputs=True, decode_strings=False)

    run.keep = (core, compiled, request, x)
    return run, lambda: y
