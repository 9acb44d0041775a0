#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>

#include "engine/plan.hpp"
#include "engine/plan_file/plan_file.hpp"
#include "frontend/json/utf8.hpp"
#include "tools/seqc/commands.hpp"
#include "tools/seqc/console.hpp"
#include "tools/seqc/mismatch.hpp"
#include "tools/seqc/model.hpp"
#include "tools/seqc/plan_model.hpp"
#include "tools/seqc/progress.hpp"
#include "tools/seqc/status.hpp"
#include "tools/seqc/table.hpp"

namespace seqc {
namespace {

namespace fs = std::filesystem;

constexpr double tolerance = 1e-4;
constexpr std::size_t most_plans = 256;

/// The path as seen from the folder of `file`; nullopt where it does not lie in there.
std::optional<std::string> relative_to(const std::string& path, const std::string& file) {
    std::error_code failure;
    const fs::path folder = fs::weakly_canonical(fs::absolute(file), failure).parent_path();
    const fs::path target = fs::weakly_canonical(fs::absolute(path), failure);
    const fs::path relative = target.lexically_relative(folder);
    if (failure || relative.empty() || *relative.begin() == "..") return std::nullopt;
    return relative.generic_string();
}

bool is_utf8(const std::string& text) { return seq::json::find_invalid_utf8(text) == std::string::npos; }

/// Empty where the model cannot be found again from the file.
seq::PlanSource source_of(const Arguments& arguments) {
    if (arguments.spec == "-" || !arguments.shapes.empty()) return {};
    const auto model = relative_to(arguments.spec, arguments.output_file);
    const auto weights = arguments.weights.empty() ? std::optional<std::string>("")
                                                   : relative_to(arguments.weights, arguments.output_file);
    if (!model || !weights || !is_utf8(*model) || !is_utf8(*weights)) return {};
    return {*model, *weights, arguments.random_weights};
}

void save(const Arguments& arguments, const Model& model, const std::vector<seq::Bindings>& bindings) {
    const seq::Executable executable = compile_model(model, compile_options(arguments, model, seq::Tune::fast));
    {
        const Progress progress("compiling");
        for (const seq::Bindings& values : bindings) executable.plan(values);
    }
    seq::SaveOptions options;
    options.bindings = bindings;
    options.portable = arguments.portable;
    options.source = source_of(arguments);
    const Progress progress("writing " + arguments.output_file);
    seq::save_compiled(executable, arguments.output_file, options);
    if (options.source.model.empty() && !options.portable)
        print_note(fmt::format(
            "the model {} {}, which another machine would compile it from; --portable takes the "
            "weights along",
            is_utf8(arguments.spec + arguments.weights) ? "does not lie in the folder of"
                                                        : "has a name that is not UTF-8, and is not named in",
            arguments.output_file));
}

struct Written {
    double difference = 0;
    int threads = 0;
    std::vector<std::size_t> steps;  ///< of each plan
};

/// Reads the file back and runs its test vectors.
Written check(const Arguments& arguments, const std::vector<seq::Bindings>& bindings) {
    const Progress progress("checking " + arguments.output_file);
    seq::LoadOptions options;
    options.memory_limit = arguments.memory_limit;
    options.device = parse_device(arguments.device);
    options.trust_code = true;  // it was written here
    const seq::Executable executable = seq::load_compiled(arguments.output_file, options);
    Written written{0, executable.options().threads, {}};
    for (const seq::Bindings& values : bindings) written.steps.push_back(executable.plan(values)->kernel_steps());
    for (const double difference : seq::replay_test_vectors(executable))
        written.difference = std::max(written.difference, difference);
    return written;
}

/// `--set N=1,8` is N=1 in one plan and N=8 in another: the settings of each plan, in the order in which they were
/// given.
std::vector<std::vector<std::string>> settings_of_plans(const std::vector<std::string>& settings) {
    std::vector<std::vector<std::string>> plans(1);
    for (const std::string& setting : settings) {
        const std::size_t values = std::min(setting.find('='), setting.size() - 1) + 1;
        std::vector<std::vector<std::string>> longer;
        for (const auto& plan : plans) {
            std::size_t from = values;
            for (std::size_t comma = 0; comma != std::string::npos; from = comma + 1) {
                comma = setting.find(',', from);
                longer.push_back(plan);
                longer.back().push_back(setting.substr(0, values) + setting.substr(from, comma - from));
            }
        }
        plans = std::move(longer);
        if (plans.size() > most_plans) throw UsageError(fmt::format("--set: more than {} plans in a file", most_plans));
    }
    return plans;
}

/// The model with its symbols kept, though --set gives them values, with which it was checked.
std::optional<Model> load_symbolic(const Arguments& arguments, const std::vector<std::vector<std::string>>& plans) {
    Arguments one = arguments;
    std::optional<Model> bound;
    for (const auto& settings : plans) {
        one.settings = settings;
        bound = load_model(one, MissingWeights::refuse);
        if (!bound || arguments.settings.empty() || arguments.spec == "-") return bound;
    }
    Arguments symbolic = arguments;
    symbolic.settings.clear();
    symbolic.quiet = true;
    return load_model(symbolic, MissingWeights::refuse);
}

std::vector<seq::Bindings> bindings_of(const Arguments& arguments, const Model& model,
                                       const std::vector<std::vector<std::string>>& plans) {
    std::vector<seq::Bindings> all;
    Arguments one = arguments;
    for (const auto& settings : plans) {
        one.settings = settings;
        seq::Bindings bindings = bindings_for(one, model.graph());
        if (std::find(all.begin(), all.end(), bindings) != all.end())
            throw UsageError(fmt::format("--set gives the values {} twice", fmt::join(settings, " ")));
        all.push_back(std::move(bindings));
    }
    return all;
}

void print_json(const Arguments& arguments, const std::vector<seq::Bindings>& bindings, const Written& written) {
    nlohmann::ordered_json plans = nlohmann::ordered_json::array();
    for (std::size_t i = 0; i < bindings.size(); ++i)
        plans.push_back({{"bindings", bindings[i].empty() ? nlohmann::json::object() : nlohmann::json(bindings[i])},
                         {"steps", written.steps[i]}});
    print(nlohmann::ordered_json{{"file", arguments.output_file},
                                 {"bytes", fs::file_size(arguments.output_file)},
                                 {"threads", written.threads},
                                 {"portable", arguments.portable},
                                 {"plans", std::move(plans)},
                                 {"difference", written.difference}}
              .dump() +
          "\n");
}

void print_text(const Arguments& arguments, const std::vector<seq::Bindings>& bindings, const Written& written) {
    const auto bytes = static_cast<double>(fs::file_size(arguments.output_file));
    print(fmt::format("{}: {}, for {}; read back, {} {}\n", arguments.output_file, bytes_text(bytes),
                      counted(static_cast<std::size_t>(written.threads), "thread"),
                      bindings.size() == 1 ? "its test vector gives" : "its test vectors give",
                      written.difference == 0 ? "the same" : fmt::format("{:.2e} off", written.difference)));
    for (std::size_t i = 0; i < bindings.size(); ++i) {
        const std::string values = settings_text(bindings[i]);
        print(fmt::format("  {}{}\n", values.empty() ? "" : values + ": ", counted(written.steps[i], "step")));
    }
}

}  // namespace

int run_compile(const Arguments& arguments) {
    const std::string& file = arguments.output_file;
    const auto plans = settings_of_plans(arguments.settings);
    const auto model = load_symbolic(arguments, plans);
    if (!model) return failed;
    const std::vector<seq::Bindings> bindings = bindings_of(arguments, *model, plans);
    save(arguments, *model, bindings);
    const Written written = check(arguments, bindings);
    if (!(written.difference <= tolerance)) {
        std::error_code ignored;
        fs::remove(file, ignored);
        throw seq::Error("plan/drift", fmt::format("the plan that was read back differs by {}; {} was removed",
                                                   difference_text(written.difference), file));
    }
    arguments.json() ? print_json(arguments, bindings, written) : print_text(arguments, bindings, written);
    return ok;
}

}  // namespace seqc
