#include "kernels/cpu/small/builder.hpp"

#include <algorithm>
#include <limits>

#include "graph/ops/convolution.hpp"
#include "graph/ops/linear.hpp"
#include "graph/tensor.hpp"
#include "kernels/cpu/geometry.hpp"
#include "kernels/cpu/isa.hpp"

namespace seq::cpu::small {
namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();
/// Offsets of taps are 32 bits wide, and what is larger is no small net.
constexpr std::int64_t most_area_floats = std::int64_t{1} << 22;

std::vector<std::int64_t> sizes_of(const Value& value) { return *value.type.shape.sizes(); }

/// Adds taps `offset` floats on, to the last run where they follow it.
void append_taps(std::vector<Run>& runs, std::int64_t offset, std::int64_t count) {
    if (!runs.empty() && runs.back().offset + runs.back().count == offset) {
        runs.back().count += static_cast<std::int32_t>(count);
    } else {
        runs.push_back({static_cast<std::int32_t>(offset), static_cast<std::int32_t>(count)});
    }
}

/// The taps of a convolution, as they lie in the area that it reads.
void list_taps(const Area& in, const Kernel2d& kernel, Multiply& multiply) {
    for (std::int64_t first = 0; first < in.channels; first += in.lanes) {
        const std::int64_t count = std::min<std::int64_t>(in.lanes, in.channels - first);
        for (std::int64_t y = 0; y < kernel.height.kernel; ++y) {
            for (std::int64_t x = 0; x < kernel.width.kernel; ++x) {
                const std::int64_t offset = first / in.lanes * in.plane() + y * kernel.height.dilation * in.line() +
                                            x * kernel.width.dilation * in.lanes;
                append_taps(multiply.runs, offset, count);
                for (std::int64_t c = first; c < first + count; ++c) {
                    multiply.taps.push_back(
                        static_cast<std::int32_t>((c * kernel.height.kernel + y) * kernel.width.kernel + x));
                }
            }
        }
    }
}

/// A convolution whose kernel is the whole picture.
Kernel2d whole(const Area& in) { return {{.kernel = in.height}, {.kernel = in.width}}; }

bool is_f32(const Value& value) { return value.type.dtype == DType::f32 && product(sizes_of(value)) > 0; }

/// Whether all but the node's data is known before the run, and is f32.
bool takes_operands(const Node& node) {
    if (node.data_count != 1 || node.outputs.size() != 1 || !is_f32(*node.output())) return false;
    return is_f32(*node.input()) && std::all_of(node.inputs.begin() + 1, node.inputs.end(), [](const Value* value) {
               return value->is_constant_like() && is_f32(*value);
           });
}

}  // namespace

Builder::Builder(const Value& input, const ComputeOptions& options)
    : options_(options), isa_(usable_isa(options)), sizes_(sizes_of(input)) {
    net_.routines = &routines(isa_);
    net_.softmax = softmax_rows(isa_);
    net_.batch = sizes_[0];
    net_.workers = std::max(options.threads, 1);
    net_.input_floats = product(sizes_) / std::max<std::int64_t>(sizes_[0], 1);
}

int Builder::add_area(std::int64_t channels, std::int64_t height, std::int64_t width) {
    Area area;
    area.lanes = net_.lanes();
    area.channels = channels;
    area.height = height;
    area.width = width;
    net_.areas.push_back(area);
    return static_cast<int>(net_.areas.size()) - 1;
}

/// The input's area: as the caller has it for what multiplies, in blocks of channels for all else.
void Builder::start(const Node& node) {
    const std::size_t rank = sizes_.size();
    last_ = add_area(sizes_[1], rank == 4 ? sizes_[2] : 1, rank > 2 ? sizes_.back() : 1);
    rows_ = rank == 2;
    const bool multiplies = node.op.is<ops::Linear>() || node.op.is<ops::Conv1d>() || node.op.is<ops::Conv2d>();
    if (rows_ || multiplies || node.op.traits().view) {
        area(last_).lanes = 1;
        area(last_).place = Place::input;
        area(last_).picture = net_.input_floats;
    } else {
        net_.arranged = last_;
    }
}

