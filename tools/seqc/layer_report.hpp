#pragma once

#include <map>
#include <string>
#include <vector>

#include "graph/ir.hpp"

namespace seqc {

/// One layer of the user's model, as summary shows it.
struct LayerRow {
    std::string path;
    std::string type;
    std::vector<seq::Shape> outputs;
    /// Learned numbers, as PyTorch's `parameters()` counts them.
    std::int64_t parameters = 0;
    /// Running statistics, which are stored with the parameters and not learned.
    std::int64_t statistics = 0;
    /// The parameters are another layer's, which counts them.
    bool shared = false;
    seq::Dim macs = 0;
    /// The layer into whose step it went; empty where it has a step of its own. "-" where no step is left for it.
    std::string fused_into;
};

/// The layers in order. `fused` is the graph after the passes.
std::vector<LayerRow> layer_rows(const seq::Graph& graph, const seq::Graph& fused);

}  // namespace seqc
