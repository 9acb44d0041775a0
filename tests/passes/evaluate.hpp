#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "graph/ir.hpp"

/// Numbers by name, the same for a name whatever graph asks: between -1 and 1, variances between 0.5 and 1.5.
seq::Tensor numbers_for(const std::string& name, seq::DType dtype, const std::vector<std::int64_t>& sizes);

/// Weights that numbers_for gives, for the parameters of a graph.
class NamedNumbers final : public seq::WeightSource {
   public:
    explicit NamedNumbers(const seq::Graph& graph);
    const std::vector<Entry>& entries() const override { return entries_; }
    const Entry* find(std::string_view name) const override;
    void read(const Entry& entry, std::span<std::byte> out) const override;
    std::string description() const override { return "numbers by name"; }

   private:
    std::vector<Entry> entries_;
};

/// The outputs of a graph by the reference kernels, with symbols bound, its inputs by numbers_for and its parameters
/// from `weights`.
std::vector<seq::Tensor> evaluate(const seq::Graph& graph, const seq::Bindings& bindings,
                                  const seq::WeightSource& weights);

/// The largest difference between two lists of f32 tensors, relative to the largest magnitude in each pair.
double largest_difference(const std::vector<seq::Tensor>& a, const std::vector<seq::Tensor>& b);
