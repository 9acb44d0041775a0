#include "graph/ops/arithmetic.hpp"

#include <fmt/format.h>

#include <cmath>

#include "graph/ops/broadcast.hpp"
#include "graph/ops/common.hpp"

namespace seq::ops {
namespace {

constexpr std::string_view verb_of(Arithmetic kind) {
    switch (kind) {
        case Arithmetic::add: return "add";
        case Arithmetic::sub: return "subtract";
        case Arithmetic::mul: return "multiply";
        case Arithmetic::div: return "divide";
    }
    return {};
}

/// The dtype that the inputs have in common; after a fault, that of the first float input.
DType common_dtype(InferContext& context) {
    bool same = true;
    for (int i = 1; i < context.input_count(); ++i) same = context.require_same_dtype(i) && same;
    if (same) return context.input().dtype;
    for (int i = 0; i < context.input_count(); ++i) {
        if (is_float(context.input(i).dtype)) return context.input(i).dtype;
    }
    return context.input().dtype;
}

DType check_dtypes(InferContext& context, Arithmetic kind, const std::optional<double>& other) {
    const DType dtype = common_dtype(context);
    if (is_float(dtype)) return dtype;
    if (kind == Arithmetic::div) return require_float_type(context);
    if (dtype == DType::boolean) {
        Fault& fault = context.fault("dtype/mismatch", "takes numbers, but gets bool");
        fault.expected = "f32";
        fault.actual = "bool";
        return DType::f32;
    }
    if (other && *other != std::floor(*other)) {
        Fault& fault = context.fault(
            "dtype/mismatch",
            fmt::format("takes a whole number for `other` with an input of {}, but gets {}", name_of(dtype), *other),
            "other");
        fault.expected = name_of(dtype);
        fault.actual = fmt::format("{}", *other);
    }
    return dtype;
}

void check_count(InferContext& context, bool has_other) {
    const int count = context.input_count();
    if (has_other == (count == 1)) return;
    if (has_other) {
        context.fault(
            "graph/arity",
            fmt::format("takes one input and `other`, or two inputs or more, but gets {} inputs and `other`", count),
            "other");
    } else {
        context.fault("graph/arity", "takes two inputs or more, or one and `other`, but gets one input");
    }
}

}  // namespace

template <Arithmetic A>
void ArithmeticOp<A>::declare(FieldTable<ArithmeticOp>& table) {
    table.add("other", &ArithmeticOp::other).doc("the number that takes the place of a second input");
}

template <Arithmetic A>
void ArithmeticOp<A>::infer(InferContext& context) {
    check_count(context, other.has_value());
    const DType dtype = check_dtypes(context, A, other);
    std::vector<Shape> shapes;
    for (int i = 0; i < context.input_count(); ++i) shapes.push_back(context.shape(i));
    Broadcast result = broadcast(context, shapes, verb_of(A));
    if (result.alternative) context.alternative_output({dtype, std::move(*result.alternative), false});
    context.output(dtype, std::move(result.shape));
}

template struct ArithmeticOp<Arithmetic::add>;
template struct ArithmeticOp<Arithmetic::sub>;
template struct ArithmeticOp<Arithmetic::mul>;
template struct ArithmeticOp<Arithmetic::div>;

std::optional<ArithmeticForm> arithmetic_form(const Op& op) {
    if (const auto* add = op.as<Add>()) return ArithmeticForm{Arithmetic::add, add->other};
    if (const auto* sub = op.as<Sub>()) return ArithmeticForm{Arithmetic::sub, sub->other};
    if (const auto* mul = op.as<Mul>()) return ArithmeticForm{Arithmetic::mul, mul->other};
    if (const auto* div = op.as<Div>()) return ArithmeticForm{Arithmetic::div, div->other};
    return std::nullopt;
}

}  // namespace seq::ops
