#include "kernels/cuda/own/program_launch.hpp"

#include "kernels/cuda/own/launch.hpp"

namespace seq::cuda::own {
namespace {

template <int N>
struct ProgramBody {
    Program program;
    void* output;
    Storage storage;
    bool reads_output;

    SEQ_BODY void operator()(std::int64_t i) const {
        float value[N] = {};
        if (reads_output) load<N>(output, storage, i * N, value);
        evaluate<N>(program, i, value);
        store<N>(output, storage, i * N, value);
    }
};

}  // namespace

void launch_interpreted(DeviceQueue& queue, const Program& program, void* output, Storage storage, std::int64_t count,
                        bool reads_output) {
    if (program.width == 4) return each_element(queue, count, ProgramBody<4>{program, output, storage, reads_output});
    each_element(queue, count, ProgramBody<1>{program, output, storage, reads_output});
}

}  // namespace seq::cuda::own
