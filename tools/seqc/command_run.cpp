#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <numeric>
#include <span>

#include "frontend/suggest.hpp"
#include "frontend/weights/npy.hpp"
#include "frontend/weights/npz.hpp"
#include "graph/convert_tensor.hpp"
#include "tools/seqc/commands.hpp"
#include "tools/seqc/console.hpp"
#include "tools/seqc/data.hpp"
#include "tools/seqc/model.hpp"
#include "tools/seqc/plan_model.hpp"
#include "tools/seqc/progress.hpp"
#include "tools/seqc/status.hpp"

namespace seqc {
namespace {

using seq::Tensor;
using Json = nlohmann::ordered_json;

template <class Integer>
std::vector<double> widened(const Tensor& tensor) {
    std::vector<double> values;
    for (const Integer value : tensor.data<Integer>()) values.push_back(static_cast<double>(value));
    return values;
}

std::vector<double> as_doubles(const Tensor& tensor) {
    switch (tensor.dtype()) {
        case seq::DType::i64: return widened<std::int64_t>(tensor);
        case seq::DType::i32: return widened<std::int32_t>(tensor);
        case seq::DType::i8: return widened<std::int8_t>(tensor);
        case seq::DType::u8:
        case seq::DType::boolean: return widened<std::uint8_t>(tensor);
        default: break;
    }
    Tensor wide(seq::DType::f64, tensor.sizes());
    seq::convert(tensor.view(), wide.view());
    const auto values = wide.data<double>();
    return {values.begin(), values.end()};
}

Json number(double value) { return std::isfinite(value) ? Json(value) : Json(); }

/// The positions of a row's largest values, NaN before all, as PyTorch's topk has them.
std::vector<std::size_t> largest(std::span<const double> row, std::size_t count) {
    std::vector<std::size_t> order(row.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    const auto end = order.begin() + static_cast<std::ptrdiff_t>(std::min(row.size(), count));
    std::partial_sort(order.begin(), end, order.end(), [&](std::size_t a, std::size_t b) {
        const bool a_nan = std::isnan(row[a]);
        const bool b_nan = std::isnan(row[b]);
        if (a_nan != b_nan) return a_nan;
        return a_nan || row[a] == row[b] ? a < b : row[a] > row[b];
    });
    order.erase(end, order.end());
    return order;
}

/// The largest values of each row of the last dimension, with their positions.
void print_top(const std::string& name, const Tensor& tensor, const Arguments& arguments) {
    const std::vector<double> values = as_doubles(tensor);
    if (values.empty()) return;
    const std::size_t length = tensor.sizes().empty() ? 1 : static_cast<std::size_t>(tensor.sizes().back());
    for (std::size_t start = 0; start < values.size(); start += length) {
        const std::span<const double> row(values.data() + start, length);
        Json top = Json::array();
        std::string line = fmt::format("{}[{}]", name, start / length);
        for (const std::size_t i : largest(row, static_cast<std::size_t>(arguments.top))) {
            line += fmt::format("  {}: {:.6g}", i, row[i]);
            top.push_back({{"index", i}, {"value", number(row[i])}});
        }
        const Json object{{"output", name}, {"row", start / length}, {"top", std::move(top)}};
        print((arguments.json() ? object.dump() : line) + "\n");
    }
}

void print_statistics(const std::string& name, const Tensor& tensor, bool json) {
    const std::vector<double> values = as_doubles(tensor);
    Json object{{"output", name}, {"shape", tensor.sizes()}};
    std::string line = fmt::format("{} [{}]", name, fmt::join(tensor.sizes(), ", "));
    if (!values.empty()) {
        const bool finite = std::all_of(values.begin(), values.end(), [](double v) { return std::isfinite(v); });
        const auto [low, high] = std::minmax_element(values.begin(), values.end());
        const double mean = std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
        object.update(finite ? Json{{"min", *low}, {"max", *high}, {"mean", mean}} : Json{{"finite", false}});
        line += fmt::format(": min {:.6g}, max {:.6g}, mean {:.6g}{}", *low, *high, mean,
                            finite ? "" : " (it holds NaN or Inf)");
    }
    print((json ? object.dump() : line) + "\n");
}

/// Refuses names of values that the model does not have.
void check_targets(const std::vector<OutputTarget>& targets, const seq::Graph& graph) {
    for (const OutputTarget& target : targets) {
        try {
            seq::with_taps(graph, {target.name});
        } catch (const seq::Error&) {
            std::vector<std::string_view> names(graph.output_names().begin(), graph.output_names().end());
            for (const seq::LayerInfo& layer : graph.layers) names.push_back(layer.path);
            throw UsageError(fmt::format("--output: the model has no value `{}`{}", target.name,
                                         seq::did_you_mean(seq::nearest(target.name, names))));
        }
    }
}

void write_outputs(const std::vector<OutputTarget>& targets, const NamedTensors& outputs) {
    std::map<std::string, std::vector<std::pair<std::string, seq::TensorView>>> archives;
    for (const OutputTarget& target : targets) {
        const auto found = std::find(outputs.names.begin(), outputs.names.end(), target.name);
        const Tensor& tensor = outputs.tensors[static_cast<std::size_t>(found - outputs.names.begin())];
        if (is_archive(target.path)) {
            archives[target.path].emplace_back(target.name, tensor.view());
        } else {
            seq::write_npy(target.path, tensor.view());
        }
    }
    for (const auto& [path, arrays] : archives) seq::write_npz(path, arrays);
}

NamedTensors compute(seq::Session& session, const seq::Executable& executable,
                     const std::vector<seq::NamedTensor>& inputs) {
    const Progress progress("running");
    NamedTensors outputs;
    for (const seq::Port& port : executable.outputs()) {
        outputs.names.push_back(port.name);
        outputs.tensors.emplace_back(port.type.dtype, session.output_sizes(port.name, inputs));
    }
    session.run(inputs, outputs.views());
    return outputs;
}

void check_top(const std::vector<OutputTarget>& targets, const Arguments& arguments) {
    const bool to_output = std::any_of(targets.begin(), targets.end(), [](const auto& t) { return t.path == "-"; });
    if (to_output && arguments.top > 0) throw UsageError("--top prints on standard output, which --output takes");
}

/// Refuses an input whose sizes are others than --set says.
void check_sizes(const seq::Port& port, const NamedTensors& inputs, const seq::Bindings& bindings) {
    const auto found = std::find(inputs.names.begin(), inputs.names.end(), port.name);
    const auto& sizes = inputs.tensors[static_cast<std::size_t>(found - inputs.names.begin())].sizes();
    const auto wanted = port.type.shape.substitute(bindings);
    if (static_cast<int>(sizes.size()) != wanted.rank()) return;  // the session says so
    for (int d = 0; d < wanted.rank(); ++d) {
        const auto value = wanted[d].evaluate({});
        if (value && *value != sizes[static_cast<std::size_t>(d)])
            throw seq::Error("input/shape", fmt::format("input `{}` is {}, but gets [{}]", port.name,
                                                        wanted.to_string(), fmt::join(sizes, ", ")));
    }
}

/// Reads the inputs, runs, and writes or prints the outputs.
int run_executable(const Arguments& arguments, const seq::Executable& executable,
                   const std::vector<OutputTarget>& targets) {
    const seq::Bindings bindings = parse_settings(arguments.settings);
    const NamedTensors inputs = read_inputs(arguments, executable.inputs(), bindings);
    for (const seq::Port& port : executable.inputs()) check_sizes(port, inputs, bindings);
    seq::Session session = executable.session();
    const NamedTensors outputs = compute(session, executable, inputs.views());
    write_outputs(targets, outputs);
    for (std::size_t i = 0; i < outputs.names.size(); ++i) {
        if (arguments.top > 0) {
            print_top(outputs.names[i], outputs.tensors[i], arguments);
        } else if (targets.empty()) {
            print_statistics(outputs.names[i], outputs.tensors[i], arguments.json());
        }
    }
    return ok;
}

int run_plan(const Arguments& arguments) {
    const seq::Executable executable = open_plan(arguments);
    std::vector<std::string> names;
    for (const seq::Port& port : executable.outputs()) names.push_back(port.name);
    const std::vector<OutputTarget> targets = output_targets(arguments, names);
    for (const OutputTarget& target : targets) {
        if (std::find(names.begin(), names.end(), target.name) == names.end())
            throw UsageError(
                fmt::format("--output: the compiled plan gives {}, and no `{}`", fmt::join(names, ", "), target.name));
    }
    for (const OutputTarget& target : targets) refuse_overwriting("--output", target.path, arguments);
    refuse_other_endings(targets);
    check_top(targets, arguments);
    plan_bindings(arguments, executable);  // refuses what is no symbol of the plan
    return run_executable(arguments, executable, targets);
}

}  // namespace

int run_run(const Arguments& arguments) {
    check_picture_options(arguments);
    if (names_plan(arguments)) return run_plan(arguments);
    const auto model = load_model(arguments, MissingWeights::refuse);
    if (!model) return failed;
    const std::vector<OutputTarget> targets = output_targets(arguments, model->graph().output_names());
    check_targets(targets, model->graph());
    for (const OutputTarget& target : targets)
        refuse_overwriting("--output", target.path, arguments, model->checked.definition.get());
    refuse_other_endings(targets);
    check_top(targets, arguments);
    seq::CompileOptions options = compile_options(arguments, *model);
    for (const OutputTarget& target : targets) options.taps.push_back(target.name);
    return run_executable(arguments, compile_model(*model, options), targets);
}

}  // namespace seqc
