// A libcuda.so.1 without a device. Where cuDNN finds it, it compiles its engines when it plans for a GPU that it is
// only told of: it wants these functions, and calls few of them, with more arguments than are read here. Nothing can
// run.
namespace {

constexpr int success = 0, no_device = 100;
/// Stands for whatever is loaded and looked up.
int something;

int give(int* value, int what) {
    *value = what;
    return success;
}

int give_something(void** handle) {
    *handle = &something;
    return success;
}

int give_text(const char** text) {
    *text = "the driver is a stand-in without a device";
    return success;
}

}  // namespace

// What a macro below makes is a function of the driver's by this name.
#define SEQ_FAILS(name) \
    int name() { return no_device; }
#define SEQ_SUCCEEDS(name) \
    int name() { return success; }
#define SEQ_GIVES(name, what) \
    int name(int* value) { return give(value, what); }
#define SEQ_GIVES_SOMETHING(name) \
    int name(void** handle) { return give_something(handle); }
#define SEQ_GIVES_TEXT(name) \
    int name(int, const char** text) { return give_text(text); }

extern "C" {

/// Not the driver's: by this one the tests know what they have.
SEQ_SUCCEEDS(seq_driver_stand_in)

// CUDA's runtime has no device.
SEQ_FAILS(cuInit)
SEQ_FAILS(cuGetExportTable)
SEQ_FAILS(cuGetProcAddress_v2)

SEQ_GIVES(cuDriverGetVersion, 13000)
SEQ_GIVES(cuDeviceGetCount, 1)
SEQ_GIVES(cuDeviceGet, 0)
SEQ_GIVES(cuKernelGetAttribute, 0)
SEQ_GIVES(cuOccupancyMaxPotentialClusterSize, 1)
SEQ_GIVES_TEXT(cuGetErrorName)
SEQ_GIVES_TEXT(cuGetErrorString)
SEQ_GIVES_SOMETHING(cuCtxGetCurrent)
SEQ_GIVES_SOMETHING(cuLibraryGetKernel)
SEQ_GIVES_SOMETHING(cuLibraryLoadData)
SEQ_GIVES_SOMETHING(cuLibraryLoadFromFile)
SEQ_SUCCEEDS(cuCtxGetLimit)
SEQ_SUCCEEDS(cuCtxPopCurrent)
SEQ_SUCCEEDS(cuCtxPushCurrent)
SEQ_SUCCEEDS(cuKernelSetAttribute)
SEQ_SUCCEEDS(cuLibraryUnload)

SEQ_FAILS(cuLaunchCooperativeKernel)
SEQ_FAILS(cuLaunchKernel)
SEQ_FAILS(cuLaunchKernelEx)
SEQ_FAILS(cuLinkAddData)
SEQ_FAILS(cuLinkComplete)
SEQ_FAILS(cuLinkCreate)
SEQ_FAILS(cuLinkDestroy)
SEQ_FAILS(cuStreamGetCtx)
}
