#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "engine/executable.hpp"
#include "graph/tensor.hpp"

namespace seq {

/// Finds the symbols' values in the sizes of the inputs, without allocating.
class SymbolBinder {
   public:
    SymbolBinder(const std::vector<Port>& inputs, const std::vector<std::string>& symbols);

    /// Fills `values` (one for each symbol). Throws seq::Error input/shape where a rank or a size does not fit, or
    /// where two inputs disagree about a symbol.
    void bind(std::span<const TensorView> inputs, std::span<std::int64_t> values) const;

   private:
    /// What dimension `dim` of input `input` says: a constant, a symbol, or an expression to be checked afterwards.
    struct Rule {
        std::size_t input = 0;
        std::size_t dim = 0;
        int symbol = -1;
        std::int64_t constant = -1;
    };

    const std::vector<Port>& ports_;
    const std::vector<std::string>& symbols_;
    std::vector<Rule> rules_;
    std::vector<Rule> expressions_;
};

}  // namespace seq
