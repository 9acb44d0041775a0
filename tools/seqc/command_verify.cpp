#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "engine/memory_limit.hpp"
#include "engine/optimize.hpp"
#include "engine/plan_file/plan_file.hpp"
#include "engine/reference_run.hpp"
#include "graph/passes/derived_weights.hpp"
#include "graph/passes/pipeline.hpp"
#include "kernels/reference/reference.hpp"
#include "tools/seqc/commands.hpp"
#include "tools/seqc/console.hpp"
#include "tools/seqc/data.hpp"
#include "tools/seqc/mismatch.hpp"
#include "tools/seqc/model.hpp"
#include "tools/seqc/plan_model.hpp"
#include "tools/seqc/progress.hpp"
#include "tools/seqc/status.hpp"

namespace seqc {
namespace {

/// What one stage gave, compared with the reference run of the graph as written.
struct Finding {
    std::string stage;
    double difference = 0;
    /// The first value that drifts, in the order of computation; empty where none does.
    std::string first_value;
    std::string first_difference;              ///< in words
    seq::MathMode dtype = seq::MathMode::f32;  ///< in which it was computed
    std::string mismatch{};                    ///< what makes the difference infinite, where that is known
};

/// In all but f32 the compiled plan is compared as a whole: see docs/precision.md.
double tolerance_of(const Arguments& arguments, seq::MathMode dtype) {
    if (arguments.tolerance > 0) return arguments.tolerance;
    if (dtype == seq::MathMode::bf16) return 2e-2;
    return dtype == seq::MathMode::f32 ? 1e-4 : 2e-3;
}

class Verifier {
   public:
    Verifier(const Arguments& arguments, const Model& model)
        : arguments_(arguments),
          model_(model),
          options_(compile_options(arguments, model)),
          bindings_(bindings_for(arguments, model.graph())),
          graph_(model.graph().with_float_inputs(seq::DType::f32)) {
        seq::require_values_fit(bound(graph_), options_.memory_limit);
        std::vector<seq::Port> ports;
        for (const seq::Value* input : graph_.inputs()) ports.push_back({input->name, input->type});
        inputs_ = random_inputs(ports, bindings_, 1);
        for (std::size_t i = 0; i < inputs_.names.size(); ++i) views_[inputs_.names[i]] = inputs_.tensors[i].view();
    }

    std::vector<Finding> run() {
        Progress progress("running the reference");
        expected_ = reference(graph_, options_.weights);
        const auto passes = seq::select_passes(options_.passes);
        std::vector<Finding> findings;
        seq::Graph graph = graph_.clone();
        seq::PassContext context(seq::reference::evaluator());
        context.strict = options_.numerics == seq::Numerics::strict;
        seq::PipelineOptions pipeline;
        pipeline.after_pass = [&](const seq::Pass& pass, const seq::Graph& after, bool changed) {
            if (!changed || drifted(findings)) return;
            const std::string stage = "pass " + std::string(pass.name);
            progress.relabel("verifying " + stage);
            findings.push_back(check_graph(stage, after));
        };
        seq::run_passes(graph, *passes, context, pipeline);
        progress.relabel("verifying the compiled plan");
        findings.push_back(check_plan());
        return findings;
    }

    double tolerance(seq::MathMode dtype) const { return tolerance_of(arguments_, dtype); }
    bool drifts(const Finding& finding) const { return finding.difference > tolerance(finding.dtype); }
    bool drifted(const std::vector<Finding>& findings) const { return !findings.empty() && drifts(findings.back()); }

   private:
    seq::Graph bound(const seq::Graph& graph) const { return bind_graph(graph, bindings_); }

    seq::ReferenceResults reference(const seq::Graph& graph,
                                    const std::shared_ptr<const seq::WeightSource>& weights) const {
        return seq::run_reference(bound(graph), weights, views_);
    }

    Finding check_graph(std::string stage, const seq::Graph& after) const {
        seq::Graph graph = after.clone();
        std::shared_ptr<const seq::WeightSource> weights = options_.weights;
        seq::Graph derivation = seq::extract_weights(graph);
        if (derivation.node_count() > 0)
            weights =
                std::make_shared<seq::DerivedWeights>(weights, std::move(derivation), seq::reference::evaluator());
        const seq::ReferenceResults actual = reference(graph, weights);
        const auto find = [&](const std::string& name) -> const seq::Tensor* {
            const auto found = actual.find(name);
            return found == actual.end() ? nullptr : &found->second;
        };
        return compare(std::move(stage), graph, seq::MathMode::f32, find);
    }

    /// Runs the compiled plan, and once more with every value that it still computes tapped, since values between
    /// fused layers are not there otherwise. What differs more counts.
    Finding check_plan() const {
        seq::CompileOptions options = options_;
        const seq::Graph fused = seq::optimize(model_.graph(), options).graph;
        const Finding as_it_is = check_outputs(options, fused);
        for (const seq::Node* node = fused.first_node(); node != nullptr; node = node->next) {
            for (const seq::Value* output : node->outputs) {
                if (!output->name.empty() && expected_.contains(output->name)) options.taps.push_back(output->name);
            }
        }
        Finding tapped = check_outputs(options, fused);
        return tapped.difference >= as_it_is.difference ? std::move(tapped) : as_it_is;
    }

