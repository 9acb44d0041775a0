#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "graph/ir.hpp"

namespace seq {

/// The numbers of a parameter or constant; nullptr where they are not known.
using WeightLookup = std::function<std::shared_ptr<const Tensor>(const Value& value)>;

/// What passes may do, and the count of what they did.
class PassContext {
   public:
    static constexpr std::int64_t no_limit = std::numeric_limits<std::int64_t>::max();

    PassContext() = default;
    explicit PassContext(Evaluator evaluator) : evaluator_(std::move(evaluator)) {}

    /// No rewrite that rounds otherwise than the nodes it replaces: batch norms and scales stay where they are.
    bool strict = false;
    /// What factors are, so that those that would overflow a weight stay apart; may be empty.
    WeightLookup numbers;
    /// After so many rewrites passes change nothing more, so that a wrong one is found by bisection.
    std::int64_t rewrite_limit = no_limit;
    /// Told of every rewrite: its number from 1, the pass, and what it does.
    std::function<void(std::int64_t, std::string_view pass, const std::string& what)> on_rewrite;
    /// A larger result is not folded into a constant.
    std::int64_t folded_bytes_limit = std::int64_t{1} << 26;

    /// A pass asks before each rewrite and leaves the graph as it is where the answer is no.
    /// `describe` makes the text for on_rewrite, where anyone listens.
    bool begin_rewrite(const std::function<std::string()>& describe);
    std::int64_t rewrites() const { return rewrites_; }

    /// May be empty: then nothing is evaluated.
    const Evaluator& evaluator() const { return evaluator_; }

    /// The pass that is running; set by run_pass.
    std::string_view current_pass;

   private:
    Evaluator evaluator_;
    std::int64_t rewrites_ = 0;
};

/// A rewrite of graphs that keeps what they compute: the values of their outputs, and the types and names of these.
struct Pass {
    std::string_view name;
    std::string_view doc;
    /// Whether anything changed, truthfully. A second run changes nothing.
    bool (*run)(Graph& graph, PassContext& context);
};

}  // namespace seq
