#include "kernels/cuda/plugin.hpp"

#include "graph/op.hpp"
#include "kernels/cuda/backend.hpp"
#include "kernels/cuda/build_identity.hpp"
#include "kernels/cuda/libraries.hpp"
#include "kernels/cuda/probe.hpp"

extern "C" [[gnu::visibility("default")]] const seq::cuda::Plugin* seq_cuda_plugin() {
    using namespace seq::cuda;
    static const Plugin plugin{plugin_revision,     build_identity, [] { return probe(runtime_queries(), cudnn()); },
                               seq::OpTable::adopt, open_backend,   kernels};
    return &plugin;
}
