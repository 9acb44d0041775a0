#pragma once

#include <cstdint>

#include "graph/ops/common.hpp"

namespace seq::cpu {

/// Windows over height or width.
struct WindowAxis {
    std::int64_t in = 1, out = 1;
    std::int64_t kernel = 1, stride = 1, dilation = 1, pad = 0;

    static WindowAxis of(const ops::Window& window, std::int64_t in, std::int64_t out) {
        return {in, out, window.kernel, window.stride, window.dilation, window.pad_before};
    }
    /// What `count` windows that follow each other span.
    std::int64_t span(std::int64_t count) const { return (count - 1) * stride + (kernel - 1) * dilation + 1; }
    /// Whether some window reaches beyond the input.
    bool pads() const { return pad > 0 || span(out) - pad > in; }
};

}  // namespace seq::cpu
