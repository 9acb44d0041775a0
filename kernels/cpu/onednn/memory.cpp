#include "kernels/cpu/onednn/memory.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "graph/tensor.hpp"
#include "kernels/cpu/own_kernel.hpp"
#include "kernels/cpu/packing.hpp"

namespace seq::onednn {
namespace {

using Tag = dnnl::memory::format_tag;

std::optional<Tag> blocked_tag(std::size_t rank, int block) {
    constexpr Tag by_rank[][3] = {{Tag::nCw4c, Tag::nCw8c, Tag::nCw16c},
                                  {Tag::nChw4c, Tag::nChw8c, Tag::nChw16c},
                                  {Tag::nCdhw4c, Tag::nCdhw8c, Tag::nCdhw16c}};
    if (rank < 3 || rank > 5 || (block != 4 && block != 8 && block != 16)) return std::nullopt;
    return by_rank[rank - 3][block / 8];
}

Dims strides_of(const Dims& dims, const std::vector<std::size_t>& order) {
    Dims strides(dims.size());
    dnnl::memory::dim stride = 1;
    for (std::size_t i = order.size(); i-- > 0;) {
        strides[order[i]] = stride;
        stride *= dims[order[i]];
    }
    return strides;
}

Dims layout_strides(const Dims& dims, bool channels_last) {
    std::vector<std::size_t> order(dims.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    if (channels_last && dims.size() > 2) {
        order.erase(order.begin() + 1);
        order.push_back(1);
    }
    return strides_of(dims, order);
}

}  // namespace

std::optional<dnnl::memory::data_type> data_type_of(DType dtype) {
    using Type = dnnl::memory::data_type;
    switch (dtype) {
        case DType::f32: return Type::f32;
        case DType::bf16: return Type::bf16;
        case DType::f16: return Type::f16;
        case DType::i32: return Type::s32;
        case DType::i8: return Type::s8;
        case DType::u8: return Type::u8;
        default: return std::nullopt;
    }
}

MemoryDesc describe(const Placed& placed) {
    const auto type = data_type_of(placed.dtype).value();
    Dims dims(placed.sizes.begin(), placed.sizes.end());
    if (dims.empty()) dims.push_back(1);
    if (placed.layout.kind == LayoutKind::blocked) {
        return {dims, type, blocked_tag(dims.size(), placed.layout.block).value()};
    }
    return {dims, type, layout_strides(dims, placed.layout.kind == LayoutKind::channels_last)};
}

MemoryDesc describe_plain(const Dims& dims, DType dtype) {
    return {dims, data_type_of(dtype).value(), layout_strides(dims, false)};
}

MemoryDesc describe_any(const Dims& dims, DType dtype) { return {dims, data_type_of(dtype).value(), Tag::any}; }

std::optional<Layout> layout_of(const MemoryDesc& desc, const Placed& value) {
    const auto is = [&](const Layout& layout) { return describe(in_order(value, layout)) == desc; };
    const Kept kept = value.layout.kept_as;
    if (is(Layout::plain())) return Layout::plain().kept(kept);
    const std::size_t rank = value.sizes.size();
    if (rank < 3 || rank > 5) return std::nullopt;
    for (const Layout layout : {Layout::channels_last(), Layout::blocked(16), Layout::blocked(8), Layout::blocked(4)}) {
        if (is(layout)) return layout.kept(kept);
    }
    return std::nullopt;
}

std::string key_of(const MemoryDesc& desc) {
    std::string key = fmt::format("{} {} {}", static_cast<int>(desc.get_data_type()), fmt::join(desc.get_dims(), ","),
                                  fmt::join(desc.get_padded_dims(), ","));
    if (desc.get_format_kind() != dnnl::memory::format_kind::blocked) return key + " opaque";
    return key + fmt::format(" {} {} {}", fmt::join(desc.get_strides(), ","), fmt::join(desc.get_inner_blks(), ","),
                             fmt::join(desc.get_inner_idxs(), ","));
}

PackedWeights pack(WeightProvider& provider, const Value& value, const MemoryDesc& from, const MemoryDesc& to) {
    return provider.packed(
        value, "oneDNN " + key_of(to),
        [&](const TensorView& plain) {
            return cpu::keep_bytes(to.get_size(), [&](void* packed) {
                dnnl::memory source(from, engine(), plain.data);
                dnnl::memory target(to, engine(), packed);
                dnnl::stream stream = make_stream();
                dnnl::reorder(source, target).execute(stream, source, target);
                stream.wait();
            });
        },
        to.get_size());
}

}  // namespace seq::onednn
