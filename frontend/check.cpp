#include "frontend/check.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>
#include <stdexcept>
#include <tuple>
#include <utility>

#include "frontend/assemble.hpp"
#include "frontend/io/byte_source.hpp"
#include "frontend/io/file_kind.hpp"
#include "frontend/io/quoted_name.hpp"
#include "frontend/json/reader.hpp"
#include "frontend/lower.hpp"
#include "frontend/parameters.hpp"
#include "frontend/report/report.hpp"
#include "frontend/report/text.hpp"
#include "frontend/validate.hpp"
#include "frontend/weights/weights.hpp"
#include "graph/op_table.hpp"

namespace seq {
namespace {

bool is_error(const Diagnostic& diagnostic) { return diagnostic.severity == Severity::error; }

std::string listed(const std::set<std::string>& names) { return fmt::format("`{}`", fmt::join(names, "`, `")); }

/// Refuses options that name what the model does not have.
void check_names(const Definition& definition, const CheckOptions& options) {
    std::set<std::string> symbols, inputs;
    for (const InputDefinition& input : definition.inputs) {
        inputs.insert(input.name);
        const auto other = options.shapes.find(input.name);
        for (const Dim& dim : other == options.shapes.end() ? input.type.shape : other->second) {
            for (std::string& symbol : dim.symbols()) symbols.insert(std::move(symbol));
        }
    }
    for (const auto& [name, shape] : options.shapes) {
        if (!inputs.contains(name))
            throw std::invalid_argument(fmt::format("the model has no input `{}`; it has {}", name, listed(inputs)));
    }
    for (const auto& [symbol, value] : options.bindings) {
        if (!symbols.contains(symbol))
            throw std::invalid_argument(fmt::format("no input of the model has a dimension `{}`; there {}", symbol,
                                                    symbols.empty() ? "are numbers alone" : "is " + listed(symbols)));
    }
}

std::size_t count_problems(const Lowering& lowering) { return lowering.faults.size() + lowering.problems.size(); }

std::size_t count_errors(const Lowering& lowering) {
    const auto errors = std::count_if(lowering.faults.begin(), lowering.faults.end(),
                                      [](const LayerFault& fault) { return fault.fault.severity == Severity::error; });
    return static_cast<std::size_t>(errors) + lowering.problems.size();
}

/// Where an input of the model may be what is wrong, it is taken to be right unless that explains less.
Lowering lower_doubting(const Definition& definition, LowerOptions options) {
    Lowering doubting = lower(definition, options);
    if (doubting.doubted_inputs.empty()) return doubting;
    options.trusted_inputs = doubting.doubted_inputs;
    Lowering trusting = lower(definition, options);
    if (count_errors(trusting) <= count_errors(doubting)) return trusting;
    if (doubting.refuted_inputs.empty()) return doubting;
    if (doubting.refuted_inputs == doubting.doubted_inputs) return trusting;
    options.trusted_inputs = doubting.refuted_inputs;
    return lower(definition, options);
}

/// Where names stand twice there are several readings; the one with the least that is wrong counts. A layer is not
/// misnamed where something is wrong with it by that name.
Lowering lower_best(const Definition& definition, const CheckOptions& options) {
    const LowerOptions given{options.shapes, options.bindings};
    Lowering best = lower_doubting(definition, given);
    if (best.renamings.empty() && best.ambiguous_names.empty()) return best;
    for (const auto& [first_is_misnamed, names_hold] :
         {std::pair(true, false), std::pair(false, true), std::pair(true, true)}) {
        if (count_problems(best) == 0) break;
        LowerOptions reading = given;
        reading.first_duplicate_is_misnamed = first_is_misnamed;
        reading.names_hold = names_hold;
        Lowering other = lower_doubting(definition, reading);
        const bool preferred = names_hold && !best.renamings.empty();
        if (count_problems(other) >= count_problems(best) + (preferred ? 1 : 0)) continue;
        best = std::move(other);
        best.ambiguous_names.clear();
    }
    return best;
}

/// A fault of a module's layer once, however often the module is used.
void keep_first(std::vector<Diagnostic>& problems) {
    std::set<std::tuple<int, int, std::string, std::string>> seen;
    std::erase_if(problems, [&](const Diagnostic& problem) {
        return problem.where.line > 0 &&
               !seen.emplace(problem.where.line, problem.where.column, problem.code, problem.actual).second;
    });
}

class Checker {
   public:
    Checker(CheckResult& result, const CheckOptions& options, std::string folder)
        : result_(result), options_(options), folder_(std::move(folder)) {}

