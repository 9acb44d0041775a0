import numpy
import onnxruntime


def load(file, x_file, batch, threads, network):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = int(threads)
    options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
    x = onnxruntime.OrtValue.ortvalue_from_numpy(numpy.load(x_file))
    output = session.get_outputs()[0]
    y = onnxruntime.OrtValue.ortvalue_from_shape_and_type(output.shape, numpy.float32)
    binding = session.io_binding()
    binding.bind_ortvalue_input(session.get_inputs()[0].name, x)
    binding.bind_ortvalue_output(output.name, y)
    # The functions below run_with_iobinding of the Python class, without its checks.
    run_bound, bound = session._sess.run_with_iobinding, binding._iobinding

    def run():
        run_bound(bound, None)

    run.keep = (session, binding, x, y)
    return run, y.numpy
