#include "kernels/strides.hpp"

#include <functional>
#include <numeric>

namespace seq {

std::int64_t product(std::span<const std::int64_t> sizes) {
    return std::accumulate(sizes.begin(), sizes.end(), std::int64_t{1}, std::multiplies<>());
}

Sizes dense_strides(std::span<const std::int64_t> sizes) {
    Sizes strides(sizes.size());
    std::int64_t stride = 1;
    for (std::size_t i = sizes.size(); i-- > 0;) {
        strides[i] = stride;
        stride *= sizes[i];
    }
    return strides;
}

LoopNest merge_loops(const Sizes& sizes, const std::vector<Sizes>& strides) {
    LoopNest nest;
    nest.strides.resize(strides.size());
    const auto append = [&](std::int64_t size, std::size_t dim) {
        nest.sizes.push_back(size);
        for (std::size_t k = 0; k < strides.size(); ++k)
            nest.strides[k].push_back(dim < sizes.size() ? strides[k][dim] : 0);
    };
    for (std::size_t i = 0; i < sizes.size(); ++i) {
        if (sizes[i] == 1) continue;
        bool merges = !nest.sizes.empty();
        for (std::size_t k = 0; merges && k < strides.size(); ++k) {
            merges = nest.strides[k].back() == strides[k][i] * sizes[i];
        }
        if (!merges) {
            append(sizes[i], i);
            continue;
        }
        nest.sizes.back() *= sizes[i];
        for (std::size_t k = 0; k < strides.size(); ++k) nest.strides[k].back() = strides[k][i];
    }
    if (nest.sizes.empty()) append(1, sizes.size());
    return nest;
}

}  // namespace seq
