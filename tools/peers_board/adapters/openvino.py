"""OpenVINO by its C API: one infer request with its tensors set."""

import ctypes

from peers_board import answers

from . import Loaded
from .c_api import Memory, Pointer, library

api = library("openvino", "libs/libopenvino_c.so*")
ELEMENT_TYPES = {"f": 4, "i": 9, "q": 10}


class Shape(ctypes.Structure):
    _fields_ = [("rank", ctypes.c_int64), ("dims", ctypes.POINTER(ctypes.c_int64))]


def call(name, *arguments):
    status = getattr(api, name)(*arguments)
    if status != 0:
        api.ov_get_last_err_msg.restype = ctypes.c_char_p
        raise RuntimeError((api.ov_get_last_err_msg() or f"{name}: {status}".encode()).decode())


def make(name, *arguments):
    """What a function returns through its last argument."""
    made = Pointer()
    call(name, *arguments, ctypes.byref(made))
    return made


def compile_model(file, threads, dtype):
    core = make("ov_core_create")
    model = make("ov_core_read_model", core, file.encode(), None)
    options = {"INFERENCE_NUM_THREADS": threads, "NUM_STREAMS": "1", "PERFORMANCE_HINT": "LATENCY",
               "INFERENCE_PRECISION_HINT": dtype}  # fmt: skip
    words = [ctypes.c_char_p(word.encode()) for pair in options.items() for word in pair]
    compiled = Pointer()
    call("ov_core_compile_model", core, model, b"CPU", ctypes.c_size_t(len(words)), ctypes.byref(compiled), *words)
    return compiled


def make_tensor(memory):
    shape = Shape(len(memory.dims), ctypes.cast(memory.dims, ctypes.POINTER(ctypes.c_int64)))
    kind = ctypes.c_int(ELEMENT_TYPES[memory.code])
    return make("ov_tensor_create_from_host_ptr", kind, shape, Pointer(memory.address))


def load(file, x_file, y_file, threads, network, dtype):
    request = make("ov_compiled_model_create_infer_request", compile_model(file, threads, dtype))
    x, y = Memory(*answers.read_npy(x_file)), [Memory(answers.read_shape(path)) for path in answers.parts(y_file)]
    call("ov_infer_request_set_input_tensor", request, make_tensor(x))
    for index, memory in enumerate(y):
        call("ov_infer_request_set_output_tensor_by_index", request, ctypes.c_size_t(index), make_tensor(memory))

    def run():
        call("ov_infer_request_infer", request)

    run.keep = (x, y)
    address = ctypes.cast(api.ov_infer_request_infer, Pointer).value
    return Loaded(run, lambda: [memory.values() for memory in y], ("time_of_one", address, (request,)))
