#include "graph/passes/pipeline.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>
#include <stdexcept>

#include "graph/passes/passes.hpp"
#include "graph/rewrite.hpp"
#include "graph/verify.hpp"

namespace seq {
namespace {

constexpr std::array<Pass, 12> table{{
    {"identity_removal", "takes out what gives what it gets: Dropout, pads of nothing, slices of everything",
     passes::identity_removal},
    {"dead_nodes", "takes out what no output needs", passes::dead_nodes},
    {"constant_folding", "evaluates nodes whose inputs are constants", passes::constant_folding},
    {"common_subexpressions", "computes once what is computed twice", passes::common_subexpressions},
    {"channel_shuffling", "makes a ChannelShuffle of Reshape, Transpose and Reshape", passes::channel_shuffling},
    {"reshape_merging", "makes one of Flatten, Reshape, Squeeze and their kin in a row", passes::reshape_merging},
    {"transpose_cancelling", "makes one or none of Permute and Transpose in a row", passes::transpose_cancelling},
    {"pad_folding", "lets a convolution or a mean pool do the padding before it", passes::pad_folding},
    {"batch_norm_folding", "puts a batch norm into the weights of the layer before it or after it",
     passes::batch_norm_folding},
    {"binary_scale_chains", "merges additions and multiplications by numbers, and puts them into weights or epilogues",
     passes::binary_scale_chains},
    {"activation_fusion", "applies an activation where its input is computed", passes::activation_fusion},
    {"residual_add_fusion", "adds a shortcut where the other summand is computed", passes::residual_add_fusion},
}};

std::string known_names() {
    std::string names;
    for (const Pass& pass : table) names += fmt::format("{}{}", names.empty() ? "" : ", ", pass.name);
    return names;
}

std::string_view trimmed(std::string_view text) {
    const auto begin = text.find_first_not_of(' ');
    if (begin == std::string_view::npos) return {};
    return text.substr(begin, text.find_last_not_of(' ') + 1 - begin);
}

void verify_after(const Graph& graph, std::string_view pass) {
    const auto problems = verify(graph);
    if (problems.empty()) return;
    std::string text = fmt::format("after pass {}:", pass);
    for (const std::string& problem : problems) text += "\n  " + problem;
    throw std::logic_error(text);
}

}  // namespace

std::span<const Pass> all_passes() { return table; }

const Pass* find_pass(std::string_view name) {
    const auto found = std::find_if(table.begin(), table.end(), [&](const Pass& pass) { return pass.name == name; });
    return found == table.end() ? nullptr : &*found;
}

std::optional<std::vector<const Pass*>> select_passes(std::string_view selection, std::string* error) {
    std::set<const Pass*> chosen;
    if (selection == "all") {
        for (const Pass& pass : table) chosen.insert(&pass);
    } else if (selection != "none") {
        for (std::size_t begin = 0; begin <= selection.size();) {
            const std::size_t end = std::min(selection.find(',', begin), selection.size());
            const std::string_view name = trimmed(selection.substr(begin, end - begin));
            const Pass* pass = find_pass(name);
            if (pass == nullptr) {
                if (error != nullptr)
                    *error = fmt::format("there is no pass `{}`: takes all, none, or some of {}", name, known_names());
                return std::nullopt;
            }
            chosen.insert(pass);
            begin = end + 1;
        }
    }
    return std::vector<const Pass*>(chosen.begin(), chosen.end());
}

bool run_pass(Graph& graph, const Pass& pass, PassContext& context, const PipelineOptions& options) {
    context.current_pass = pass.name;
    const bool changed = pass.run(graph, context);
    if (changed) rewrite::clean_up(graph);
    if (options.verify) verify_after(graph, pass.name);
    if (options.after_pass) options.after_pass(pass, graph, changed);
    return changed;
}

bool run_passes(Graph& graph, std::span<const Pass* const> passes, PassContext& context,
                const PipelineOptions& options) {
    bool any = false;
    // A pass leaves nothing for itself to do, so the end is reached once all others had nothing to do either.
    std::size_t idle = 0;
    for (int round = 0; round < options.max_rounds; ++round) {
        for (const Pass* pass : passes) {
            const bool changed = run_pass(graph, *pass, context, options);
            any = any || changed;
            idle = changed ? 1 : idle + 1;
            if (idle == passes.size()) return any;
        }
    }
    return any;
}

}  // namespace seq
