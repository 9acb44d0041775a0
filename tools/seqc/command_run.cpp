#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "frontend/weights/npy.hpp"
#include "frontend/weights/npz.hpp"
#include "graph/convert_tensor.hpp"
#include "tools/seqc/commands.hpp"
#include "tools/seqc/console.hpp"
#include "tools/seqc/data.hpp"
#include "tools/seqc/model.hpp"
#include "tools/seqc/status.hpp"

namespace seqc {
namespace {

using seq::Tensor;

std::vector<double> as_doubles(const Tensor& tensor) {
    Tensor wide(seq::DType::f64, tensor.sizes());
    if (!seq::convert(tensor.view(), wide.view())) return {};
    const auto values = wide.data<double>();
    return {values.begin(), values.end()};
}

/// The largest values of each row of the last dimension, with their positions.
void print_top(const std::string& name, const Tensor& tensor, int top) {
    const std::vector<double> values = as_doubles(tensor);
    if (values.empty() || tensor.sizes().empty()) return;
    const auto row = static_cast<std::size_t>(tensor.sizes().back());
    for (std::size_t start = 0; start < values.size(); start += row) {
        std::vector<std::size_t> order(row);
        std::iota(order.begin(), order.end(), std::size_t{0});
        const std::size_t shown = std::min(row, static_cast<std::size_t>(top));
        std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(shown), order.end(),
                          [&](std::size_t a, std::size_t b) { return values[start + a] > values[start + b]; });
        std::string line = fmt::format("{}[{}]", name, start / row);
        for (std::size_t i = 0; i < shown; ++i) line += fmt::format("  {}: {:.6g}", order[i], values[start + order[i]]);
        print(line + "\n");
    }
}

void print_statistics(const std::string& name, const Tensor& tensor, bool json) {
    const std::vector<double> values = as_doubles(tensor);
    const std::string sizes = fmt::format("[{}]", fmt::join(tensor.sizes(), ", "));
    const bool finite = std::all_of(values.begin(), values.end(), [](double v) { return std::isfinite(v); });
    if (values.empty()) {
        print(json ? fmt::format("{{\"output\": \"{}\", \"shape\": {}}}\n", name, sizes)
                   : fmt::format("{} {}\n", name, sizes));
        return;
    }
    const auto [low, high] = std::minmax_element(values.begin(), values.end());
    const double mean = std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
    if (json && finite) {
        print(fmt::format("{{\"output\": \"{}\", \"shape\": {}, \"min\": {}, \"max\": {}, \"mean\": {}}}\n", name,
                          sizes, *low, *high, mean));
    } else if (json) {
        print(fmt::format("{{\"output\": \"{}\", \"shape\": {}, \"finite\": false}}\n", name, sizes));
    } else {
        print(fmt::format("{} {}: min {:.6g}, max {:.6g}, mean {:.6g}{}\n", name, sizes, *low, *high, mean,
                          finite ? "" : " (it holds NaN or Inf)"));
    }
}

void write_outputs(const std::vector<OutputTarget>& targets, const NamedTensors& outputs) {
    std::map<std::string, std::vector<std::pair<std::string, seq::TensorView>>> archives;
    for (const OutputTarget& target : targets) {
        const auto found = std::find(outputs.names.begin(), outputs.names.end(), target.name);
        const Tensor& tensor = outputs.tensors[static_cast<std::size_t>(found - outputs.names.begin())];
        if (target.path.ends_with(".npz")) {
            archives[target.path].emplace_back(target.name, tensor.view());
        } else {
            seq::write_npy(target.path, tensor.view());
        }
    }
    for (const auto& [path, arrays] : archives) seq::write_npz(path, arrays);
}

NamedTensors make_outputs(seq::Session& session, const seq::Executable& executable,
                          const std::vector<seq::NamedTensor>& inputs) {
    NamedTensors outputs;
    for (const seq::Port& port : executable.outputs()) {
        outputs.names.push_back(port.name);
        outputs.tensors.emplace_back(port.type.dtype, session.output_sizes(port.name, inputs));
    }
    return outputs;
}

}  // namespace

int run_run(const Arguments& arguments) {
    const auto model = load_model(arguments, MissingWeights::refuse);
    if (!model) return failed;
    const std::vector<OutputTarget> targets = output_targets(arguments, model->graph().output_names());
    seq::CompileOptions options = compile_options(arguments, *model);
    for (const OutputTarget& target : targets) options.taps.push_back(target.name);

    const seq::Executable executable = seq::compile(model->graph(), options);
    const NamedTensors inputs = read_inputs(arguments, executable.inputs(), parse_settings(arguments.settings));
    seq::Session session = executable.session();
    NamedTensors outputs = make_outputs(session, executable, inputs.views());
    session.run(inputs.views(), outputs.views());
    write_outputs(targets, outputs);
    for (std::size_t i = 0; i < outputs.names.size(); ++i) {
        if (arguments.top > 0) {
            print_top(outputs.names[i], outputs.tensors[i], arguments.top);
        } else if (targets.empty()) {
            print_statistics(outputs.names[i], outputs.tensors[i], arguments.json());
        }
    }
    return ok;
}

}  // namespace seqc