bool Builder::append(const Node& node) {
    const std::size_t rank = sizes_.size();
    if (rank < 2 || rank > 4 || !takes_operands(node)) return false;
    if (last_ < 0) start(node);
    const bool done = append_view(node) || append_linear(node) || append_convolution<1>(node) ||
                      append_convolution<2>(node) || append_pool(node) || append_softmax(node) || append_function(node);
    net_.output_floats = product(sizes_of(*node.output())) / net_.batch;
    const auto fits = [](const Area& area) { return area.floats() <= most_area_floats; };
    return done && std::all_of(net_.areas.begin(), net_.areas.end(), fits);
}

bool Builder::append_view(const Node& node) {
    const auto out = sizes_of(*node.output());
    return node.op.traits().view && node.epilogue.empty() && out.size() == 2 && out[0] == net_.batch;
}

bool Builder::append_calls(const Node& node, std::vector<Call>& calls, std::size_t first) const {
    for (std::size_t i = first; i < node.epilogue.size(); ++i) {
        const auto unary = unary_call(node.epilogue[i].op);
        if (!unary || node.epilogue[i].operand_count != 0) return false;
        if (unary->function != Unary::copy)
            calls.push_back({find_function(unary->function, false, isa_), unary->parameters});
    }
    return true;
}

/// All but runs, taps and strides.
Multiply Builder::multiply_of(const Node& node, std::int64_t outputs) const {
    Multiply multiply;
    multiply.weight = node.parameter("weight");
    multiply.bias = node.parameter("bias");
    multiply.outputs = outputs;
    multiply.vectors = divide_up(outputs, net_.lanes());
    multiply.panels = divide_up(multiply.vectors, most_columns);
    multiply.low = -infinity;
    multiply.high = infinity;
    return multiply;
}

namespace {

/// Takes a ReLU or clamp at the head of the epilogue into the product; how many ops that were.
std::size_t take_clamp(const Node& node, Multiply& multiply) {
    if (node.epilogue.empty()) return 0;
    const auto unary = unary_call(node.epilogue.front().op);
    const auto clamp = unary ? clamp_of(*unary) : std::nullopt;
    if (!clamp) return 0;
    multiply.low = clamp->low;
    multiply.high = clamp->high;
    return 1;
}

}  // namespace

namespace {

/// Multiply::dot_row, where fewer instructions run with vectors along the taps than along the outputs, of which the
/// last vector may be all but empty.
std::int64_t dot_row(const Multiply& multiply, std::int64_t lanes) {
    constexpr std::int64_t instructions_per_sum = 3;  // of a vector's numbers
    if (multiply.runs.size() != 1) return 0;
    const auto taps = static_cast<std::int64_t>(multiply.taps.size());
    const std::int64_t along_taps = multiply.outputs * (divide_up(taps, lanes) + instructions_per_sum);
    return along_taps < multiply.vectors * taps ? lanes + round_up(taps, lanes) : 0;
}

}  // namespace

bool Builder::append_linear(const Node& node) {
    if (!node.op.is<ops::Linear>() || sizes_of(*node.input()).size() != 2) return false;
    Stage stage;
    stage.flat = true;
    stage.in = last_;
    stage.multiply = multiply_of(node, sizes_of(*node.output())[1]);
    list_taps(area(last_), whole(area(last_)), *stage.multiply);
    if (!append_calls(node, stage.multiply->calls, take_clamp(node, *stage.multiply))) return false;
    stage.multiply->dot_row = dot_row(*stage.multiply, net_.lanes());
    stage.out = last_ = add_area(stage.multiply->outputs, 1, 1);
    rows_ = true;
    net_.stages.push_back(std::move(stage));
    return true;
}

namespace {

/// A convolution in Winograd's form, where that is estimated to be faster and its input lies in blocks.
std::optional<Transformed> transform(const Area& in, const Kernel2d& kernel, const std::vector<std::int64_t>& out,
                                     Isa isa) {
    // Of 8 lanes the direct form stays further below the peak than the estimate has it.
    const double least_gain = in.lanes < 16 ? 1 : 1.3;
    // The weights come from memory for the first picture alone.
    constexpr std::int64_t pictures_with_weights = 8;
    for (const ops::Window& window : {kernel.height, kernel.width}) {
        if (window.kernel != 3 || window.stride != 1 || window.dilation != 1) return std::nullopt;
    }
    if (isa == Isa::scalar || in.lanes == 1) return std::nullopt;
    Transformed form;
    winograd::Problem& problem = form.problem;
    problem.in = winograd::lay_out(in.channels, in.height, in.width, in.lanes, Layout::blocked(in.lanes));
    problem.out = winograd::lay_out(out[1], out[2], out[3], in.lanes, Layout::blocked(in.lanes));
    problem.pad_top = kernel.height.pad_before;
    problem.pad_left = kernel.width.pad_before;
    problem.lanes = in.lanes;
    winograd::Problem many = problem;
    many.batch = pictures_with_weights;
    winograd::cut_into_tasks(many, 1);
    if (winograd::direct_cost(many, 1) < least_gain * winograd::winograd_cost(many, 1)) return std::nullopt;
    problem.batch = 1;
    return form;
}

}  // namespace