    void run(std::shared_ptr<const Definition> definition, std::vector<json::Problem> problems, bool fatal) {
        result_.definition = definition;
        if (fatal) return add(assemble(*definition, stopped(), std::move(problems), false));
        check_names(*definition, options_);
        open_weights(*definition);
        Lowering lowering = lower_best(*definition, options_);
        keep_first(lowering.problems);
        add(assemble(*definition, lowering, std::move(problems), result_.weights != nullptr,
                     {options_.shapes, options_.bindings}));
        if (result_.has_error())
            std::erase_if(lowering.problems, [](const Diagnostic& problem) { return !is_error(problem); });
        add(std::move(lowering.problems));
        if (!lowering.stopped) {
            add(report(*definition, lowering, {result_.weights.get(), options_.fix_budget}));
            if (result_.weights != nullptr) check_parameters(*definition, lowering);
        }
        if (!result_.has_error()) result_.graph.emplace(std::move(lowering.graph));
    }

   private:
    static Lowering stopped() {
        Lowering lowering;
        lowering.stopped = true;
        return lowering;
    }

    void add(std::vector<Diagnostic> diagnostics) {
        std::move(diagnostics.begin(), diagnostics.end(), std::back_inserter(result_.diagnostics));
    }

    SourceSpan weights_span(const Definition& definition) const {
        if (options_.weights != nullptr || definition.weights_place == no_place || !definition.document) return {};
        return definition.document->value_span(definition.weights_place);
    }

    void open_weights(const Definition& definition) {
        result_.weights = options_.weights;
        if (result_.weights != nullptr || !options_.model_weights || definition.weights.empty()) return;
        std::vector<Diagnostic> problems;
        try {
            result_.weights = load_weights(resolve_weight_path(folder_, definition.weights));
        } catch (const BuildError& error) {
            problems = error.diagnostics();
        } catch (const Error& error) {
            Diagnostic& problem = problems.emplace_back();
            problem.code = error.code();
            problem.message = error.what();
        }
        for (Diagnostic& problem : problems) {
            if (problem.where.line == 0) problem.where = weights_span(definition);
        }
        add(std::move(problems));
    }

    /// Compares the parameters with the weights. Of a layer with an error only the names count, and where the
    /// parameters of one are not known, what the weights have for it is not unexpected.
    void check_parameters(const Definition& definition, const Lowering& lowering) {
        const bool names_hold =
            std::none_of(result_.diagnostics.begin(), result_.diagnostics.end(), [](const Diagnostic& diagnostic) {
                return diagnostic.code == "spec/duplicate-name" || diagnostic.code == "spec/unknown-layer" ||
                       diagnostic.code == "graph/unknown-name" || diagnostic.code == "spec/missing-key";
            });
        if (!names_hold) return;
        std::set<std::string> faulty;
        for (const LayerFault& fault : lowering.faults) {
            if (fault.fault.severity == Severity::error) faulty.insert(lowering.graph.layers[fault.layer].path);
        }
        std::vector<NeededParameter> needed = needed_parameters(lowering.graph);
        for (NeededParameter& parameter : needed) {
            if (faulty.contains(parameter.layer)) parameter.type = TensorType::make_error();
        }
        try {
            WeightCheck check = check_weights(needed, *result_.weights, parameter_aliases(lowering.graph));
            std::erase_if(check.diagnostics, [&](const Diagnostic& diagnostic) {
                return diagnostic.code == "weights/unexpected" && concerns_unapplied(lowering, diagnostic.actual);
            });
            for (Diagnostic& diagnostic : check.diagnostics) {
                if (diagnostic.where.line == 0) diagnostic.where = weights_span(definition);
            }
            add(std::move(check.diagnostics));
        } catch (const Error& error) {
            Diagnostic problem;
            problem.code = error.code();
            problem.message = error.what();
            problem.where = weights_span(definition);
            add({problem});
        }
    }

