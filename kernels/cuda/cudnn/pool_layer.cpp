#include "kernels/cuda/cudnn/pool_layer.hpp"

#include <algorithm>

#include "graph/ops/adaptive_pool.hpp"
#include "graph/ops/pool.hpp"
#include "kernels/cuda/cudnn/node_layer.hpp"

namespace seq::cuda {
namespace {

template <int N>
bool is_pool_of_rank(const Op& op) {
    return op.is<ops::MaxPool<N>>() || op.is<ops::AvgPool<N>>() || op.is<ops::AdaptiveMaxPool<N>>() ||
           op.is<ops::AdaptiveAvgPool<N>>();
}

/// A pool over sizes that are known.
class PoolReader {
   public:
    PoolReader(FusedLayer& layer, const std::vector<std::int64_t>& output) : layer_(layer), output_(output) {}

    template <int N>
    std::string read(const Op& op) {
        if (const auto* largest = op.as<ops::MaxPool<N>>()) return slide<N>(*largest, CUDNN_RESAMPLE_MAXPOOL);
        if (const auto* mean = op.as<ops::AvgPool<N>>()) return read_mean<N>(*mean);
        return spread(op.is<ops::AdaptiveMaxPool<N>>() ? CUDNN_RESAMPLE_MAXPOOL
                                                       : CUDNN_RESAMPLE_AVGPOOL_EXCLUDE_PADDING);
    }

   private:
    template <int N>
    std::string read_mean(const ops::AvgPool<N>& pool) {
        if (pool.divisor()) return "divides by the number of a window's elements alone";
        bool pads = false;
        for (int i = 0; i < N; ++i) pads = pads || pool.padding.at(i) > 0;
        // Without padding there is nothing to count but what lies within.
        return slide<N>(pool, pool.count_include_pad && pads ? CUDNN_RESAMPLE_AVGPOOL_INCLUDE_PADDING
                                                             : CUDNN_RESAMPLE_AVGPOOL_EXCLUDE_PADDING);
    }

    template <int N, class Pool>
    std::string slide(const Pool& pool, cudnnResampleMode_t mode) {
        layer_.pooling = mode;
        for (int i = 0; i < N; ++i) {
            const ops::Window window = pool.window(i);
            if (window.dilation > 1 && window.kernel > 1) return "has no windows with a dilation";
            if (std::string fault = add_window(window); !fault.empty()) return fault;
        }
        return {};
    }

    /// As many windows as there are outputs: in ceil_mode the last one may reach past the padding.
    std::string add_window(const ops::Window& window) {
        const auto at = layer_.windows.size();
        const std::int64_t reach = (output_[at + 2] - 1) * window.stride + window.kernel - window.pad_before;
        const std::int64_t pad_after = std::max(window.pad_after, reach - layer_.spatial[at]);
        layer_.windows.push_back({window.kernel, window.stride, 1, window.pad_before, pad_after});
        if (pad_after > window.pad_after && layer_.pooling == CUDNN_RESAMPLE_AVGPOOL_INCLUDE_PADDING)
            return "counts what a window of ceil_mode has beyond the padding";
        return {};
    }

    /// Windows that lie side by side.
    std::string spread(cudnnResampleMode_t mode) {
        layer_.pooling = mode;
        for (std::size_t i = 0; i < layer_.spatial.size(); ++i) {
            const std::int64_t size = layer_.spatial[i], count = output_[i + 2];
            if (count < 1 || size % count != 0) return "takes adaptive pools alone whose windows are all of one size";
            layer_.windows.push_back({size / count, size / count});
        }
        return {};
    }

    FusedLayer& layer_;
    const std::vector<std::int64_t>& output_;
};

}  // namespace

bool is_pool(const Op& op) { return is_pool_of_rank<1>(op) || is_pool_of_rank<2>(op) || is_pool_of_rank<3>(op); }

std::string read_pool(const KernelRequest& request, FusedLayer& layer) {
    if (request.is_weight(0)) return "takes values of the run alone";
    const std::vector<std::int64_t>&input = request.inputs[0].sizes, &output = request.outputs[0].sizes;
    layer.math = math_of_result(request);
    layer.batch = input[0];
    layer.in_channels = layer.out_channels = input[1];
    layer.spatial.assign(input.begin() + 2, input.end());
    PoolReader reader(layer, output);
    const Op& op = request.node.op;
    if (is_pool_of_rank<1>(op)) return reader.read<1>(op);
    return is_pool_of_rank<2>(op) ? reader.read<2>(op) : reader.read<3>(op);
}

}  // namespace seq::cuda