template <int N>
bool Builder::append_convolution(const Node& node) {
    const auto* conv = node.op.as<ops::Conv<N>>();
    if (conv == nullptr || conv->groups != 1 || conv->padding_mode != "zeros") return false;
    Kernel2d kernel;
    kernel.width = conv->window(N - 1);
    if (N == 2) kernel.height = conv->window(0);
    const auto out = sizes_of(*node.output());
    const auto transformed = N == 2 ? transform(area(last_), kernel, out, isa_) : std::nullopt;
    if (!transformed) pad_input(kernel);
    spreads_ = spreads_ || transformed || area(last_).has_border();
    const Area& in = area(last_);
    Stage stage;
    stage.in = last_;
    stage.multiply = multiply_of(node, out[1]);
    stage.multiply->transformed = transformed;
    list_taps(in, kernel, *stage.multiply);
    stage.multiply->position_stride = kernel.width.stride * in.lanes;
    stage.multiply->line_stride = kernel.height.stride * in.line();
    if (!append_calls(node, stage.multiply->calls, take_clamp(node, *stage.multiply))) return false;
    stage.out = last_ = add_area(out[1], N == 2 ? out[2] : 1, out.back());
    net_.stages.push_back(std::move(stage));
    return true;
}

/// Gives the area that is read next a border of zeros.
void Builder::pad_input(const Kernel2d& kernel) {
    const bool pads =
        kernel.height.pad_before + kernel.height.pad_after + kernel.width.pad_before + kernel.width.pad_after > 0;
    Area& in = area(last_);
    in.top = kernel.height.pad_before;
    in.bottom = kernel.height.pad_after;
    in.left = kernel.width.pad_before;
    in.right = kernel.width.pad_after;
    if (pads && in.place == Place::input) {
        in.place = Place::own;
        net_.arranged = last_;
    }
}

bool Builder::append_pool(const Node& node) {
    const auto in = sizes_of(*node.input()), out = sizes_of(*node.output());
    if (rows_ || in.size() < 3 || in.size() > 4) return false;
    KernelRequest request{node, {{DType::f32, in, {}}}, {{DType::f32, out, {}}}, options_};
    auto plan = pool_plan(request);
    if (!plan || plan->mode == PoolMode::root_of_squares) return false;
    Pooling pooling;
    pooling.plan = std::move(*plan);
    const auto window = [](const PoolAxis& axis) {
        std::int64_t size = axis.step == 1 ? 0 : -1;
        for (std::size_t i = 0; i < axis.first.size() && size >= 0; ++i)
            size = std::max(size, axis.end[i] - axis.first[i]);
        return size;
    };
    const std::int64_t rows = window(pooling.plan.axes[1]), columns = window(pooling.plan.axes[2]);
    const int form = rows == 1 && columns == 2 ? 1 : rows == 2 && columns == 2 ? 2 : rows == 3 && columns == 3 ? 3 : 0;
    const bool largest = pooling.plan.mode == PoolMode::largest;
    pooling.function = largest ? net_.routines->largest[form] : net_.routines->mean[form];
    if (!append_calls(node, pooling.calls)) return false;
    const int area_out = add_area(out[1], in.size() == 4 ? out[2] : 1, out.back());
    if (!fold_pool(pooling, area_out)) {
        Stage stage;
        stage.in = last_;
        stage.out = area_out;
        stage.pooling = std::move(pooling);
        net_.stages.push_back(std::move(stage));
    }
    last_ = area_out;
    return true;
}

