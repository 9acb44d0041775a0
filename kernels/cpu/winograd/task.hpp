#pragma once

#include <array>

#include "kernels/cpu/winograd/problem.hpp"
#include "kernels/cpu/winograd/routines.hpp"

namespace seq::cpu::winograd {

/// What a run works on.
struct Operands {
    const float* input = nullptr;
    const float* weights = nullptr;  ///< as pack_weights has them
    Epilogue epilogue;
    float* output = nullptr;
};

/// Computes block `index / batch` of output channels of picture `index % batch` without transforms, with the weights
/// restored from their transform: slow, but what is Inf or NaN stays where it belongs. `scratch` has
/// direct_floats(problem) for this call alone.
using DirectTask = void (*)(const Problem* problem, const Operands* operands, std::int64_t index, float* scratch);
DirectTask direct_task(const Problem& problem, Isa isa);
std::int64_t direct_floats(const Problem& problem);

/// The transform of dense [out_channels, in_channels, 3, 3], of lines [out_channels, in_channels, 3], packed as
/// Problem::weight_floats says, into `packed`.
void pack_weights(const Problem& problem, const float* weights, float* packed);
/// The same of a column's output channels alone, whose weights `rows` are.
void pack_column(const Problem& problem, const float* rows, std::int64_t column, float* packed);

/// A convolution that is cut into tasks, with the routines that serve it; for AVX2 or AVX-512.
class Execution {
   public:
    Execution() = default;
    Execution(const Problem& problem, Isa isa, int threads);

    std::int64_t scratch_floats() const;
    /// In the caller's arena.
    void run(const Operands& operands, float* scratch) const;
    /// The same by direct_task. Not where Problem::pooled is.
    void run_careful(const Operands& operands, float* scratch) const;

   private:
    /// A block of tiles from `first` on, and where they are transformed.
    struct Tiles {
        std::int64_t first;
        Cut groups;
        float* transformed;
    };
    struct Position {
        std::int64_t phases = 0, input_start = 0;
        /// In floats: where the panel of each phase begins in a column of one block of channels.
        std::array<std::int64_t, 4> panels{};
    };
    /// A position, and a column of a chunk of columns.
    struct Step {
        std::int64_t position = 0, column = 0;
        std::int64_t in_chunk = 0, chunk = 1;  ///< the column's number in the chunk, and how many it has
    };
    /// What the multiplication of a step reads: a panel of weights for each phase.
    using Panels = std::array<Panel, 4>;
    void set_panels(const Operands& operands, const Step& step, const Step& next, std::int64_t lines,
                    Panels& panels) const;
    void transform(const Operands& operands, const Tiles& tiles) const;
    void do_chunk(const Operands& operands, const Tiles& tiles, std::int64_t first, std::int64_t end) const;
    /// Leaves `panels` with what is fetched after the last group's share.
    void multiply(const Tiles& tiles, const Step& step, Panels& panels, float* products) const;

    Problem problem_;
    Grid grid_;
    Transforms transforms_;
    std::array<std::array<Multiply, 15>, 2> multiply_{};  ///< for one and two blocks of columns, and so many tiles
    std::array<Position, 36> positions_{};
    DirectTask direct_ = nullptr;
    std::int64_t column_weights_ = 0;  ///< in floats, from a column's weights to the next
    std::int64_t position_count_ = 0;
    std::int64_t workers_ = 1;
};

}  // namespace seq::cpu::winograd
