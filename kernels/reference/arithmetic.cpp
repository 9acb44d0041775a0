#include "graph/ops/arithmetic.hpp"

#include <algorithm>
#include <limits>
#include <type_traits>

#include "kernels/reference/elements.hpp"
#include "kernels/reference/reference.hpp"

namespace seq::reference {
namespace {

/// Integers wrap around, as in PyTorch.
template <class T>
T combine(ops::Arithmetic kind, T a, T b) {
    if constexpr (std::is_floating_point_v<T>) {
        switch (kind) {
            case ops::Arithmetic::add: return a + b;
            case ops::Arithmetic::sub: return a - b;
            case ops::Arithmetic::mul: return a * b;
            case ops::Arithmetic::div: return a / b;
        }
        return a;
    } else {
        const auto x = static_cast<std::uint64_t>(a);
        const auto y = static_cast<std::uint64_t>(b);
        switch (kind) {
            case ops::Arithmetic::add: return static_cast<T>(x + y);
            case ops::Arithmetic::sub: return static_cast<T>(x - y);
            case ops::Arithmetic::mul: return static_cast<T>(x * y);
            case ops::Arithmetic::div: return a;  // refused by the shape rule
        }
        return a;
    }
}

/// `other` in the element type; an integer beyond int64 cannot be told from its end.
template <class T>
T to_operand(double value) {
    if constexpr (std::is_floating_point_v<T>) {
        return static_cast<T>(value);
    } else {
        constexpr double limit = 0x1p63;
        if (value >= limit) return static_cast<T>(std::numeric_limits<std::int64_t>::max());
        if (value < -limit) return static_cast<T>(std::numeric_limits<std::int64_t>::min());
        return static_cast<T>(static_cast<std::int64_t>(value));
    }
}

template <class T>
void run_with_number(const ReferenceCall& call, ops::Arithmetic kind, double other) {
    const T operand = to_operand<T>(other);
    const T* input = call.inputs[0].as<T>();
    T* output = call.outputs[0].as<T>();
    for (std::int64_t i = 0; i < call.outputs[0].element_count(); ++i) output[i] = combine(kind, input[i], operand);
}

/// All operands of an element are read before it is written, so an input of the output's shape may share its buffer.
template <class T>
void run_fold(const ReferenceCall& call, ops::Arithmetic kind) {
    constexpr std::size_t kept = 8;
    const int rank = call.outputs[0].rank;
    std::array<Index, kept> strides{};
    for (std::size_t i = 0; i < std::min(kept, call.inputs.size()); ++i)
        strides[i] = broadcast_strides(call.inputs[i], rank);
    T* target = call.outputs[0].as<T>();
    for_each_index(call.outputs[0].sizes(), [&](const Index& index) {
        T result{};
        for (std::size_t i = 0; i < call.inputs.size(); ++i) {
            const TensorView& input = call.inputs[i];
            const T element = input.as<T>()[offset_of(index, i < kept ? strides[i] : broadcast_strides(input, rank))];
            result = i == 0 ? element : combine(kind, result, element);
        }
        *target++ = result;
    });
}

/// Two inputs of one shape need no index.
template <class T>
bool run_flat(const ReferenceCall& call, ops::Arithmetic kind) {
    const std::int64_t count = call.outputs[0].element_count();
    if (call.inputs.size() != 2 || call.inputs[0].element_count() != count || call.inputs[1].element_count() != count)
        return false;
    const T* left = call.inputs[0].as<T>();
    const T* right = call.inputs[1].as<T>();
    T* output = call.outputs[0].as<T>();
    for (std::int64_t i = 0; i < count; ++i) output[i] = combine(kind, left[i], right[i]);
    return true;
}

void run_arithmetic(const ReferenceCall& call) {
    const ops::ArithmeticForm form = *ops::arithmetic_form(call.op);
    dispatch_number(call.outputs[0].dtype, [&](auto element) {
        using T = decltype(element);
        if (call.inputs.size() == 1 && form.other) {
            run_with_number<T>(call, form.kind, *form.other);
        } else if (!run_flat<T>(call, form.kind)) {
            run_fold<T>(call, form.kind);
        }
    });
}

}  // namespace

void add_arithmetic(ReferenceTable& table) {
    table.add(ops::Add::name, run_arithmetic);
    table.add(ops::Sub::name, run_arithmetic);
    table.add(ops::Mul::name, run_arithmetic);
    table.add(ops::Div::name, run_arithmetic);
}

}  // namespace seq::reference
