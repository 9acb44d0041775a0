"""ONNX Runtime by its C API: Run with tensors of memory that is there already."""

import ctypes

from peers_board import answers, networks

from . import Loaded
from .c_api import Memory, Pointer, library

c_int, c_size, c_char = ctypes.c_int, ctypes.c_size_t, ctypes.c_char_p
api_library = library("onnxruntime", "capi/libonnxruntime.so*")

# Places in struct OrtApi, to which functions are only ever added at the end.
API_VERSION = 13
ERROR_MESSAGE, CREATE_ENV, CREATE_SESSION, RUN, CREATE_OPTIONS, EXECUTION_MODE = 2, 3, 7, 9, 10, 13
OPTIMIZATION_LEVEL, INTRA_OP_THREADS, INTER_OP_THREADS, TENSOR_OF_MEMORY, CPU_MEMORY = 23, 24, 25, 49, 69
LOG_WARNING, SEQUENTIAL, ALL_OPTIMIZATIONS, ARENA_ALLOCATOR, MEMORY_DEFAULT = 2, 0, 99, 1, 0
ELEMENT_TYPES = {"f": 1, "i": 6, "q": 7}


class Api:
    def __init__(self):
        api_library.OrtGetApiBase.restype = ctypes.POINTER(Pointer)
        get_api = ctypes.CFUNCTYPE(Pointer, ctypes.c_uint32)(api_library.OrtGetApiBase()[0])
        self.table = ctypes.cast(get_api(API_VERSION), ctypes.POINTER(Pointer))

    def call(self, place, types, *arguments):
        status = ctypes.CFUNCTYPE(Pointer, *types)(self.table[place])(*arguments)
        if status:
            raise RuntimeError(ctypes.CFUNCTYPE(c_char, Pointer)(self.table[ERROR_MESSAGE])(status).decode())

    def make(self, place, types, *arguments):
        """What a function returns through its last argument."""
        made = Pointer()
        self.call(place, (*types, Pointer), *arguments, ctypes.byref(made))
        return made


def make_session(api, file, threads):
    options = api.make(CREATE_OPTIONS, ())
    for place, value in ((INTRA_OP_THREADS, int(threads)), (INTER_OP_THREADS, 1), (EXECUTION_MODE, SEQUENTIAL),
                         (OPTIMIZATION_LEVEL, ALL_OPTIMIZATIONS)):  # fmt: skip
        api.call(place, (Pointer, c_int), options, value)
    env = api.make(CREATE_ENV, (c_int, c_char), LOG_WARNING, b"peers")
    return api.make(CREATE_SESSION, (Pointer, c_char, Pointer), env, file.encode(), options)


def make_tensor(api, memory):
    where = api.make(CPU_MEMORY, (c_int, c_int), ARENA_ALLOCATOR, MEMORY_DEFAULT)
    types = (Pointer, Pointer, c_size, Pointer, c_size, c_int)
    kind = ELEMENT_TYPES[memory.code]
    return api.make(TENSOR_OF_MEMORY, types, where, memory.address, memory.size, memory.dims, len(memory.dims), kind)


def load(file, x_file, y_file, threads, network, dtype):
    api = Api()
    session = make_session(api, file, threads)
    x, y = Memory(*answers.read_npy(x_file)), [Memory(answers.read_shape(path)) for path in answers.parts(y_file)]
    count = len(y)
    names = [name.encode() for name in networks.output_names(count)]
    lists = [(c_char * 1)(b"x"), (Pointer * 1)(make_tensor(api, x)), (c_char * count)(*names),
             (Pointer * count)(*(make_tensor(api, memory) for memory in y))]  # fmt: skip
    x_name, x_value, y_name, y_value = (ctypes.cast(values, Pointer) for values in lists)
    types = (Pointer, Pointer, Pointer, Pointer, c_size, Pointer, c_size, Pointer)
    arguments = (session, None, x_name, x_value, 1, y_name, count, y_value)

    def run():
        api.call(RUN, types, *arguments)

    run.keep = (x, y, lists)
    return Loaded(run, lambda: [memory.values() for memory in y], ("time_of_eight", api.table[RUN], arguments))
