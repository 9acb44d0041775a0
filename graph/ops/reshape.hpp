#pragma once

#include "graph/op.hpp"

namespace seq::ops {

/// Merges dimensions start_dim to end_dim, both included: [N, C, H, W] -> [N, C·H·W]. A scalar becomes [1].
struct Flatten {
    std::int64_t start_dim = 1;
    std::int64_t end_dim = -1;

    static constexpr std::string_view name = "Flatten";
    static constexpr std::string_view doc = "Merges a run of dimensions into one.";
    static constexpr OpTraits traits{.view = true};
    static void declare(FieldTable<Flatten>& table);
    void infer(InferContext& context);
};

/// Cuts dimension `dim` into unflattened_size, in which one -1 stands for what is left.
/// Refused with shape/reshape where the sizes do not multiply to the dimension.
struct Unflatten {
    std::int64_t dim = 0;
    IntList unflattened_size{};

    static constexpr std::string_view name = "Unflatten";
    static constexpr std::string_view doc = "Cuts one dimension into several.";
    static constexpr OpTraits traits{.view = true};
    static void declare(FieldTable<Unflatten>& table);
    void infer(InferContext& context);
};

/// The same elements in the same order under another shape: 0 keeps the input's dimension at that position, and one
/// -1 stands for what is left. Refused with shape/reshape where the numbers of elements differ.
struct Reshape {
    IntList shape{};

    static constexpr std::string_view name = "Reshape";
    static constexpr std::string_view doc = "Gives the same elements another shape.";
    static constexpr OpTraits traits{.view = true};
    static void declare(FieldTable<Reshape>& table);
    void infer(InferContext& context);
};

/// Removes dimensions of size 1. As in PyTorch a dimension of another number stays; one whose size is an expression
/// is removed, on condition that it is 1.
struct Squeeze {
    IntList dim{};

    static constexpr std::string_view name = "Squeeze";
    static constexpr std::string_view doc = "Removes dimensions of size 1.";
    static constexpr OpTraits traits{.view = true};
    static void declare(FieldTable<Squeeze>& table);
    void infer(InferContext& context);
};

/// Puts a dimension of size 1 before dimension `dim` of the input; -1 puts it last.
struct Unsqueeze {
    std::int64_t dim = 0;

    static constexpr std::string_view name = "Unsqueeze";
    static constexpr std::string_view doc = "Adds a dimension of size 1.";
    static constexpr OpTraits traits{.view = true};
    static void declare(FieldTable<Unsqueeze>& table);
    void infer(InferContext& context);
};

}  // namespace seq::ops
