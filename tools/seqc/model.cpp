#include "tools/seqc/model.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "frontend/parameters.hpp"
#include "frontend/report/json.hpp"
#include "frontend/report/text.hpp"
#include "frontend/weights/random_weights.hpp"
#include "frontend/weights/weights.hpp"
#include "tools/seqc/console.hpp"
#include "tools/seqc/least_values.hpp"
#include "tools/seqc/progress.hpp"
#include "tools/seqc/status.hpp"

namespace seqc {
namespace {

std::map<std::string, seq::Shape> shapes_of(const Arguments& arguments) {
    std::map<std::string, seq::Shape> shapes;
    for (const auto& [name, dims] : parse_shapes(arguments.shapes)) {
        seq::Shape shape;
        for (const std::string& dim : dims) {
            const bool number = std::isdigit(static_cast<unsigned char>(dim[0])) != 0;
            shape.push_back(number ? seq::Dim(std::stoll(dim)) : seq::Dim::symbol(dim));
        }
        shapes.emplace(name, std::move(shape));
    }
    return shapes;
}

/// The weights to compute with; says so where they are made up.
std::shared_ptr<const seq::WeightSource> choose_weights(const Arguments& arguments, Model& model,
                                                        MissingWeights missing) {
    const bool asked = arguments.random_weights.has_value();
    if (model.checked.weights && !asked) return model.checked.weights;
    const auto needed = seq::needed_parameters(model.graph());
    if (needed.empty() || (!asked && missing == MissingWeights::leave)) return nullptr;
    if (!asked && missing == MissingWeights::refuse) {
        throw seq::Error(
            "weights/missing",
            fmt::format(
                "the model has {} parameters and names no weights; give --weights FILE or --random-weights SEED",
                needed.size()));
    }
    model.random_weights = true;
    const std::uint64_t seed = arguments.random_weights.value_or(0);
    if (!asked) print_note(fmt::format("no weights are given: random ones, of seed {}, serve", seed));
    return seq::random_weights(needed, seed);
}

}  // namespace

void refuse_overwriting(const char* option, const std::string& target, const Arguments& arguments,
                        const seq::Definition* definition) {
    namespace fs = std::filesystem;
    std::vector<std::pair<fs::path, const char*>> read{{arguments.spec, "what it reads"},
                                                       {arguments.weights, "the weights"}};
    if (definition != nullptr && !definition->weights.empty())
        read.emplace_back(fs::path(arguments.spec).parent_path() / definition->weights, "the model's weights");
    for (const auto& [path, what] : read) {
        std::error_code none;
        if (fs::is_regular_file(path, none) && fs::equivalent(path, target, none))
            throw UsageError(fmt::format("{} {} would write over {}: name another file", option, target, what));
    }
}

seq::CheckOptions check_options(const Arguments& arguments) {
    seq::CheckOptions options;
    options.shapes = shapes_of(arguments);
    options.bindings = parse_settings(arguments.settings);
    if (!arguments.weights.empty()) options.weights = seq::load_weights(arguments.weights);
    options.model_weights = !arguments.random_weights;
    return options;
}

/// What is wrong with weights that cannot be opened, as a result of its own.
seq::CheckResult weights_failure(const seq::Error& error) {
    seq::CheckResult result;
    if (const auto* build_error = dynamic_cast<const seq::BuildError*>(&error)) {
        result.diagnostics = build_error->diagnostics();
    } else {
        seq::Diagnostic& diagnostic = result.diagnostics.emplace_back();
        diagnostic.code = error.code();
        diagnostic.message = error.what();
    }
    return result;
}

seq::CheckResult check_model(const Arguments& arguments) {
    const Progress progress("checking");
    seq::CheckOptions options;
    try {
        options = check_options(arguments);
    } catch (const seq::Error& error) {
        return weights_failure(error);
    }
    try {
        return seq::check_file(arguments.spec, options);
    } catch (const std::invalid_argument& error) {
        throw UsageError(error.what());
    }
}

std::string render(const seq::CheckResult& checked, const Arguments& arguments, bool color) {
    std::string text;
    seq::SourceLines lines;
    for (const seq::Diagnostic& diagnostic : checked.diagnostics) {
        if (diagnostic.where.file) lines.add(*diagnostic.where.file, checked.text);
    }
    for (const seq::Diagnostic& diagnostic : checked.diagnostics) {
        if (diagnostic.severity == seq::Severity::note) continue;
        text += arguments.json() ? seq::to_json(diagnostic) + "\n" : seq::to_text(diagnostic, lines, color) + "\n";
    }
    const std::string count = seq::count_text(checked.diagnostics);
    if (!arguments.json() && !count.empty()) text += count + "\n";
    return text;
}

std::optional<Model> load_model(const Arguments& arguments, MissingWeights missing) {
    Model model{check_model(arguments), nullptr, false};
    const std::string text = render(model.checked, arguments, color_on_errors());
    if (!text.empty() && !(arguments.quiet && !model.checked.has_error())) print_errors(text);
    if (model.checked.has_error() || !model.checked.graph) return std::nullopt;
    model.weights = choose_weights(arguments, model, missing);
    return model;
}

namespace {

seq::CompileOptions device_and_dtype(const Arguments& arguments) {
    seq::CompileOptions options;
    options.device = *parse_device(arguments.device);
    options.dtype = *seq::parse_math_mode(arguments.dtype);
    return options;
}

/// Draws a line for as long as there is something to measure.
seq::TuningProgress tuning_line() {
    return [line = std::shared_ptr<Progress>()](std::size_t done, std::size_t total, const std::string& layer) mutable {
        if (done == total) return line.reset();
        if (line == nullptr) line = std::make_shared<Progress>("measuring kernels");
        line->relabel(fmt::format("measuring kernels for {}", layer));
        line->update(static_cast<double>(done) / static_cast<double>(total));
    };
}

}  // namespace

void require_available(const Arguments& arguments) { seq::require_available(device_and_dtype(arguments)); }

seq::CompileOptions compile_options(const Arguments& arguments, const Model& model, seq::Tune usual_tune) {
    seq::CompileOptions options = device_and_dtype(arguments);
    options.weights = model.weights;
    options.threads = arguments.threads;
    options.memory_limit = arguments.memory_limit;
    if (arguments.numerics == "strict") options.numerics = seq::Numerics::strict;
    if (arguments.numerics == "fast") options.numerics = seq::Numerics::fast;
    options.passes = arguments.passes;
    options.tune = arguments.tune.empty()     ? usual_tune
                   : arguments.tune == "full" ? seq::Tune::full
                   : arguments.tune == "fast" ? seq::Tune::fast
                                              : seq::Tune::none;
    if (!arguments.timing_cache.empty()) options.timing_cache = arguments.timing_cache;
    options.on_tuning = tuning_line();
    options.on_times_not_kept = [](const std::string& reason) {
        print_note(
            fmt::format("the times that were measured are not kept: {}; --timing-cache names another file", reason));
    };
    seq::require_available(options);
    if (options.tune != seq::Tune::none && options.timing_cache.empty())
        print_note(
            "the times that are measured are not kept, since neither HOME nor XDG_CACHE_HOME is set; "
            "--timing-cache names a file");
    return options;
}

seq::Executable compile_model(const Model& model, const seq::CompileOptions& options) {
    const Progress progress("compiling");
    return seq::compile(model.graph(), options);
}

seq::Graph bind_graph(const seq::Graph& graph, const seq::Bindings& values) {
    std::vector<seq::NodeFault> faults;
    seq::Graph bound = graph.bind(values, faults);
    for (const seq::NodeFault& fault : faults) {
        if (fault.fault.severity == seq::Severity::error) throw seq::Error(fault.fault.code, fault.fault.message);
    }
    return bound;
}

namespace {

std::string no_values_text(const seq::Bindings& given, const seq::Graph& graph) {
    std::string names;
    for (const std::string& symbol : input_symbols(graph)) {
        if (!given.contains(symbol)) names += (names.empty() ? "" : ", ") + symbol;
    }
    return fmt::format("no values of {} with which the model works were found; --set gives some", names);
}

}  // namespace

std::optional<seq::Bindings> find_bindings(const Arguments& arguments, const seq::Graph& graph) {
    const seq::Bindings given = parse_settings(arguments.settings);
    auto bindings = least_valid_values(graph, given);
    if (!bindings) {
        print_note(no_values_text(given, graph));
        return std::nullopt;
    }
    std::string said;
    for (const auto& [symbol, value] : *bindings) {
        if (!given.contains(symbol)) said += fmt::format("{}{} = {}", said.empty() ? "" : ", ", symbol, value);
    }
    if (!said.empty()) print_note(fmt::format("with {}; --set gives other values", said));
    return bindings;
}

seq::Bindings bindings_for(const Arguments& arguments, const seq::Graph& graph) {
    auto bindings = find_bindings(arguments, graph);
    if (!bindings) throw seq::Error("shape/symbolic", "a model runs with values for all of its symbols");
    return std::move(*bindings);
}

}  // namespace seqc
