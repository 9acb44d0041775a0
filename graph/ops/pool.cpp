#include "graph/ops/pool.hpp"

#include <fmt/format.h>

namespace seq::ops {
namespace {

constexpr std::string_view kernel_doc = "size of the window";
constexpr std::string_view stride_doc = "step between windows; null: the window's size";
constexpr std::string_view padding_doc = "elements added at both sides, at most half a window";
constexpr std::string_view ceil_doc = "whether a window may reach past the end";

/// PyTorch's limit: at most half of the kernel, whatever the dilation.
bool require_padding(InferContext& context, const Window& window, const IntList& padding) {
    const std::int64_t half = window.kernel / 2;
    if (window.pad_before <= half) return true;
    Fault& fault = context.fault("spec/value",
                                 fmt::format("takes a padding of at most {}, half of its window of {}, but gets {}",
                                             half, window.kernel, window.pad_before),
                                 "padding");
    fault.expected = fmt::format("at most {}", half);
    fault.actual = to_string(to_field_value(padding));
    if (padding.is_scalar()) fault.fixes.push_back(set_field("padding", half));
    return false;
}

template <int N, class Pool>
void infer_pool(InferContext& context, const Pool& pool, const IntList& padding) {
    if (!require_spatial_rank(context, N)) return;
    const DType dtype = require_float_type(context);
    bool padding_holds = true;
    Shape result{context.shape()[0], context.shape()[1]};
    for (int i = 0; i < N; ++i) {
        const Window window = pool.window(i);
        padding_holds = padding_holds && require_padding(context, window, padding);
        result.push_back(slide_window(context, i + 2, window, spatial_name(N, i)));
    }
    context.output(dtype, std::move(result));
}

std::int64_t stride_or_kernel(const IntList& stride, const IntList& kernel, int i) {
    return stride.empty() ? kernel.at(i) : stride.at(i);
}

}  // namespace

template <int N>
void MaxPool<N>::declare(FieldTable<MaxPool>& table) {
    table.add("kernel_size", &MaxPool::kernel_size).required().at_least(1).lengths({N}).doc(std::string(kernel_doc));
    table.add("stride", &MaxPool::stride).nullable().at_least(1).lengths({N}).doc(std::string(stride_doc));
    table.add("padding", &MaxPool::padding).at_least(0).lengths({N}).doc(std::string(padding_doc));
    table.add("dilation", &MaxPool::dilation).at_least(1).lengths({N}).doc("distance between the window's elements");
    table.add("return_indices", &MaxPool::return_indices).doc("only false");
    table.add("ceil_mode", &MaxPool::ceil_mode).doc(std::string(ceil_doc));
}

template <int N>
Window MaxPool<N>::window(int i) const {
    return {kernel_size.at(i), stride_or_kernel(stride, kernel_size, i), dilation.at(i), padding.at(i), padding.at(i),
            ceil_mode};
}

/// Without dilation a window reaches from its padding, which is at most half of it, into any input.
template <int N>
bool MaxPool<N>::may_miss() const {
    bool misses = false;
    for (int i = 0; i < N; ++i) misses = misses || (padding.at(i) > 0 && dilation.at(i) > 1 && kernel_size.at(i) > 1);
    return misses;
}

template <int N>
void MaxPool<N>::infer(InferContext& context) {
    refuse_return_indices(context, return_indices);
    infer_pool<N>(context, *this, padding);
}

template <int N>
void AvgPool<N>::declare(FieldTable<AvgPool>& table) {
    table.add("kernel_size", &AvgPool::kernel_size).required().at_least(1).lengths({N}).doc(std::string(kernel_doc));
    table.add("stride", &AvgPool::stride).nullable().at_least(1).lengths({N}).doc(std::string(stride_doc));
    table.add("padding", &AvgPool::padding).at_least(0).lengths({N}).doc(std::string(padding_doc));
    table.add("ceil_mode", &AvgPool::ceil_mode).doc(std::string(ceil_doc));
    table.add("count_include_pad", &AvgPool::count_include_pad).doc("whether the padding counts as elements");
    if constexpr (N > 1)
        table.add("divisor_override", &AvgPool::divisor_override)
            .at_least(1)
            .doc("what to divide by; null: the number of elements");
}

template <int N>
Window AvgPool<N>::window(int i) const {
    return {kernel_size.at(i), stride_or_kernel(stride, kernel_size, i), 1, padding.at(i), padding.at(i), ceil_mode};
}

template <int N>
std::optional<std::int64_t> AvgPool<N>::divisor() const {
    if constexpr (N > 1) {
        return divisor_override;
    } else {
        return std::nullopt;
    }
}

template <int N>
void AvgPool<N>::infer(InferContext& context) {
    infer_pool<N>(context, *this, padding);
}

template <int N>
void LPPool<N>::declare(FieldTable<LPPool>& table) {
    table.add("norm_type", &LPPool::norm_type).required().above(0).doc("the p of the norm");
    table.add("kernel_size", &LPPool::kernel_size).required().at_least(1).lengths({N}).doc(std::string(kernel_doc));
    table.add("stride", &LPPool::stride).nullable().at_least(1).lengths({N}).doc(std::string(stride_doc));
    table.add("ceil_mode", &LPPool::ceil_mode).doc(std::string(ceil_doc));
}

template <int N>
Window LPPool<N>::window(int i) const {
    return {kernel_size.at(i), stride_or_kernel(stride, kernel_size, i), 1, 0, 0, ceil_mode};
}

template <int N>
void LPPool<N>::infer(InferContext& context) {
    infer_pool<N>(context, *this, 0);
}

bool windows_may_miss(const Op& op) {
    const auto misses = [](const auto* pool) { return pool != nullptr && pool->may_miss(); };
    return misses(op.as<MaxPool1d>()) || misses(op.as<MaxPool2d>()) || misses(op.as<MaxPool3d>());
}

template struct MaxPool<1>;
template struct MaxPool<2>;
template struct MaxPool<3>;
template struct AvgPool<1>;
template struct AvgPool<2>;
template struct AvgPool<3>;
template struct LPPool<1>;
template struct LPPool<2>;
template struct LPPool<3>;

}  // namespace seq::ops
