#include <nlohmann/json.hpp>
#include <optional>

#include "engine/optimize.hpp"
#include "engine/plan_text.hpp"
#include "frontend/io/atomic_file.hpp"
#include "graph/text.hpp"
#include "tools/seqc/commands.hpp"
#include "tools/seqc/console.hpp"
#include "tools/seqc/model.hpp"
#include "tools/seqc/plan_model.hpp"
#include "tools/seqc/status.hpp"

namespace seqc {
namespace {

std::string stage_text(const Arguments& arguments, const Model& model) {
    const seq::CompileOptions options = compile_options(arguments, model);
    if (arguments.stage == "graph") return seq::print(model.graph());
    if (arguments.stage == "fused") return seq::print(seq::optimize(model.graph(), options).graph);
    const seq::Executable executable = compile_model(model, options);
    return seq::print(*executable.plan(bindings_for(arguments, model.graph())));
}

std::string plan_text(const Arguments& arguments) {
    if (arguments.stage == "graph")
        throw UsageError("a compiled plan has no graph as it was written; --stage fused and --stage plan are there");
    const seq::Executable executable = open_plan(arguments);
    if (arguments.stage == "fused")
        return seq::print(bind_graph(executable.graph(), plan_settings(arguments, executable)));
    return seq::print(*executable.plan(plan_bindings(arguments, executable)));
}

/// nullopt where the model has errors, which were printed.
std::optional<std::string> text_of(const Arguments& arguments) {
    if (names_plan(arguments)) return plan_text(arguments);
    const auto model =
        load_model(arguments, arguments.stage == "plan" ? MissingWeights::random : MissingWeights::leave);
    if (!model) return std::nullopt;
    return stage_text(arguments, *model);
}

}  // namespace

int run_dump(const Arguments& arguments) {
    const auto dumped = text_of(arguments);
    if (!dumped) return failed;
    std::string text = *dumped;
    if (arguments.json()) text = nlohmann::ordered_json{{"stage", arguments.stage}, {"text", text}}.dump() + "\n";
    if (arguments.output_file.empty() || arguments.output_file == "-") {
        print(text);
        return ok;
    }
    refuse_overwriting("-o", arguments.output_file, arguments);
    seq::AtomicFile file(arguments.output_file);
    file.write(text);
    file.commit();
    return ok;
}

}  // namespace seqc
