#pragma once

#include <string>
#include <vector>

#include "graph/ir.hpp"

namespace seq {

/// What the IR's own rules find wrong with a graph, one line each: empty where it is sound. The rules are those of
/// verify_rules().
std::vector<std::string> verify(const Graph& graph);

struct VerifyRule {
    const char* name;
    /// What holds in every graph.
    const char* doc;
    void (*check)(const Graph& graph, std::vector<std::string>& problems);
};

/// Later rules are not asked where an earlier one fails.
const std::vector<VerifyRule>& verify_rules();

}  // namespace seq
