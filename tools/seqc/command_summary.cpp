#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "engine/optimize.hpp"
#include "engine/plan.hpp"
#include "tools/seqc/commands.hpp"
#include "tools/seqc/console.hpp"
#include "tools/seqc/layer_report.hpp"
#include "tools/seqc/least_values.hpp"
#include "tools/seqc/model.hpp"
#include "tools/seqc/plan_model.hpp"
#include "tools/seqc/status.hpp"
#include "tools/seqc/table.hpp"

namespace seqc {
namespace {

using Json = nlohmann::ordered_json;

/// What a compiled plan takes, at the bindings that were asked for.
struct Memory {
    std::size_t weights = 0;
    std::size_t arena = 0;
    std::size_t steps = 0;
};

struct Summary {
    std::vector<LayerRow> rows;
    seq::Bindings bindings;
    seq::MathMode dtype = seq::MathMode::f32;  ///< in which it computes
    std::int64_t parameters = 0;
    std::int64_t statistics = 0;
    seq::Dim macs = 0;
    /// Where there are bindings that work.
    std::optional<Memory> memory;
    std::map<std::string, std::vector<seq::Interval>> constraints;
};

/// Of the symbols that are left once those of --set have their values.
std::map<std::string, std::vector<seq::Interval>> constraints_of(const seq::Graph& graph) {
    std::vector<seq::Condition> conditions;
    for (const seq::GraphCondition& condition : graph.conditions) conditions.push_back(condition.condition);
    seq::SymbolRanges ranges;
    for (const std::string& symbol : input_symbols(graph)) {
        const auto range = graph.ranges.find(symbol);
        ranges[symbol] = range == graph.ranges.end() ? seq::SymbolRange{} : range->second;
    }
    return seq::solve_each(conditions, ranges);
}

Summary summarise(const Arguments& arguments, const Model& model) {
    Summary summary;
    const seq::CompileOptions options = compile_options(arguments, model);
    const seq::Executable executable = seq::compile(model.graph(), options);
    summary.dtype = executable.options().dtype;
    summary.rows = layer_rows(model.graph(), executable.graph());
    const auto bindings = find_bindings(arguments, model.graph());
    if (bindings) summary.bindings = *bindings;
    for (LayerRow& row : summary.rows) {
        row.macs = row.macs.substitute(summary.bindings);
        summary.parameters += row.parameters;
        summary.statistics += row.statistics;
        summary.macs = summary.macs + row.macs;
    }
    if (bindings) {
        const auto plan = executable.plan(*bindings);
        summary.memory = {executable.weight_bytes(), plan->buffer_bytes(), plan->kernel_steps()};
    }
    summary.constraints = constraints_of(model.graph());
    return summary;
}

std::string shapes_text(const std::vector<seq::Shape>& shapes) {
    std::string text;
    for (const seq::Shape& shape : shapes) text += (text.empty() ? "" : ", ") + shape.to_string();
    return text;
}

std::string interval_text(const seq::Interval& interval) {
    std::string text = fmt::format("{}", interval.min);
    if (!interval.max) text = fmt::format("{} and more", interval.min);
    if (interval.max && *interval.max != interval.min) text = fmt::format("{} to {}", interval.min, *interval.max);
    return interval.step > 1 ? fmt::format("{} in steps of {}", text, interval.step) : text;
}

std::string macs_text(const seq::Dim& macs) {
    if (!macs.is_constant()) return macs.to_string(seq::DimStyle::pretty);
    return macs.value() == 0 ? "-" : with_commas(macs.value());
}

Json macs_json(const seq::Dim& macs) { return macs.is_constant() ? Json(macs.value()) : Json(); }

void print_text(const Summary& summary, const Model& model) {
    Table table({"Layer", "Type", "Output", "Parameters", "MACs", "Fused into"}, 3, 5);
    for (const seq::Value* input : model.graph().inputs())
        table.add({input->name, "input", input->type.to_string(), "-", "-", ""});
    for (const LayerRow& row : summary.rows) {
        const std::string parameters = row.shared ? "shared" : row.parameters == 0 ? "-" : with_commas(row.parameters);
        table.add({row.path, row.type, shapes_text(row.outputs), parameters, macs_text(row.macs),
                   row.fused_into == "-" ? "(no step)" : row.fused_into});
    }
    print(table.to_string());
    std::string at;
    for (const auto& [symbol, value] : summary.bindings)
        at += fmt::format("{}{} = {}", at.empty() ? " at " : ", ", symbol, value);
    const std::string statistics =
        summary.statistics == 0 ? "" : fmt::format(", and {} running statistics", with_commas(summary.statistics));
    print(fmt::format("\nparameters  {} ({} as f32){}\n", with_commas(summary.parameters),
                      bytes_text(4.0 * static_cast<double>(summary.parameters)), statistics));
    print(fmt::format("MACs        {}{}\n", macs_text(summary.macs), at));
    print(fmt::format("computes    in {}\n", name_of(summary.dtype)));
    if (summary.memory) {
        print(fmt::format("memory      {} of weights as packed, {} of activations and scratch{}, in {} steps\n",
                          bytes_text(static_cast<double>(summary.memory->weights)),
                          bytes_text(static_cast<double>(summary.memory->arena)), at, summary.memory->steps));
    }
    for (const auto& [symbol, valid] : summary.constraints) {
        std::string text;
        for (const seq::Interval& interval : valid) text += (text.empty() ? "" : ", ") + interval_text(interval);
        print(fmt::format("{:<12}works for {}\n", symbol, text.empty() ? "no value" : text));
    }
}

Json shape_json(const seq::Shape& shape) {
    Json dims = Json::array();
    for (const seq::Dim& dim : shape) dims.push_back(dim.is_constant() ? Json(dim.value()) : Json(dim.to_string()));
    return dims;
}

Json constraints_json(const Summary& summary) {
    Json constraints = Json::object();
    for (const auto& [symbol, valid] : summary.constraints) {
        Json intervals = Json::array();
        for (const seq::Interval& interval : valid) {
            Json entry = Json::array({interval.min, interval.max ? Json(*interval.max) : Json()});
            if (interval.step > 1) entry.push_back(interval.step);
            intervals.push_back(std::move(entry));
        }
        constraints[symbol] = std::move(intervals);
    }
    return constraints;
}

void print_json(const Summary& summary, const Model& model) {
    Json layers = Json::array();
    for (const LayerRow& row : summary.rows) {
        Json outputs = Json::array();
        for (const seq::Shape& shape : row.outputs) outputs.push_back(shape_json(shape));
        layers.push_back(
            {{"layer", row.path},
             {"type", row.type},
             {"outputs", std::move(outputs)},
             {"parameters", row.parameters},
             {"running_statistics", row.statistics},
             {"macs", macs_json(row.macs)},
             {"fused_into", row.fused_into.empty() || row.fused_into == "-" ? Json() : Json(row.fused_into)},
             {"has_step", row.fused_into.empty()}});
    }
    Json inputs = Json::object();
    for (const seq::Value* input : model.graph().inputs())
        inputs[input->name] = {{"shape", shape_json(input->type.shape)}, {"dtype", name_of(input->type.dtype)}};
    const Json object{{"name", model.graph().name},
                      {"inputs", std::move(inputs)},
                      {"layers", std::move(layers)},
                      {"parameters", summary.parameters},
                      {"running_statistics", summary.statistics},
                      {"macs", macs_json(summary.macs)},
                      {"dtype", name_of(summary.dtype)},
                      {"weight_bytes", summary.memory ? Json(summary.memory->weights) : Json()},
                      {"activation_bytes", summary.memory ? Json(summary.memory->arena) : Json()},
                      {"steps", summary.memory ? Json(summary.memory->steps) : Json()},
                      {"bindings", summary.bindings},
                      {"constraints", constraints_json(summary)}};
    print(object.dump() + "\n");
}

}  // namespace

int run_summary(const Arguments& arguments) {
    if (names_plan(arguments)) {
        print_plan_summary(arguments);
        return ok;
    }
    const auto model = load_model(arguments, MissingWeights::random);
    if (!model) return failed;
    const Summary summary = summarise(arguments, *model);
    if (arguments.json()) {
        print_json(summary, *model);
    } else {
        print_text(summary, *model);
    }
    return ok;
}

}  // namespace seqc
