#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "engine/plan.hpp"
#include "frontend/suggest.hpp"
#include "graph/text.hpp"
#include "tools/seqc/commands.hpp"
#include "tools/seqc/console.hpp"
#include "tools/seqc/model.hpp"
#include "tools/seqc/progress.hpp"
#include "tools/seqc/status.hpp"

namespace seqc {
namespace {

using Json = nlohmann::ordered_json;

struct Explanation {
    const seq::LayerInfo* layer = nullptr;
    /// The steps that it takes part in; none: it was folded away.
    std::vector<const seq::Step*> steps;
    /// It is its input's bytes under another shape.
    bool view = false;
    /// It joins values that are written side by side.
    bool joined = false;
    /// No output takes its result, and no layer that one needs.
    bool unused = false;
};

bool came_from(const seq::Graph& graph, const seq::Node& node, const std::string& path) {
    return std::any_of(node.origins.begin(), node.origins.end(),
                       [&](seq::LayerId id) { return graph.layers[id].path == path; });
}

bool came_from(const seq::Graph& graph, const seq::Step& step, const std::string& path) {
    return std::any_of(step.nodes.begin(), step.nodes.end(),
                       [&](const seq::Node* node) { return came_from(graph, *node, path); });
}

/// Those that the outputs need, of a graph as it was written.
std::set<const seq::Node*> needed_nodes(const seq::Graph& graph) {
    std::set<const seq::Node*> needed;
    for (const seq::Node* node = graph.last_node(); node != nullptr; node = node->previous) {
        const bool is_needed = std::any_of(node->outputs.begin(), node->outputs.end(), [&](const seq::Value* value) {
            return graph.is_output(value) || std::any_of(value->uses.begin(), value->uses.end(),
                                                         [&](seq::Use use) { return needed.count(use.node) > 0; });
        });
        if (is_needed) needed.insert(node);
    }
    return needed;
}

/// The paths of layers that compute something which no output needs.
std::set<std::string> unused_layers(const seq::Graph& graph) {
    const std::set<const seq::Node*> needed = needed_nodes(graph);
    std::set<std::string> unused, used;
    for (const seq::Node* node = graph.first_node(); node != nullptr; node = node->next) {
        auto& paths = needed.count(node) > 0 ? used : unused;
        for (const seq::LayerId id : node->origins) paths.insert(graph.layers[id].path);
    }
    for (const std::string& path : used) unused.erase(path);
    return unused;
}

Explanation explain(const seq::LayerInfo& layer, const seq::Plan& plan, const std::set<std::string>& unused) {
    Explanation explanation;
    explanation.layer = &layer;
    explanation.unused = unused.count(layer.path) > 0;
    for (const seq::Step& step : plan.steps) {
        if (came_from(plan.graph, step, layer.path)) explanation.steps.push_back(&step);
    }
    for (const auto& [value, source] : plan.aliases) {
        if (value->producer != nullptr && came_from(plan.graph, *value->producer, layer.path)) explanation.view = true;
    }
    for (const auto& [value, layout] : plan.joined) {
        if (came_from(plan.graph, *value->producer, layer.path)) explanation.joined = true;
    }
    return explanation;
}

/// The plan that computes the layer: the one for slices, unless the others alone run it.
const seq::Plan* plan_of(const seq::LayerInfo& layer, const seq::Plan& whole) {
    if (whole.slice == nullptr) return &whole;
    const seq::Step& sliced = whole.steps.front();
    const bool others_alone = whole.steps.size() > 1 && !came_from(whole.graph, sliced, layer.path);
    return others_alone ? &whole : whole.slice.get();
}

std::vector<std::string> layers_of(const seq::Plan& plan, const std::vector<const seq::Node*>& nodes) {
    std::vector<std::string> layers;
    for (const seq::Node* node : nodes) {
        for (const seq::LayerId id : node->origins) layers.push_back(plan.graph.layers[id].path);
    }
    return layers;
}

std::string computes_text(const seq::Step& step) {
    std::vector<std::string> texts;
    for (const seq::Node* node : step.nodes) texts.push_back(seq::print(*node));
    return fmt::format("{}", fmt::join(texts, "; "));
}

/// The values among its inputs that are no weights.
std::size_t data_count(const seq::Node& node) { return static_cast<std::size_t>(node.data_count); }
std::size_t data_count(const seq::Step& step) {
    return step.nodes.size() == 1 ? data_count(*step.nodes.front()) : step.inputs.size();
}

std::string layouts_text(const std::vector<seq::Layout>& layouts, std::size_t count) {
    std::vector<std::string> words;
    for (std::size_t i = 0; i < std::min(count, layouts.size()); ++i) words.push_back(layouts[i].to_string());
    return fmt::format("{}", fmt::join(words, ", "));
}

bool is_chosen(const seq::Step& step, const seq::Candidate& candidate) {
    return candidate.measured_for.empty() && candidate.kernel == step.kernel_name &&
           candidate.offer.variant == step.offer.variant && candidate.inputs == step.kernel->input_layouts &&
           candidate.outputs == step.kernel->output_layouts;
}

bool runs_group(const seq::Step& step) { return step.weighed != nullptr && step.weighed->pays; }

/// The way to run the group that the step took, among those that were weighed.
std::size_t taken_way(const seq::Step& step) {
    const auto& together = step.weighed->together;
    const auto found = std::find_if(together.begin(), together.end(),
                                    [&](const seq::Candidate& candidate) { return is_chosen(step, candidate); });
    return static_cast<std::size_t>(found - together.begin());
}

bool has_cold_time(const seq::Candidate& candidate) { return candidate.cold != candidate.warm; }

std::string times_text(const seq::Candidate& candidate) {
    return has_cold_time(candidate)
               ? fmt::format("{:.4g} µs, {:.4g} µs with cold weights", candidate.warm, candidate.cold)
               : fmt::format("{:.4g} µs with warm weights", candidate.warm);
}

std::string candidate_text(const seq::Candidate& candidate, std::size_t data_count) {
    return fmt::format(
        "{} ({}), {} -> {}: {}{}", candidate.kernel, candidate.description, layouts_text(candidate.inputs, data_count),
        layouts_text(candidate.outputs, candidate.outputs.size()), times_text(candidate),
        candidate.measured_for.empty()
            ? ""
            : fmt::format("; that is for {} alone, where it was far behind, not to be set against the rest",
                          candidate.measured_for));
}

std::string apart_text(const seq::WeighedGroup& group, std::size_t way) {
    const std::optional<seq::Apart>& apart = group.apart[way];
    if (!apart) return "they do not run";
    return fmt::format(
        "{:.4g} µs with {} weights (kernels {:.4g}, reorders {:.4g}, what lies between them {:.4g}, which "
        "is reckoned from its bytes)",
        apart->sum, group.cold ? "cold" : "warm", apart->kernels, apart->reorders, apart->between);
}

/// The layer's own part in the nodes apart: what was measured for it, and what the sum counts.
void print_by_itself(const seq::Node& node, const std::vector<seq::Candidate>& candidates,
                     std::optional<std::size_t> counted) {
    for (std::size_t i = 0; i < candidates.size(); ++i) {
        const bool view = candidates[i].kernel.empty();
        print(fmt::format("  by itself      {} {}\n", i == counted ? "+" : " ",
                          view ? "no step: its output is its input's bytes under another shape"
                               : candidate_text(candidates[i], data_count(node))));
    }
}

void print_apart(const seq::Plan& plan, const seq::Step& step, const std::string& layer) {
    const seq::WeighedGroup& group = *step.weighed;
    const std::size_t taken = taken_way(step);
    for (std::size_t way = 0; way < group.together.size(); ++way)
        print(fmt::format("  apart          {} from {} to {}: {}\n", way == taken ? "*" : " ",
                          layouts_text(group.together[way].inputs, data_count(step)),
                          layouts_text(group.together[way].outputs, group.together[way].outputs.size()),
                          apart_text(group, way)));
    for (std::size_t i = 0; i < group.nodes.size(); ++i) {
        const seq::Node& node = *group.unit.nodes[i];
        if (!came_from(plan.graph, node, layer)) continue;
        const bool counts = taken < group.apart.size() && group.apart[taken];
        print_by_itself(node, group.nodes[i], counts ? std::optional(group.apart[taken]->candidates[i]) : std::nullopt);
    }
}

/// Why the step's node does not run in a group that it could be in.
void print_group_refusal(const seq::Plan& plan, const seq::WeighedGroup& group) {
    const std::string as_one = fmt::format("{}, as one step with {}", group.unit.group->name(),
                                           fmt::join(layers_of(plan, group.unit.nodes), ", "));
    if (group.together.empty()) print(fmt::format("  not            {}: it does not serve\n", as_one));
    for (std::size_t way = 0; way < group.together.size(); ++way) {
        const seq::Candidate& candidate = group.together[way];
        print(fmt::format("  not            {}, {} -> {}: {}; apart {}\n", as_one,
                          layouts_text(candidate.inputs, candidate.inputs.size()), layouts_text(candidate.outputs, 1),
                          times_text(candidate), apart_text(group, way)));
    }
}

void print_step(const seq::Plan& plan, const seq::Step& step, const std::string& layer) {
    const auto layers = layers_of(plan, step.nodes);
    if (layers.size() > 1) print(fmt::format("  one step with  {}\n", fmt::join(layers, ", ")));
    print(fmt::format("  computes       {}\n", computes_text(step)));
    print(fmt::format("  kernel         {}{}\n", step.kernel_name,
                      step.kernel->description.empty() ? "" : " (" + step.kernel->description + ")"));
    for (const std::string& form : step.kernel->refused_forms) print(fmt::format("  not as         {}\n", form));
    print(fmt::format("  layouts        {} -> {}\n", layouts_text(step.kernel->input_layouts, data_count(step)),
                      layouts_text(step.kernel->output_layouts, step.nodes.back()->outputs.size())));
    for (const seq::Candidate& candidate : step.candidates)
        print(fmt::format("  measured       {} {}\n", is_chosen(step, candidate) ? "*" : " ",
                          candidate_text(candidate, data_count(step))));
    if (runs_group(step)) print_apart(plan, step, layer);
    if (step.nodes.size() > 1 && step.candidates.empty())
        print("  apart          not measured: without tuning what runs several layers as one serves wherever it can\n");
    if (step.weighed != nullptr && !runs_group(step)) print_group_refusal(plan, *step.weighed);
    for (const seq::Refusal& refusal : step.refusals)
        print(fmt::format("  not            {}: {}\n", refusal.kernel, refusal.reason));
}

void print_text(const Explanation& explanation, const seq::Plan& plan) {
    print(fmt::format("{} `{}`\n", explanation.layer->type, explanation.layer->path));
    for (const seq::Step* step : explanation.steps) print_step(plan, *step, explanation.layer->path);
    if (explanation.view) print("  no step        its output is its input's bytes under another shape\n");
    if (explanation.joined) print("  no step        what it joins is written side by side to begin with\n");
    if (explanation.unused) print("  no step        nothing that an output needs uses its result\n");
    if (explanation.steps.empty() && !explanation.view && !explanation.joined && !explanation.unused)
        print(
            "  no step        the passes removed it: it changes nothing at inference, or what it computes is known "
            "beforehand\n");
}

Json candidate_json(const seq::Candidate& candidate, std::size_t data_count) {
    return {{"kernel", candidate.kernel},
            {"implementation", candidate.description},
            {"inputs", layouts_text(candidate.inputs, data_count)},
            {"outputs", layouts_text(candidate.outputs, candidate.outputs.size())},
            {"warm_us", candidate.warm},
            {"cold_us", has_cold_time(candidate) ? Json(candidate.cold) : Json()},
            {"measured_for", candidate.measured_for}};
}

Json apart_json(const std::optional<seq::Apart>& apart) {
    if (!apart) return nullptr;
    return {{"sum_us", apart->sum},
            {"kernels_us", apart->kernels},
            {"reorders_us", apart->reorders},
            {"between_us", apart->between},
            {"counted", apart->candidates}};
}

Json group_json(const seq::Plan& plan, const seq::WeighedGroup& group) {
    Json together = Json::array(), nodes = Json::array();
    for (std::size_t way = 0; way < group.together.size(); ++way) {
        together.push_back(candidate_json(group.together[way], group.together[way].inputs.size()));
        together.back()["apart"] = apart_json(group.apart[way]);
    }
    for (std::size_t i = 0; i < group.nodes.size(); ++i) {
        const seq::Node& node = *group.unit.nodes[i];
        Json measured = Json::array();
        for (const seq::Candidate& candidate : group.nodes[i]) {
            if (!candidate.kernel.empty()) measured.push_back(candidate_json(candidate, data_count(node)));
        }
        nodes.push_back({{"layers", layers_of(plan, {&node})}, {"measured", std::move(measured)}});
    }
    return {{"kernel", group.unit.group->name()},
            {"taken", group.pays},
            {"weights", group.cold ? "cold" : "warm"},
            {"together", std::move(together)},
            {"nodes", std::move(nodes)}};
}

Json step_json(const seq::Plan& plan, const seq::Step& step) {
    Json refusals = Json::array();
    for (const seq::Refusal& refusal : step.refusals)
        refusals.push_back({{"kernel", refusal.kernel}, {"reason", refusal.reason}});
    Json candidates = Json::array();
    for (const seq::Candidate& candidate : step.candidates) {
        candidates.push_back(candidate_json(candidate, data_count(step)));
        candidates.back()["chosen"] = is_chosen(step, candidate);
    }
    return {{"layers", layers_of(plan, step.nodes)},
            {"computes", computes_text(step)},
            {"kernel", step.kernel_name},
            {"implementation", step.kernel->description},
            {"refused_forms", step.kernel->refused_forms},
            {"measured", std::move(candidates)},
            {"group", step.weighed == nullptr ? Json() : group_json(plan, *step.weighed)},
            {"refusals", std::move(refusals)}};
}

void print_json(const Explanation& explanation, const seq::Plan& plan) {
    Json steps = Json::array();
    for (const seq::Step* step : explanation.steps) steps.push_back(step_json(plan, *step));
    const Json object{{"layer", explanation.layer->path}, {"type", explanation.layer->type},
                      {"view", explanation.view},         {"joined", explanation.joined},
                      {"unused", explanation.unused},     {"steps", std::move(steps)}};
    print(object.dump() + "\n");
}

[[noreturn]] void refuse_layer(const std::string& path, const seq::Graph& graph) {
    std::vector<std::string_view> paths;
    for (const seq::LayerInfo& layer : graph.layers) paths.push_back(layer.path);
    throw seq::Error("graph/unknown-name",
                     fmt::format("the model has no layer `{}`{}", path, seq::did_you_mean(seq::nearest(path, paths))));
}

/// Whether the argument names the layer, a container around it, or all layers.
bool is_asked_for(const seq::LayerInfo& layer, const std::string& argument) {
    return argument.empty() || layer.path == argument || layer.path.starts_with(argument + ".");
}

}  // namespace

int run_explain(const Arguments& arguments) {
    const auto model = load_model(arguments, MissingWeights::random);
    if (!model) return failed;
    const auto& layers = model->graph().layers;
    const bool known = arguments.layer.empty() || std::any_of(layers.begin(), layers.end(), [&](const auto& layer) {
                           return is_asked_for(layer, arguments.layer);
                       });
    if (!known) refuse_layer(arguments.layer, model->graph());
    const seq::Executable executable = compile_model(*model, compile_options(arguments, *model, seq::Tune::fast));
    const auto whole = [&] {
        const Progress progress("compiling");
        return executable.plan(bindings_for(arguments, model->graph()));
    }();
    if (whole->slice != nullptr)
        print_note(fmt::format("the batch is computed in slices: {}", whole->slicing.to_string()));
    const std::set<std::string> unused = unused_layers(model->graph());
    for (const seq::LayerInfo& layer : layers) {
        if (!is_asked_for(layer, arguments.layer)) continue;
        const seq::Plan* const plan = plan_of(layer, *whole);
        const Explanation explanation = explain(layer, *plan, unused);
        if (arguments.json()) {
            print_json(explanation, *plan);
        } else {
            print_text(explanation, *plan);
        }
    }
    return ok;
}

}  // namespace seqc
