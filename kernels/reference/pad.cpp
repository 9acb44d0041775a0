#include "graph/ops/pad.hpp"

#include <algorithm>
#include <limits>
#include <type_traits>

#include "kernels/reference/elements.hpp"
#include "kernels/reference/reference.hpp"

namespace seq::reference {
namespace {

/// The input position that output position `position` shows; -1 where it is outside.
std::int64_t source_of(const ops::PadForm& form, const ops::PadAmount& amount, std::int64_t position,
                       std::int64_t size) {
    const std::int64_t source = position - amount.before;
    switch (form.mode) {
        case ops::PadMode::constant: return source < 0 || source >= size ? -1 : source;
        case ops::PadMode::reflect:
            if (source < 0) return -source;
            return source >= size ? 2 * (size - 1) - source : source;
        case ops::PadMode::replicate: return std::clamp<std::int64_t>(source, 0, size - 1);
        case ops::PadMode::circular: {
            const std::int64_t first = std::max<std::int64_t>(-amount.before, 0);
            const std::int64_t period = size - first - std::max<std::int64_t>(-amount.after, 0);
            return first + (source - first + period) % period;
        }
    }
    return -1;
}

/// As PyTorch converts a number: towards zero for integers, with what is out of range at the ends.
template <class T>
T to_element(double value) {
    if constexpr (std::is_floating_point_v<T>) {
        return static_cast<T>(value);
    } else {
        if (!(value > static_cast<double>(std::numeric_limits<T>::min()))) return std::numeric_limits<T>::min();
        if (value >= static_cast<double>(std::numeric_limits<T>::max())) return std::numeric_limits<T>::max();
        return static_cast<T>(value);
    }
}

template <class T>
void pad(const ops::PadForm& form, const TensorView& input, const TensorView& output) {
    const Index strides = dense_strides(input.sizes());
    const int outer = input.rank - form.dims;
    const T* source = input.as<T>();
    T* target = output.as<T>();
    for_each_index(output.sizes(), [&](const Index& index) {
        Index from = index;
        bool inside = true;
        for (int i = 0; i < form.dims; ++i) {
            const auto dim = static_cast<std::size_t>(outer + i);
            from[dim] = source_of(form, form.amounts[static_cast<std::size_t>(i)], index[dim], input.shape[dim]);
            inside = inside && from[dim] >= 0;
        }
        *target++ = inside ? source[offset_of(from, strides)] : to_element<T>(form.value);
    });
}

void run_pad(const ReferenceCall& call) {
    const ops::PadForm form = *ops::pad_form(call.op);
    dispatch_number(call.outputs[0].dtype,
                    [&](auto element) { pad<decltype(element)>(form, call.inputs[0], call.outputs[0]); });
}

template <int D>
void add_pads(ReferenceTable& table) {
    table.add(ops::ZeroPad<D>::name, run_pad);
    table.add(ops::ConstantPad<D>::name, run_pad);
    table.add(ops::ReflectionPad<D>::name, run_pad);
    table.add(ops::ReplicationPad<D>::name, run_pad);
    table.add(ops::CircularPad<D>::name, run_pad);
}

}  // namespace

void add_pad(ReferenceTable& table) {
    add_pads<1>(table);
    add_pads<2>(table);
    add_pads<3>(table);
}

}  // namespace seq::reference
