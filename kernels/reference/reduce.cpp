#include "graph/ops/reduce.hpp"

#include <type_traits>

#include "kernels/reference/elements.hpp"
#include "kernels/reference/reference.hpp"

namespace seq::reference {
namespace {

/// Some dimensions of a tensor, with their strides in it.
struct Walk {
    std::size_t rank = 0;
    Index sizes{};
    Index strides{};

    void push(std::int64_t size, std::int64_t stride) {
        sizes[rank] = size;
        strides[rank++] = stride;
    }
    std::span<const std::int64_t> extent() const { return {sizes.data(), rank}; }
};

/// Calls `body` for each output element with the sum of what it reduces and how many elements that is.
template <class T, class Sum, class F>
void for_each_sum(const TensorView& input, const IntList& dim, F&& body) {
    const std::bitset<max_rank> reduced = ops::reduced_dims(dim, input.rank);
    const Index own = dense_strides(input.sizes());
    Walk outer, inner;
    for (std::size_t i = 0; i < static_cast<std::size_t>(input.rank); ++i)
        (reduced[i] ? inner : outer).push(input.shape[i], own[i]);
    const std::int64_t count = product(inner.extent(), 0, static_cast<int>(inner.rank));
    for_each_index(outer.extent(), [&](const Index& index) {
        const T* start = input.as<T>() + offset_of(index, outer.strides);
        Sum sum = 0;
        for_each_index(inner.extent(),
                       [&](const Index& term) { sum += static_cast<Sum>(start[offset_of(term, inner.strides)]); });
        body(sum, count);
    });
}

void run_mean(const ReferenceCall& call) {
    dispatch_float(call.outputs[0].dtype, [&](auto element) {
        using T = decltype(element);
        T* target = call.outputs[0].as<T>();
        for_each_sum<T, double>(call.inputs[0], call.fields<ops::Mean>().dim, [&](double sum, std::int64_t count) {
            *target++ = static_cast<T>(sum / static_cast<double>(count));
        });
    });
}

void run_sum(const ReferenceCall& call) {
    const IntList& dim = call.fields<ops::Sum>().dim;
    dispatch_number(call.inputs[0].dtype, [&](auto element) {
        using T = decltype(element);
        // Integers add up to i64 and wrap around, as in PyTorch.
        using Total = std::conditional_t<std::is_floating_point_v<T>, T, std::int64_t>;
        using Sum = std::conditional_t<std::is_floating_point_v<T>, double, std::uint64_t>;
        Total* target = call.outputs[0].as<Total>();
        for_each_sum<T, Sum>(call.inputs[0], dim, [&](Sum sum, std::int64_t) { *target++ = static_cast<Total>(sum); });
    });
}

}  // namespace

void add_reduce(ReferenceTable& table) {
    table.add(ops::Mean::name, run_mean);
    table.add(ops::Sum::name, run_sum);
}

}  // namespace seq::reference
