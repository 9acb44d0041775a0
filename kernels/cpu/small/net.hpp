#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "graph/ir.hpp"
#include "kernels/cpu/elementwise/functions.hpp"
#include "kernels/cpu/small/routines.hpp"
#include "kernels/cpu/softmax.hpp"
#include "kernels/cpu/winograd/task.hpp"

// A small net as one routine: stages that hand each other areas of scratch memory.
namespace seq::cpu::small {

enum class Place : std::uint8_t {
    input,   ///< the caller's
    output,  ///< the caller's
    shared,  ///< scratch of all workers
    own,     ///< scratch of each worker
};

/// One activation of a picture: channels in blocks of `lanes` numbers (1: planes) within a border of zeros. A row of
/// features has a height and width of 1.
struct Area {
    Place place = Place::own;
    std::int64_t offset = 0;   ///< in floats
    std::int64_t picture = 0;  ///< floats between pictures; 0: holds one at a time
    bool per_chunk = false;    ///< holds the pictures of a chunk; otherwise of a group
    int lanes = 1;
    std::int64_t channels = 1, height = 1, width = 1;
    std::int64_t top = 0, left = 0, bottom = 0, right = 0;

    std::int64_t blocks() const { return (channels + lanes - 1) / lanes; }
    std::int64_t line() const { return (left + width + right) * lanes; }
    std::int64_t plane() const { return (top + height + bottom) * line(); }
    std::int64_t floats() const { return blocks() * plane(); }
    std::int64_t origin() const { return top * line() + left * lanes; }
    bool has_border() const { return top + left + bottom + right > 0; }
};

/// A function of numbers on what was just computed.
struct Call {
    ElementFunction function = nullptr;
    std::array<float, 2> parameters{};
};

/// Lines [first, last) of a convolution in Winograd's form.
struct Strip {
    std::int64_t first = 0, last = 0;
    std::int64_t in_line = 0;  ///< of the input, from which it reads
    winograd::Execution execution;
    /// Of runs with NaN or Inf, where the other one pools: leaves its lines in the middle area.
    std::optional<winograd::Execution> unpooled;
};

/// A convolution in Winograd's form, of one picture.
struct Transformed {
    winograd::Problem problem;
    std::vector<Strip> strips;
    /// Of all lines of a chunk of pictures.
    std::optional<winograd::Execution> chunk;
    std::int64_t scratch = 0;  ///< where its floats begin among each worker's own
};

/// Multiplies each position's taps with weights: Linear and convolution.
struct Multiply {
    const Value* weight = nullptr;
    const Value* bias = nullptr;
    std::vector<Run> runs;
    /// For each tap, in the order of the runs, its place among a row of the weight.
    std::vector<std::int32_t> taps;
    std::int64_t outputs = 0;
    std::int64_t position_stride = 0;
    std::int64_t line_stride = 0;
    std::int64_t packed = 0;  ///< where its numbers begin in the packed block
    float low = 0, high = 0;
    std::vector<Call> calls;
    std::optional<Transformed> transformed;
    /// Vectors of outputs, and panels of such.
    std::int64_t vectors = 0, panels = 0;
    /// Where vectors run along the taps, as of rows of few outputs: DotProduct::row. Otherwise 0.
    std::int64_t dot_row = 0;
};

struct Pooling {
    PoolPlan plan;
    PoolFunction function = nullptr;
    std::vector<Call> calls;
};

/// A pass from area `in` to area `out`. Where it multiplies and pools, the lines between lie in area `middle`, some at
/// a time, unless it pools at once, in registers.
struct Stage {
    int in = 0, out = 0, middle = -1;
    bool pools_at_once = false;
    /// Positions are the pictures, and each has a row of features.
    bool flat = false;
    std::optional<Multiply> multiply;
    std::optional<Pooling> pooling;
    std::optional<SoftmaxForm> softmax;
    /// Where it does nothing else, `in` is copied and these are done to it.
    std::vector<Call> calls;
    /// Lines of `out` that are computed one after the other while those of `middle` stay in the first-level cache.
    std::int64_t block = 1;
};

struct Net {
    std::vector<Area> areas;
    std::vector<Stage> stages;
    /// The area into which a picture of the input is copied before others read it; -1: none.
    int arranged = -1;
    /// The area whose pictures are copied to the output; -1: the last stage writes there.
    int delivered = -1;
    const Routines* routines = nullptr;
    SoftmaxFunction softmax = nullptr;
    std::int64_t batch = 1;
    /// Pictures that one worker takes through all stages; 0: the workers share each stage.
    std::int64_t group = 0;
    /// Pictures of a group that go through stages in Winograd's form at once.
    std::int64_t chunk = 1;
    int workers = 1;
    std::int64_t input_floats = 0, output_floats = 0;  ///< of a picture
    std::int64_t packed_floats = 0;
    std::int64_t shared_floats = 0, own_floats = 0;

    int lanes() const { return routines->lanes; }
    std::int64_t panel_outputs() const { return std::int64_t{most_columns} * lanes(); }
};

/// Where the areas of one worker begin, and what it holds.
struct Bases {
    const float* input = nullptr;
    float* output = nullptr;
    float* shared = nullptr;
    float* own = nullptr;
    const float* weights = nullptr;
    std::int64_t first = 0;      ///< the picture that comes first in own areas
    std::int64_t in_chunk = 0;   ///< the one that comes first in those of a chunk
    std::int64_t arranged = -1;  ///< the picture that the arranged area holds
    std::uint64_t bordered = 0;  ///< a bit for each of the first areas, whose border has its zeros in this run
    bool nonfinite = false;      ///< as RunContext has it
};

/// Lines [first, last) of `picture` in stage `stage`, which is not flat; delivers them where it is the last one.
void run_lines(const Net& net, std::size_t stage, Bases& bases, std::int64_t picture, std::int64_t first,
               std::int64_t last);
/// The same for one of the strips of a stage in Winograd's form.
void run_strip(const Net& net, std::size_t stage, Bases& bases, std::int64_t picture, const Strip& strip);
/// The same for a chunk of pictures from `picture` on, which are finite.
void run_chunk(const Net& net, std::size_t stage, Bases& bases, std::int64_t picture);
/// Panels [first, last) of features of `count` pictures from `picture` on in flat stage `stage`. A stage that does not
/// multiply has one.
void run_rows(const Net& net, std::size_t stage, Bases& bases, std::int64_t picture, std::int64_t count,
              std::int64_t first, std::int64_t last);
inline std::int64_t panels(const Stage& stage) { return stage.multiply ? stage.multiply->panels : 1; }

/// What a product takes of the packed block: as DotProduct has it, or the biases, padded to whole vectors, then the
/// weights, a panel of most_columns vectors of outputs after the other: [taps][outputs of the panel].
std::int64_t packed_floats(const Net& net, const Multiply& multiply);
/// Puts dense weights into the packed block.
void pack_weights(const Net& net, const Multiply& multiply, const float* weight, float* packed);
/// The same for biases; nullptr: zeros.
void pack_bias(const Net& net, const Multiply& multiply, const float* bias, float* packed);

}  // namespace seq::cpu::small
