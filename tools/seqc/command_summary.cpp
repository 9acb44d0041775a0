#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "engine/optimize.hpp"
#include "engine/plan.hpp"
#include "tools/seqc/commands.hpp"
#include "tools/seqc/console.hpp"
#include "tools/seqc/layer_report.hpp"
#include "tools/seqc/model.hpp"
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
    std::int64_t parameters = 0;
    std::int64_t statistics = 0;
    std::int64_t macs = 0;
    Memory memory;
    std::map<std::string, std::vector<seq::Interval>> constraints;
};

Summary summarise(const Arguments& arguments, const Model& model) {
    Summary summary;
    const seq::CompileOptions options = compile_options(arguments, model);
    const seq::Executable executable = seq::compile(model.graph(), options);
    summary.rows = layer_rows(model.graph(), executable.graph());
    summary.bindings = bindings_for(arguments, model.graph());
    for (const LayerRow& row : summary.rows) {
        summary.parameters += row.parameters;
        summary.statistics += row.statistics;
        summary.macs += row.macs.evaluate(summary.bindings).value_or(0);
    }
    const auto plan = executable.plan(summary.bindings);
    summary.memory = {executable.weight_bytes(), plan->arena_bytes + plan->scratch_bytes, plan->steps.size()};
    std::vector<seq::Condition> conditions;
    for (const seq::GraphCondition& condition : model.graph().conditions) conditions.push_back(condition.condition);
    seq::SymbolRanges ranges = model.graph().ranges;
    for (const auto& [symbol, value] : summary.bindings) ranges.try_emplace(symbol);
    summary.constraints = seq::solve_each(conditions, ranges);
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

std::string macs_text(const seq::Dim& macs, const seq::Bindings& bindings) {
    const std::int64_t count = macs.evaluate(bindings).value_or(0);
    return count == 0 ? "-" : with_commas(count);
}

void print_text(const Summary& summary, const Model& model) {
    Table table({"Layer", "Type", "Output", "Parameters", "MACs", "Fused into"}, 3, 5);
    for (const seq::Value* input : model.graph().inputs())
        table.add({input->name, "input", input->type.to_string(), "-", "-", ""});
    for (const LayerRow& row : summary.rows) {
        const std::string parameters = row.shared ? "shared" : row.parameters == 0 ? "-" : with_commas(row.parameters);
        table.add({row.path, row.type, shapes_text(row.outputs), parameters, macs_text(row.macs, summary.bindings),
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
    print(fmt::format("MACs        {}{}\n", with_commas(summary.macs), at));
    print(fmt::format("memory      {} of weights as packed, {} of activations and scratch{}, in {} steps\n",
                      bytes_text(static_cast<double>(summary.memory.weights)),
                      bytes_text(static_cast<double>(summary.memory.arena)), at, summary.memory.steps));
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
             {"macs", row.macs.evaluate(summary.bindings).value_or(0)},
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
                      {"macs", summary.macs},
                      {"weight_bytes", summary.memory.weights},
                      {"activation_bytes", summary.memory.arena},
                      {"steps", summary.memory.steps},
                      {"bindings", summary.bindings},
                      {"constraints", constraints_json(summary)}};
    print(object.dump() + "\n");
}

}  // namespace

int run_summary(const Arguments& arguments) {
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