    static bool concerns_unapplied(const Lowering& lowering, const std::string& name) {
        for (LayerId id = 0; id < lowering.layers.size(); ++id) {
            const LoweredLayer& layer = lowering.layers[id];
            const bool open = std::any_of(layer.inputs.begin(), layer.inputs.end(), [](const Value* input) {
                const Shape& shape = input->type.shape;
                return input->type.error || input->alternative.has_value() ||
                       std::any_of(shape.begin(), shape.end(),
                                   [](const Dim& dim) { return dim.is_unknown() || dim.is_overflow(); });
            });
            const bool unapplied = layer.node == nullptr || open;
            if (unapplied && name.starts_with(lowering.graph.layers[id].path + ".")) return true;
        }
        return false;
    }

    CheckResult& result_;
    const CheckOptions& options_;
    std::string folder_;
};

void sort_by_place(std::vector<Diagnostic>& diagnostics) {
    std::stable_sort(diagnostics.begin(), diagnostics.end(), [](const Diagnostic& a, const Diagnostic& b) {
        const bool same_file =
            a.where.file == b.where.file || (a.where.file && b.where.file && *a.where.file == *b.where.file);
        if (!same_file) return false;
        return std::tie(a.where.line, a.where.column) < std::tie(b.where.line, b.where.column);
    });
}

std::string folder_of(const std::string& path) {
    const std::size_t slash = path.rfind('/');
    if (slash == std::string::npos) return {};
    return slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace

bool CheckResult::has_error() const { return std::any_of(diagnostics.begin(), diagnostics.end(), is_error); }

CheckResult check_text(std::string text, const std::string& file, const CheckOptions& options,
                       const std::string& folder) {
    register_builtin_ops();
    CheckResult result;
    result.text = std::make_shared<const std::string>(text);
    if (const auto why = why_no_model(file_kind(std::string_view(text).substr(0, file_kind_bytes), file));
        !why.empty()) {
        Diagnostic& diagnostic = result.diagnostics.emplace_back();
        diagnostic.code = "spec/syntax";
        diagnostic.message = fmt::format("{} {}", quoted_name(file), why);
        return result;
    }
    const auto document = json::Document::parse(std::move(text), file, result.diagnostics);
    if (document == nullptr) return result;
    json::Reading reading = json::read_definition(document);
    json::adopt_duplicate_keys(*document, result.diagnostics, reading);
    auto definition = std::make_shared<const Definition>(std::move(reading.definition));
    Checker(result, options, folder).run(std::move(definition), std::move(reading.problems), reading.fatal);
    sort_by_place(result.diagnostics);
    if (result.has_error()) result.graph.reset();
    return result;
}

ModelText read_model(const std::string& path) {
    const std::unique_ptr<ByteStream> stream = open_stream(path);
    std::vector<std::byte> bytes;
    try {
        bytes = read_all(*stream, json::max_bytes);
    } catch (const Error& error) {
        if (error.code() != "io/limit") throw;
        throw Error("spec/limit", fmt::format("{}: the file has more than {} bytes, the limit", path, json::max_bytes));
    }
    std::string text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    if (path == "-") return {std::move(text), "<stdin>", {}};
    return {std::move(text), path, folder_of(path)};
}

CheckResult check_file(const std::string& path, const CheckOptions& options) {
    ModelText model = read_model(path);
    return check_text(std::move(model.text), model.file, options, model.folder);
}

CheckResult check_definition(Definition definition, const CheckOptions& options) {
    register_builtin_ops();
    CheckResult result;
    Validation validation = validate(definition);
    result.diagnostics = std::move(validation.problems);
    const SourceSpan where = definition.where;
    Checker(result, options, {}).run(std::make_shared<const Definition>(std::move(definition)), {}, validation.fatal);
    for (Diagnostic& diagnostic : result.diagnostics) {
        if (diagnostic.where.line == 0) diagnostic.where = where;
    }
    if (result.has_error()) result.graph.reset();
    return result;
}

BuildError build_error(const CheckResult& result) {
    SourceLines lines;
    if (result.definition && result.definition->document) {
        lines.add(*result.definition->document->file(), result.text);
    } else if (result.text && !result.diagnostics.empty() && result.diagnostics.front().where.file) {
        lines.add(*result.diagnostics.front().where.file, result.text);
    }
    std::string text;
    for (const Diagnostic& diagnostic : result.diagnostics) text += to_text(diagnostic, lines, false) + "\n";
    return BuildError(result.diagnostics, text);
}

Graph load_model(const std::string& path, const CheckOptions& options) {
    CheckResult result = check_file(path, options);
    if (!result.graph) throw build_error(result);
    return std::move(*result.graph);
}

}  // namespace seq
