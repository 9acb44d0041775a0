#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "graph/op.hpp"

namespace seq::ops {

/// The member of a family for its number of spatial dimensions: by_rank<2>("Conv1d", "Conv2d", "Conv3d").
template <int N>
constexpr std::string_view by_rank(std::string_view one, std::string_view two, std::string_view three) {
    static_assert(N >= 1 && N <= 3);
    return N == 1 ? one : N == 2 ? two : three;
}

/// "length"; "height", "width"; "depth", "height", "width".
std::string_view spatial_name(int spatial_rank, int i);

/// "N, C, H, W"
std::string_view spatial_layout(int spatial_rank);

/// A number to be followed by an operator: sums and quotients in parentheses, all else as it is.
std::string operand_text(const Dim& dim);

/// A window that slides over one dimension.
struct Window {
    std::int64_t kernel = 1;
    std::int64_t stride = 1;
    std::int64_t dilation = 1;
    std::int64_t pad_before = 0;
    std::int64_t pad_after = 0;
    /// A window may reach past the end, as long as it starts in the input or in the padding before it.
    bool ceil_mode = false;
};

/// How many windows there are over `size`, as PyTorch's pooling_output_shape has it; not positive where none fits.
Dim window_count(const Dim& size, const Window& window);

/// The formula of window_count with numbers put in: "floor((224 + 2·1 - 3) / 2) + 1".
std::string window_formula(const Dim& size, const Window& window);

/// The size of output dimension `dim`, called `what`, over the same dimension of input 0. Refuses with shape/empty
/// where no window fits and then gives the unknown size; explains itself where asked.
Dim slide_window(InferContext& context, int dim, const Window& window, std::string_view what);

/// As slide_window, for a size that `formula` made. A rule that asks for several sizes reports the first that is empty.
Dim checked_size(InferContext& context, int dim, const Dim& size, std::string_view what, const std::string& formula);

/// A number that a layer declares for a dimension of one of its inputs.
struct DeclaredSize {
    std::string_view code;   ///< of the fault: "shape/in-channels"
    std::string_view field;  ///< "in_channels"
    std::string_view unit;   ///< in the plural: "channels"
    int dim = 1;             ///< counts from the end where negative
    int input = 0;
};

enum class SizeMatch {
    equal,       ///< as declared, or inferred, or an earlier fault left it unknown
    different,   ///< a fault was reported
    unresolved,  ///< nothing is declared and the input does not tell; a fault was reported unless the input is at fault
};

/// Compares `declared` with the input's dimension, or infers it from there. `fixes` mend a difference; where there are
/// none, setting the field is offered.
SizeMatch match_size(InferContext& context, std::optional<std::int64_t>& declared, const DeclaredSize& what,
                     std::vector<FixIdea> fixes = {});

/// Input `i`'s dtype; where it is no float type, dtype/mismatch is reported and the answer is f32.
DType require_float_type(InferContext& context, int i = 0);

/// Refuses with shape/rank unless input `i` has at least `rank` dimensions.
bool require_min_rank(InferContext& context, int rank, int i = 0);

/// What a layer says of its channels; nullopt: nothing, and the output's are the input's.
struct DeclaredChannels {
    std::optional<std::int64_t> in;
    std::optional<std::int64_t> out;
};

/// Refuses with shape/rank unless input 0 is [N, C, spatial...] with `spatial_rank` dimensions. Where the family has no
/// member for the input's rank, or the input lacks its batch dimension, gives [N, channels, unknown...], so that what
/// follows is checked.
bool require_spatial_rank(InferContext& context, int spatial_rank, const DeclaredChannels& channels = {});

/// As InferContext::require; a condition that a fault of this rule is about already is not reported again.
bool require_once(InferContext& context, const Condition& condition, Fault fault);

/// Refuses a true `return_indices`: the second output is not supported.
void refuse_return_indices(InferContext& context, bool return_indices);

/// The rule of ops that give what they get: any float type, the same shape.
void infer_same_shape(InferContext& context);

/// The largest divisor of `number` that is at most `limit`; 1 where looking for it would take long.
std::int64_t divisor_near(std::int64_t number, std::int64_t limit);

/// A fix that sets one field.
FixIdea set_field(std::string_view field, FieldValue value, bool may_be_certain = true);

}  // namespace seq::ops
