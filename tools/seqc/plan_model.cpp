#include "tools/seqc/plan_model.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <iterator>
#include <limits>
#include <optional>

#include "engine/plan_file/plan_file.hpp"
#include "tools/seqc/console.hpp"
#include "tools/seqc/model.hpp"
#include "tools/seqc/status.hpp"

namespace seqc {
namespace {

namespace fs = std::filesystem;

/// More than other kernels' rounding, of the largest magnitude.
constexpr double changed_from = 1e-2;

/// Nothing where the command line leaves it to the file.
std::optional<seq::Device> given_device(const Arguments& arguments) {
    return arguments.gives("--device") ? parse_device(arguments.device) : std::nullopt;
}

const char* numerics_text(seq::Numerics numerics) {
    return numerics == seq::Numerics::strict ? "strict" : numerics == seq::Numerics::fast ? "fast" : "default";
}

[[noreturn]] void refuse_option(const char* option, const Arguments& arguments, const std::string& how = {}) {
    throw UsageError(
        fmt::format("{} was settled when {} was compiled{}; give it to 'seqc compile'", option, arguments.spec, how));
}

/// Options of how to compile; those that say what the plan does anyway are let be, where the file tells.
void refuse_settled(const Arguments& arguments) {
    for (const char* option : {"--weights", "--random-weights", "--shape", "--passes", "--tune"}) {
        if (arguments.gives(option)) refuse_option(option, arguments);
    }
    constexpr const char* told_by_the_file[] = {"--numerics", "--dtype", "--device", "--memory-limit"};
    if (std::none_of(std::begin(told_by_the_file), std::end(told_by_the_file),
                     [&](const char* option) { return arguments.gives(option); }))
        return;
    const seq::PlanFileInfo info = seq::describe_compiled(arguments.spec);
    const std::string numerics = numerics_text(info.options.numerics);
    const std::string dtype(seq::name_of(info.options.dtype));
    const auto device = given_device(arguments);
    if (arguments.gives("--numerics") && arguments.numerics != numerics)
        refuse_option("--numerics", arguments, ", as " + numerics);
    if (arguments.gives("--dtype") && arguments.dtype != dtype) refuse_option("--dtype", arguments, ", as " + dtype);
    // Of the devices of one kind any will do.
    if (device && device->kind != info.device)
        refuse_option("--device", arguments, ", for " + device_text({info.device, 0}));
    if (arguments.gives("--memory-limit") && info.device == seq::DeviceKind::cuda) throw UsageError(no_limit_on_gpus);
}

void require_symbols(const seq::Bindings& given, const std::vector<std::string>& symbols) {
    for (const auto& [symbol, value] : given) {
        if (std::find(symbols.begin(), symbols.end(), symbol) == symbols.end())
            throw UsageError(fmt::format("--set: the plan has no symbol '{}'", symbol));
    }
}

/// A path in the file's folder or below it; nullopt for any other.
std::optional<std::string> beside(const std::string& file, const std::string& relative) {
    const fs::path path(relative);
    if (relative.empty() || path.is_absolute() || std::find(path.begin(), path.end(), "..") != path.end())
        return std::nullopt;
    return (fs::path(file).parent_path() / path).string();
}

/// Says so where the model no longer gives the answers that the plan gave when it was compiled from it.
void note_change(const seq::Executable& executable, const std::string& file, const std::string& spec) {
    double worst = 0;
    try {
        for (const double difference : seq::replay_test_vectors(executable, file)) worst = std::max(worst, difference);
    } catch (const seq::Error&) {
        worst = std::numeric_limits<double>::infinity();
    }
    if (!(worst <= changed_from))
        print_note(fmt::format("{} or its weights were changed since {} was compiled from them: the answers differ{}",
                               spec, file,
                               std::isfinite(worst) ? fmt::format(" by {:.2g} of the largest", worst) : ""));
}

/// nullopt where the model that the plan was compiled from does not lie there any more.
std::optional<seq::Executable> compile_beside(const Arguments& arguments, const std::string& code,
                                              const std::string& reason) {
    const seq::PlanFileInfo info = seq::describe_compiled(arguments.spec);
    Arguments source = arguments;
    const auto spec = beside(arguments.spec, info.source.model);
    if (!spec || !fs::is_regular_file(*spec)) return std::nullopt;
    source.spec = *spec;
    if (!info.source.weights.empty()) {
        const auto weights = beside(arguments.spec, info.source.weights);
        if (!weights) return std::nullopt;
        source.weights = *weights;
    }
    source.random_weights = info.source.random_weights;
    source.settings.clear();  // the executable keeps the symbols, as the plan does
    source.numerics = numerics_text(info.options.numerics);
    source.dtype = seq::name_of(info.options.dtype);
    source.device = device_text(given_device(arguments).value_or(seq::Device{info.device, 0}));
    if (source.threads == 0) source.threads = info.options.threads;
    print_note(fmt::format("{}; {} is compiled instead, without measuring", reason, *spec));
    const auto model = load_model(source, MissingWeights::refuse);
    if (!model) throw seq::Error("plan/machine", fmt::format("{} does not compile", *spec));
    auto executable = compile_model(*model, compile_options(source, *model));
    if (code == "plan/machine") note_change(executable, arguments.spec, *spec);
    return executable;
}

}  // namespace

std::string settings_text(const seq::Bindings& bindings) {
    std::string text;
    for (const auto& [symbol, value] : bindings)
        text += fmt::format("{}{} = {}", text.empty() ? "" : ", ", symbol, value);
    return text;
}

bool names_plan(const Arguments& arguments) {
    return arguments.spec.ends_with(".seqx") || seq::is_compiled(arguments.spec);
}

seq::Executable open_plan(const Arguments& arguments, OtherVersion other_version) {
    refuse_settled(arguments);
    seq::LoadOptions options;
    options.threads = arguments.threads;
    options.memory_limit = arguments.memory_limit;
    options.on_planned_anew = print_note;
    options.device = given_device(arguments);
    options.trust_code = arguments.trust_code;
    try {
        seq::Executable executable = seq::load_compiled(arguments.spec, options);
        for (const seq::Bindings& bindings : seq::stored_bindings(executable)) executable.plan(bindings);
        return executable;
    } catch (const seq::Error& error) {
        const bool compiled_instead = error.code() == "plan/machine" ||
                                      (error.code() == "plan/version" && other_version == OtherVersion::compile_model);
        if (!compiled_instead) throw;
        auto executable = compile_beside(arguments, error.code(), error.what());
        if (!executable) throw;
        return std::move(*executable);
    }
}

bool agrees(const seq::Bindings& stored, const seq::Bindings& given) {
    return std::all_of(given.begin(), given.end(), [&](const auto& setting) {
        const auto found = stored.find(setting.first);
        return found != stored.end() && found->second == setting.second;
    });
}

seq::Bindings plan_settings(const Arguments& arguments, const seq::Executable& executable) {
    seq::Bindings given = parse_settings(arguments.settings);
    require_symbols(given, executable.symbols());
    return given;
}

seq::PlanFileInfo describe_plan(const Arguments& arguments) {
    refuse_settled(arguments);
    for (const char* option : {"--threads", "--memory-limit"}) {
        if (arguments.gives(option))
            throw UsageError(fmt::format("{} changes nothing here: {} is described as it was compiled, and not loaded",
                                         option, arguments.spec));
    }
    seq::PlanFileInfo info = seq::describe_compiled(arguments.spec);
    const seq::Bindings given = parse_settings(arguments.settings);
    std::vector<std::string> symbols;
    for (const auto& [symbol, value] : info.bindings.empty() ? seq::Bindings() : info.bindings.front())
        symbols.push_back(symbol);
    require_symbols(given, symbols);
    return info;
}

seq::Bindings plan_bindings(const Arguments& arguments, const seq::Executable& executable) {
    const seq::Bindings given = plan_settings(arguments, executable);
    std::vector<seq::Bindings> stored = seq::stored_bindings(executable);
    if (stored.empty()) stored = seq::describe_compiled(arguments.spec).bindings;
    for (const seq::Bindings& bindings : stored) {
        if (agrees(bindings, given)) return bindings;
    }
    seq::Bindings bindings = stored.empty() ? seq::Bindings() : stored.front();
    for (const auto& [symbol, value] : given) bindings[symbol] = value;
    return bindings;
}

}  // namespace seqc
