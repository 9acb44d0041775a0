#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>

#include "engine/plan.hpp"
#include "engine/plan_file/plan_file.hpp"
#include "tools/seqc/commands.hpp"
#include "tools/seqc/console.hpp"
#include "tools/seqc/model.hpp"
#include "tools/seqc/progress.hpp"
#include "tools/seqc/status.hpp"
#include "tools/seqc/table.hpp"

namespace seqc {
namespace {

namespace fs = std::filesystem;

constexpr double tolerance = 1e-4;

/// The path as seen from the folder of `file`; nullopt where it does not lie in there.
std::optional<std::string> relative_to(const std::string& path, const std::string& file) {
    std::error_code failure;
    const fs::path folder = fs::weakly_canonical(fs::absolute(file), failure).parent_path();
    const fs::path target = fs::weakly_canonical(fs::absolute(path), failure);
    const fs::path relative = target.lexically_relative(folder);
    if (failure || relative.empty() || *relative.begin() == "..") return std::nullopt;
    return relative.generic_string();
}

/// Empty where the model cannot be found again from the file.
seq::PlanSource source_of(const Arguments& arguments) {
    if (arguments.spec == "-" || !arguments.shapes.empty()) return {};
    const auto model = relative_to(arguments.spec, arguments.output_file);
    const auto weights = arguments.weights.empty() ? std::optional<std::string>("")
                                                   : relative_to(arguments.weights, arguments.output_file);
    if (!model || !weights) return {};
    return {*model, *weights, arguments.random_weights};
}

void save(const Arguments& arguments, const Model& model, const seq::Bindings& bindings) {
    const seq::Executable executable = compile_model(model, compile_options(arguments, model, seq::Tune::fast));
    executable.plan(bindings);
    seq::SaveOptions options;
    options.bindings.push_back(bindings);
    options.portable = arguments.portable;
    options.source = source_of(arguments);
    const Progress progress("writing " + arguments.output_file);
    seq::save_compiled(executable, arguments.output_file, options);
    if (options.source.model.empty() && !options.portable)
        print_note(
            fmt::format("the model does not lie in the folder of {}, which another machine would compile it "
                        "from; --portable takes the weights along",
                        arguments.output_file));
}

struct Written {
    double difference = 0;
    int threads = 0;
    std::size_t steps = 0;
};

/// Reads the file back and runs its test vectors.
Written check(const Arguments& arguments, const seq::Bindings& bindings) {
    const Progress progress("checking " + arguments.output_file);
    const seq::Executable executable =
        seq::load_compiled(arguments.output_file, {0, std::size_t{1} << 30, arguments.memory_limit, {}});
    Written written{0, executable.options().threads, executable.plan(bindings)->inner().steps.size()};
    for (const double difference : seq::replay_test_vectors(executable))
        written.difference = std::max(written.difference, difference);
    return written;
}

/// The model with its symbols kept, though --set gives them values, with which it was checked.
std::optional<Model> load_symbolic(const Arguments& arguments) {
    auto bound = load_model(arguments, MissingWeights::refuse);
    if (!bound || arguments.settings.empty() || arguments.spec == "-") return bound;
    Arguments symbolic = arguments;
    symbolic.settings.clear();
    symbolic.quiet = true;
    return load_model(symbolic, MissingWeights::refuse);
}

std::string settings_text(const seq::Bindings& bindings) {
    std::string text;
    for (const auto& [symbol, value] : bindings) text += fmt::format("{} = {}, ", symbol, value);
    return text;
}

}  // namespace

int run_compile(const Arguments& arguments) {
    const std::string& file = arguments.output_file;
    if (file == "-") throw UsageError("-o takes the name of a file: a plan is mapped, which a pipe cannot be");
    const auto model = load_symbolic(arguments);
    if (!model) return failed;
    const seq::Bindings bindings = bindings_for(arguments, model->graph());
    save(arguments, *model, bindings);
    const Written written = check(arguments, bindings);
    if (!(written.difference <= tolerance)) {
        std::error_code ignored;
        fs::remove(file, ignored);
        throw seq::Error("plan/drift", fmt::format("the plan that was read back differs by {:.2e}; {} was removed",
                                                   written.difference, file));
    }
    const auto bytes = fs::file_size(file);
    if (arguments.json()) {
        print(nlohmann::ordered_json{{"file", file},
                                     {"bytes", bytes},
                                     {"bindings", nlohmann::json(bindings)},
                                     {"threads", written.threads},
                                     {"steps", written.steps},
                                     {"portable", arguments.portable},
                                     {"difference", written.difference}}
                  .dump() +
              "\n");
        return ok;
    }
    print(fmt::format("{}: {}, {}{} steps for {} thread{}; read back, its test vector gives {}\n", file,
                      bytes_text(static_cast<double>(bytes)), settings_text(bindings), written.steps, written.threads,
                      written.threads == 1 ? "" : "s",
                      written.difference == 0 ? "the same" : fmt::format("{:.2e} off", written.difference)));
    return ok;
}

}  // namespace seqc