    Finding check_outputs(const seq::CompileOptions& options, const seq::Graph& fused) const {
        const seq::Executable executable = seq::compile(graph_, options);
        seq::Session session = executable.session();
        NamedTensors outputs;
        for (const seq::Port& port : executable.outputs()) {
            outputs.names.push_back(port.name);
            outputs.tensors.emplace_back(port.type.dtype, session.output_sizes(port.name, inputs_.views()));
        }
        session.run(inputs_.views(), outputs.views());
        return compare("compiled plan", fused, options.dtype, [&](const std::string& name) -> const seq::Tensor* {
            for (std::size_t i = 0; i < outputs.names.size(); ++i) {
                if (outputs.names[i] == name) return &outputs.tensors[i];
            }
            return nullptr;
        });
    }

    template <class Find>
    Finding compare(std::string stage, const seq::Graph& graph, seq::MathMode dtype, Find find) const {
        Finding finding{std::move(stage), 0, "", "", dtype};
        const bool whole = dtype != seq::MathMode::f32;
        const auto apart = whole ? seq::relative_distance : seq::relative_difference;
        const auto difference = [&](const std::string& name) {
            const seq::Tensor* actual = find(name);
            const auto expected = expected_.find(name);
            return actual == nullptr || expected == expected_.end() ? 0.0 : apart(*actual, expected->second);
        };
        for (const std::string& name : graph.output_names()) {
            const double found = difference(name);
            finding.difference = std::max(finding.difference, found);
            if (std::isinf(found) && finding.mismatch.empty())
                finding.mismatch = mismatch(find(name)->view(), expected_.find(name)->second.view());
        }
        if (!drifts(finding)) return finding;
        for (const seq::Node* node = graph.first_node(); node != nullptr && finding.first_value.empty();
             node = node->next) {
            for (const seq::Value* output : node->outputs) {
                const double drift = difference(output->name);
                if (drift <= tolerance(dtype)) continue;
                finding.first_value = output->name;
                finding.first_difference = std::isinf(drift) ? mismatch(find(output->name)->view(),
                                                                        expected_.find(output->name)->second.view())
                                                             : fmt::format("by {:.2e} of the largest magnitude", drift);
                break;
            }
        }
        return finding;
    }

    const Arguments& arguments_;
    const Model& model_;
    seq::CompileOptions options_;
    seq::Bindings bindings_;
    seq::Graph graph_;
    NamedTensors inputs_;
    std::map<std::string, seq::TensorView> views_;
    seq::ReferenceResults expected_;
};

std::string how_far(const Finding& finding) {
    return finding.mismatch.empty() ? difference_text(finding.difference) : finding.mismatch;
}

void print_finding(const Finding& finding, double tolerance, bool json) {
    const bool drifts = finding.difference > tolerance;
    if (json) {
        nlohmann::ordered_json object{{"stage", finding.stage}, {"ok", !drifts}};
        object["difference"] =
            std::isfinite(finding.difference) ? nlohmann::ordered_json(finding.difference) : nlohmann::ordered_json();
        if (std::isinf(finding.difference)) object["mismatch"] = how_far(finding);
        if (drifts) object["layer"] = finding.first_value;
        print(object.dump() + "\n");
        return;
    }
    print(fmt::format("{:<36} {}  {}\n", finding.stage, drifts ? "DRIFTS" : "agrees", how_far(finding)));
    if (drifts && !finding.first_value.empty())
        print(fmt::format("  first at layer `{}`, {}\n", finding.first_value, finding.first_difference));
}

/// Replays the test vectors of a compiled plan, those for what --set gives where it gives something; on the model
/// beside it where it was compiled for another machine.
int verify_plan(const Arguments& arguments) {
    const seq::Executable executable = open_plan(arguments, OtherVersion::refuse);
    const seq::PlanFileInfo info = seq::describe_compiled(arguments.spec);
    const double tolerance = tolerance_of(arguments, info.native ? seq::MathMode::f32 : info.options.dtype);
    const bool loaded = !seq::stored_bindings(executable).empty();
    const std::vector<double> differences =
        loaded ? seq::replay_test_vectors(executable) : seq::replay_test_vectors(executable, arguments.spec);
    const seq::Bindings given = plan_settings(arguments, executable);
    int status = ok;
    std::size_t replayed = 0;
    for (std::size_t i = 0; i < differences.size(); ++i) {
        if (!agrees(info.bindings[i], given)) continue;
        ++replayed;
        std::string stage = "test vector";
        for (const auto& [symbol, value] : info.bindings[i]) stage += fmt::format(" {}={}", symbol, value);
        print_finding({stage, differences[i], "", ""}, tolerance, arguments.json());
        if (!(differences[i] <= tolerance)) status = failed;
    }
    if (replayed == 0 && !given.empty())
        throw seq::Error("plan/binding",
                         fmt::format("{} has no test vector for {}", arguments.spec, settings_text(given)));
    return status;
}

}  // namespace

int run_verify(const Arguments& arguments) {
    if (names_plan(arguments)) return verify_plan(arguments);
    const auto model = load_model(arguments, MissingWeights::random);
    if (!model) return failed;
    Verifier verifier(arguments, *model);
    int status = ok;
    for (const Finding& finding : verifier.run()) {
        print_finding(finding, verifier.tolerance(finding.dtype), arguments.json());
        if (verifier.drifts(finding)) status = failed;
    }
    return status;
}

}  // namespace seqc