namespace {

/// Whether each window is 2×2 elements, all of them there, and next to the one before it.
bool is_largest_of_pairs(const PoolPlan& plan) {
    const auto in_pairs = [](const PoolAxis& axis) {
        for (std::int64_t i = 0; i < axis.out; ++i) {
            const auto at = static_cast<std::size_t>(i);
            if (axis.step != 1 || axis.first[at] != 2 * i || axis.end[at] != 2 * i + 2) return false;
        }
        return true;
    };
    return plan.mode == PoolMode::largest && in_pairs(plan.axes[1]) && in_pairs(plan.axes[2]);
}

}  // namespace

/// Into the stage before, where that multiplies: its lines are pooled as soon as they are there.
bool Builder::fold_pool(const Pooling& pooling, int out) {
    if (net_.stages.empty() || !net_.stages.back().multiply || net_.stages.back().pooling) return false;
    Stage& stage = net_.stages.back();
    stage.pools_at_once = stage.multiply->calls.empty() && is_largest_of_pairs(pooling.plan);
    if (is_transformed(stage)) {
        if (!stage.pools_at_once) return false;
        stage.middle = stage.out;
    } else if (stage.pools_at_once) {
        area(stage.out).height = 0;
    } else {
        keep_lines_to_pool(stage, pooling.plan);
    }
    stage.out = out;
    stage.pooling = pooling;
    return true;
}

/// Some lines between the product and the pool.
void Builder::keep_lines_to_pool(Stage& stage, const PoolPlan& plan) {
    constexpr std::int64_t cache_floats = 6144;
    Area& middle = area(stage.out);
    const PoolAxis& axis = plan.axes[1];
    const std::int64_t line_floats = middle.line() * middle.blocks();
    stage.block = std::clamp<std::int64_t>(cache_floats * axis.out / (line_floats * axis.in), 1, axis.out);
    std::int64_t lines = 1;
    // A worker's share may begin at any line.
    for (std::int64_t y = 0; y < axis.out; ++y) {
        const PoolRange needed = range_of(axis, y, std::min(y + stage.block, axis.out));
        lines = std::max(lines, needed.end - needed.begin);
    }
    middle.height = lines;
    stage.middle = stage.out;
}

bool Builder::append_softmax(const Node& node) {
    const auto sizes = sizes_of(*node.input());
    if (!rows_ || !node.epilogue.empty()) return false;
    const auto form = softmax_form(node.op, sizes);
    if (!form || form->size != sizes[1] || form->inner != 1) return false;
    Stage stage;
    stage.flat = true;
    stage.in = last_;
    stage.softmax = form;
    stage.out = last_ = add_area(sizes[1], 1, 1);
    net_.stages.push_back(std::move(stage));
    return true;
}

bool Builder::append_function(const Node& node) {
    const auto unary = unary_call(node.op);
    if (!unary || area(last_).has_border()) return false;
    std::vector<Call> calls;
    if (unary->function != Unary::copy)
        calls.push_back({find_function(unary->function, false, isa_), unary->parameters});
    if (!append_calls(node, calls)) return false;
    append_copy(std::move(calls));
    return true;
}

/// A stage that copies what there is and does these to it.
void Builder::append_copy(std::vector<Call> calls) {
    Stage stage;
    stage.flat = rows_;
    stage.in = last_;
    stage.calls = std::move(calls);
    Area copy = area(last_);
    copy.place = Place::own;
    net_.areas.push_back(copy);
    stage.out = last_ = static_cast<int>(net_.areas.size()) - 1;
    net_.stages.push_back(std::move(stage));
}

bool Builder::has_product() const {
    return std::any_of(net_.stages.begin(), net_.stages.end(), [](const Stage& s) { return s.multiply.has_value(); });
}

double Builder::multiply_adds() const {
    double sum = 0;
    for (const Stage& stage : net_.stages) {
        if (!stage.multiply) continue;
        const Area& out = net_.areas[static_cast<std::size_t>(stage.out)];
        const std::int64_t pixels =
            stage.pooling ? stage.pooling->plan.axes[1].in * stage.pooling->plan.axes[2].in : out.height * out.width;
        sum += static_cast<double>(stage.multiply->taps.size()) * static_cast<double>(stage.multiply->outputs * pixels);
    }
    return sum;
}

std::int64_t Builder::weight_floats() const {
    std::int64_t sum = 0;
    for (const Stage& stage : net_.stages) {
        if (stage.multiply) sum += static_cast<std::int64_t>(stage.multiply->taps.size() + 1) * stage.multiply->outputs;
    }
    return sum;
}

}  // namespace seq::cpu::small
