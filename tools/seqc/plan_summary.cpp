#include <fmt/format.h>
#include <fmt/ranges.h>

#include <nlohmann/json.hpp>

#include "engine/plan_file/plan_file.hpp"
#include "tools/seqc/console.hpp"
#include "tools/seqc/plan_model.hpp"
#include "tools/seqc/table.hpp"

namespace seqc {
namespace {

using Json = nlohmann::ordered_json;

Json ports_json(const std::vector<seq::Port>& ports) {
    Json json = Json::object();
    for (const seq::Port& port : ports) json[port.name] = port.type.to_string();
    return json;
}

void print_json(const seq::PlanFileInfo& info) {
    Json plans = Json::array();
    for (std::size_t i = 0; i < info.bindings.size(); ++i) {
        Json bindings = Json::object();
        for (const auto& [symbol, value] : info.bindings[i]) bindings[symbol] = value;
        plans.push_back({{"bindings", std::move(bindings)}, {"steps", info.steps[i]}});
    }
    print(Json{{"version", info.version},
               {"machine", info.machine},
               {"native", info.native},
               {"threads", info.options.threads},
               {"device", device_text({info.device, 0})},
               {"dtype", name_of(info.options.dtype)},
               {"portable", info.portable},
               {"inputs", ports_json(info.inputs)},
               {"outputs", ports_json(info.outputs)},
               {"plans", std::move(plans)},
               {"packed_bytes", info.packed_bytes},
               {"plain_bytes", info.plain_bytes},
               {"code_bytes", info.code_bytes},
               {"model", info.source.model.empty() ? Json() : Json(info.source.model)}}
              .dump() +
          "\n");
}

void print_text(const seq::PlanFileInfo& info) {
    const auto line = [](const char* name, const std::string& text) { print(fmt::format("{:<10}{}\n", name, text)); };
    line("plan of",
         fmt::format("{}, for {}", info.version, counted(static_cast<std::size_t>(info.options.threads), "thread")));
    line("computes",
         fmt::format("in {}{}", name_of(info.options.dtype), info.device == seq::DeviceKind::cuda ? " on a GPU" : ""));
    line("machine", info.machine + (info.native ? " (this one)" : " (another than this one)"));
    if (!info.source.model.empty()) line("model", info.source.model);
    for (const seq::Port& input : info.inputs) line("input", fmt::format("{} {}", input.name, input.type.to_string()));
    for (const seq::Port& output : info.outputs)
        line("output", fmt::format("{} {}", output.name, output.type.to_string()));
    for (std::size_t i = 0; i < info.bindings.size(); ++i) {
        const std::string values = settings_text(info.bindings[i]);
        line("runs", fmt::format("{}{}", values.empty() ? "" : values + ": ", counted(info.steps[i], "kernel")));
    }
    line("weights", fmt::format("{} packed{}", bytes_text(static_cast<double>(info.packed_bytes)),
                                info.plain_bytes == 0
                                    ? ""
                                    : fmt::format(", {} plain", bytes_text(static_cast<double>(info.plain_bytes)))));
    if (info.code_bytes > 0)
        line("code",
             fmt::format("{} for its GPU, which --trust-code runs", bytes_text(static_cast<double>(info.code_bytes))));
    line("portable", info.portable ? "yes: plans for other machines and sizes are made from the plain weights" : "no");
}

void substitute(std::vector<seq::Port>& ports, const seq::Bindings& values) {
    for (seq::Port& port : ports) port.type.shape = port.type.shape.substitute(values);
}

std::string held_text(const seq::PlanFileInfo& info) {
    std::vector<std::string> held;
    for (const seq::Bindings& bindings : info.bindings) held.push_back(settings_text(bindings));
    return fmt::format("{}", fmt::join(held, "; "));
}

/// What --set leaves of it. A plan that the file does not hold is made where it is portable, and else is an error, as
/// where the plan is to run.
seq::PlanFileInfo at_settings(seq::PlanFileInfo info, const Arguments& arguments) {
    const seq::Bindings given = parse_settings(arguments.settings);
    if (given.empty()) return info;
    std::vector<seq::Bindings> bindings;
    std::vector<std::size_t> steps;
    for (std::size_t i = 0; i < info.bindings.size(); ++i) {
        if (!agrees(info.bindings[i], given)) continue;
        bindings.push_back(info.bindings[i]);
        steps.push_back(info.steps[i]);
    }
    if (bindings.empty()) {
        const std::string lacks =
            fmt::format("{} has no plan for {}, but for {}", arguments.spec, settings_text(given), held_text(info));
        if (!info.portable) throw seq::Error("plan/binding", lacks);
        print_note(lacks + "; one is made from its plain weights where it runs");
    }
    info.bindings = std::move(bindings);
    info.steps = std::move(steps);
    substitute(info.inputs, given);
    substitute(info.outputs, given);
    return info;
}

}  // namespace

void print_plan_summary(const Arguments& arguments) {
    const seq::PlanFileInfo info = at_settings(describe_plan(arguments), arguments);
    arguments.json() ? print_json(info) : print_text(info);
}

}  // namespace seqc
