#pragma once

#include <optional>

#include "graph/op.hpp"

namespace seq::ops {

enum class Arithmetic { add, sub, mul, div };

/// Combines two or more inputs element by element from left to right, broadcast by PyTorch's rules, or one input
/// and the number `other`. Inputs have one dtype, any but bool; Div takes float types only.
template <Arithmetic A>
struct ArithmeticOp {
    std::optional<double> other{};

    static constexpr std::string_view name = A == Arithmetic::add   ? "Add"
                                             : A == Arithmetic::sub ? "Sub"
                                             : A == Arithmetic::mul ? "Mul"
                                                                    : "Div";
    static constexpr std::string_view doc = A == Arithmetic::add   ? "Adds its inputs."
                                            : A == Arithmetic::sub ? "Subtracts the later inputs from the first."
                                            : A == Arithmetic::mul ? "Multiplies its inputs."
                                                                   : "Divides the first input by the later ones.";
    static constexpr Arity arity{1, -1};
    static constexpr OpTraits traits{
        .elementwise = true, .commutative = A == Arithmetic::add || A == Arithmetic::mul, .broadcasts = true};
    static void declare(FieldTable<ArithmeticOp>& table);
    void infer(InferContext& context);
};

using Add = ArithmeticOp<Arithmetic::add>;
using Sub = ArithmeticOp<Arithmetic::sub>;
using Mul = ArithmeticOp<Arithmetic::mul>;
using Div = ArithmeticOp<Arithmetic::div>;

/// Any of the four in one form.
struct ArithmeticForm {
    Arithmetic kind = Arithmetic::add;
    std::optional<double> other;
};

/// Where `op` is one of the four: its form.
std::optional<ArithmeticForm> arithmetic_form(const Op& op);

}  // namespace seq::ops
