#pragma once

#include <array>

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

/// The transform of dense [out_channels, in_channels, 3, 3], packed as Problem::weight_floats says, into `packed`.
void pack_weights(const Problem& problem, const float* weights, float* packed);

/// A convolution that is cut into tasks, with the routines that serve it; for AVX2 or AVX-512.
class Execution {
   public:
    Execution() = default;
    Execution(const Problem& problem, Isa isa, int threads);

    std::int64_t scratch_floats() const;
    /// In the caller's arena.
    void run(const Operands& operands, float* scratch) const;
    /// The same by direct_task.
    void run_careful(const Operands& operands, float* scratch) const;

   private:
    /// Tiles that are multiplied together: groups [first_group, end_group) of a block of `groups` that begins at tile
    /// `first_tile`.
    struct Part {
        std::int64_t first_tile;
        Cut groups;
        std::int64_t first_group, end_group;
    };
    void run_own(const Operands& operands, float* scratch) const;
    void run_shared(const Operands& operands, float* scratch) const;
    void transform(const Operands& operands, std::int64_t first_tile, Cut groups, std::int64_t tile,
                   float* transformed) const;
    void do_chunk(const Operands& operands, const Part& part, const float* transformed, std::int64_t chunk,
                  float* products) const;
    void multiply(const Part& part, const float* transformed, const float* weights, const float* next, int blocks,
                  std::int64_t share, std::int64_t sharers, float* products) const;

    Problem problem_;
    Transforms transforms_;
    std::array<std::array<Multiply, 15>, 2> multiply_{};  ///< for one and two blocks of columns, and so many tiles
    DirectTask direct_ = nullptr;
    std::int64_t workers_ = 1;
};

}  // namespace seq::cpu::winograd
