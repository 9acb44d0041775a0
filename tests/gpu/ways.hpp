#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/compile.hpp"
#include "engine/session.hpp"
#include "tests/engine/support.hpp"

namespace seq::tests {

/// What one of a kernel's ways to run a layer gave: at once, captured, and launched again.
struct WayResult {
    /// Of the step; empty where no kernel of cuDNN's ran.
    std::string description;
    /// From the reference, of the worst run.
    double distance = 0;
    /// Whether the captured runs gave the bits of the one at once.
    bool has_same_bits = false;
    /// Why it runs at once alone, in every session; empty where it can be captured.
    std::string refused_capture;
};

/// A model with one layer for cuDNN, its weights and inputs, and what the reference gives. Each way that a kernel of
/// cuDNN's has for the layer, an engine with a form of the graph, runs by its number.
class LayerWays {
   public:
    LayerWays(const std::string& spec, const Backend& backend);
    LayerWays(const LayerWays&) = delete;
    LayerWays& operator=(const LayerWays&) = delete;

    /// The first result tells how many there are; 0 where cuDNN takes no part. Throws seq::Error where it does not run.
    WayResult run(std::size_t number, MathMode math);
    std::size_t count() const { return count_; }

   private:
    Session session(std::size_t number, MathMode math);
    std::vector<NamedArray> outputs_of(Session& session) const;
    bool runs_at_once(std::size_t number, MathMode math, const std::vector<NamedArray>& expected);

    const Backend& backend_;
    Graph graph_;
    std::shared_ptr<const WeightSource> weights_;
    std::vector<NamedArray> inputs_, expected_;
    std::vector<std::unique_ptr<Kernel>> owned_;
    KernelList kernels_;
    std::size_t number_ = 0, count_ = 0;
};

/// The numbers below `count`: first so many of them that lie from 0 to the last, then the others.
std::vector<std::size_t> spread_first(std::size_t count, std::size_t first);

}  // namespace seq::tests
