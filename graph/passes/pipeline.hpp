#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "graph/pass.hpp"

namespace seq {

/// Every pass, in the order in which they run.
std::span<const Pass> all_passes();

/// nullptr where there is none of that name.
const Pass* find_pass(std::string_view name);

/// What `selection` names: "all", "none", or names separated by commas, in the order of all_passes(). nullopt, with a
/// reason in `*error`, where it names a pass that is not there.
std::optional<std::vector<const Pass*>> select_passes(std::string_view selection, std::string* error = nullptr);

struct PipelineOptions {
    /// Whether the verifier runs after each pass; what it finds is thrown as std::logic_error.
#ifdef SEQ_DEBUG_VERIFY
    bool verify = true;
#else
    bool verify = false;
#endif
    /// The passes run one after another until none changes anything, at most so many times.
    int max_rounds = 8;
    /// Called after each run of a pass.
    std::function<void(const Pass& pass, const Graph& graph, bool changed)> after_pass;
};

/// Runs one pass; returns whether it changed anything.
bool run_pass(Graph& graph, const Pass& pass, PassContext& context, const PipelineOptions& options = {});

/// Runs passes to a fixed point, in the order given. Returns whether anything changed.
bool run_passes(Graph& graph, std::span<const Pass* const> passes, PassContext& context,
                const PipelineOptions& options = {});

}  // namespace seq
