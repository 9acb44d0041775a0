#include <nlohmann/json.hpp>

#include "engine/optimize.hpp"
#include "engine/plan_text.hpp"
#include "frontend/io/atomic_file.hpp"
#include "graph/text.hpp"
#include "tools/seqc/commands.hpp"
#include "tools/seqc/console.hpp"
#include "tools/seqc/model.hpp"
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

}  // namespace

int run_dump(const Arguments& arguments) {
    const auto model =
        load_model(arguments, arguments.stage == "plan" ? MissingWeights::random : MissingWeights::leave);
    if (!model) return failed;
    std::string text = stage_text(arguments, *model);
    if (arguments.json()) text = nlohmann::ordered_json{{"stage", arguments.stage}, {"text", text}}.dump() + "\n";
    if (arguments.output_file.empty() || arguments.output_file == "-") {
        print(text);
        return ok;
    }
    seq::AtomicFile file(arguments.output_file);
    file.write(text);
    file.commit();
    return ok;
}

}  // namespace seqc
