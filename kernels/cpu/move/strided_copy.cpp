#include "kernels/cpu/move/strided_copy.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "kernels/cpu/parallel.hpp"

namespace seq::cpu {
namespace {

constexpr std::int64_t tile = 16;

struct Strides {
    std::int64_t outer, inner;
};

/// A matrix of `rows` by `columns` elements.
template <class T>
void copy_matrix(const T* in, T* out, std::int64_t rows, std::int64_t columns, Strides from, Strides to) {
    if (from.inner == 1 && to.inner == 1) {
        for (std::int64_t r = 0; r < rows; ++r) {
            std::memcpy(out + r * to.outer, in + r * from.outer, static_cast<std::size_t>(columns) * sizeof(T));
        }
        return;
    }
    for (std::int64_t c0 = 0; c0 < columns; c0 += tile) {
        const std::int64_t last = std::min(c0 + tile, columns);
        for (std::int64_t r = 0; r < rows; ++r) {
            for (std::int64_t c = c0; c < last; ++c)
                out[r * to.outer + c * to.inner] = in[r * from.outer + c * from.inner];
        }
    }
}

}  // namespace

StridedCopy::StridedCopy(CopyWalk walk, std::size_t element_bytes)
    : in_offset_(walk.in_offset), out_offset_(walk.out_offset), element_bytes_(element_bytes) {
    LoopNest nest = merge_loops(std::move(walk.sizes), {std::move(walk.out_strides), std::move(walk.in_strides)});
    sizes_ = std::move(nest.sizes);
    out_strides_ = std::move(nest.strides[0]);
    in_strides_ = std::move(nest.strides[1]);
    if (sizes_.size() == 1) {
        sizes_.insert(sizes_.begin(), 1);
        out_strides_.insert(out_strides_.begin(), 0);
        in_strides_.insert(in_strides_.begin(), 0);
    }
    if (in_strides_.back() == 1) return;
    // What lies together in the input goes beside what lies together in the output, so that both are copied in tiles.
    const std::size_t beside = sizes_.size() - 2;
    for (std::size_t i = 0; i < beside; ++i) {
        if (in_strides_[i] != 1) continue;
        std::swap(sizes_[i], sizes_[beside]);
        std::swap(out_strides_[i], out_strides_[beside]);
        std::swap(in_strides_[i], in_strides_[beside]);
    }
}

template <class T>
void StridedCopy::run_as(const T* in, T* out) const {
    const std::size_t outer = sizes_.size() - 2;
    const std::int64_t rows = sizes_[outer], columns = sizes_[outer + 1];
    const std::int64_t chunk =
        std::clamp<std::int64_t>(parallel_grain / std::max<std::int64_t>(columns, 1), tile, std::max(rows, tile));
    const std::int64_t chunks = (rows + chunk - 1) / chunk;
    const std::int64_t matrices = product(std::span(sizes_).first(outer));
    const Strides from{in_strides_[outer], in_strides_[outer + 1]}, to{out_strides_[outer], out_strides_[outer + 1]};
    parallel_for(matrices * chunks, parallel_grain / std::max<std::int64_t>(chunk * columns, 1) + 1,
                 [&](std::int64_t first, std::int64_t last) {
                     for (std::int64_t task = first; task < last; ++task) {
                         const std::int64_t row = task % chunks * chunk;
                         std::int64_t rest = task / chunks;
                         std::int64_t in_at = in_offset_ + row * from.outer, out_at = out_offset_ + row * to.outer;
                         for (std::size_t i = outer; i-- > 0;) {
                             in_at += rest % sizes_[i] * in_strides_[i];
                             out_at += rest % sizes_[i] * out_strides_[i];
                             rest /= sizes_[i];
                         }
                         copy_matrix(in + in_at, out + out_at, std::min(chunk, rows - row), columns, from, to);
                     }
                 });
}

void StridedCopy::run(const void* in, void* out) const {
    const auto as = [&]<class T>(T) { run_as(static_cast<const T*>(in), static_cast<T*>(out)); };
    switch (element_bytes_) {
        case 1: return as(std::uint8_t{});
        case 2: return as(std::uint16_t{});
        case 4: return as(std::uint32_t{});
        default: return as(std::uint64_t{});
    }
}

}  // namespace seq::cpu
