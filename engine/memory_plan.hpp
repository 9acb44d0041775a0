#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace seq {

/// A buffer that lives from the step that writes it to the last step that reads it, both included.
struct BufferLife {
    std::size_t bytes = 0;
    int first = 0;
    int last = 0;
};

/// Where each buffer lies in the one arena of a session.
struct MemoryPlan {
    std::vector<std::size_t> offsets;
    std::size_t arena_bytes = 0;
};

inline constexpr std::size_t arena_alignment = 64;

/// Places buffers so that no two that live at the same time overlap: largest first, each in the lowest gap that
/// fits (greedy by size; Pisarchyk and Lee, "Efficient Memory Management for Deep Neural Net Inference", 2020).
MemoryPlan plan_memory(const std::vector<BufferLife>& buffers);

}  // namespace seq
