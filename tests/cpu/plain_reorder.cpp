#include "kernels/cpu/plain_reorder.hpp"

#include <doctest/doctest.h>

#include <cstring>
#include <vector>

#include "graph/tensor.hpp"
#include "kernels/cpu/onednn/reorder.hpp"

namespace seq::test {
namespace {

std::vector<std::byte> run(const PreparedKernel& kernel, const Tensor& from, const Placed& to) {
    std::vector<std::byte> bytes(static_cast<std::size_t>(to.byte_count()), std::byte{0x7b});
    std::vector<std::byte> scratch(kernel.scratch_bytes + 64);
    void* const input = from.view().data;
    void* const output = bytes.data();
    const auto state = kernel.make_state();
    RunContext context;
    context.inputs = &input;
    context.outputs = &output;
    context.scratch = scratch.data();
    context.state = state.get();
    kernel.run(context);
    return bytes;
}

TEST_CASE("plain reorders give the bytes that oneDNN's give") {
    const Layout orders[] = {Layout::plain(), Layout::channels_last(), Layout::blocked(8), Layout::blocked(16)};
    for (const std::vector<std::int64_t>& sizes :
         {std::vector<std::int64_t>{2, 19, 7, 5}, {1, 16, 300}, {3, 8, 2, 3, 4}, {1, 1, 6, 6}}) {
        for (const Layout& first : orders) {
            for (const Layout& second : orders) {
                const Placed plain{DType::f32, sizes, {}}, from = plain.in(first), to = plain.in(second);
                if (from == to) continue;
                CAPTURE(first.to_string());
                CAPTURE(second.to_string());
                Tensor data(DType::f32, {from.byte_count() / 4});
                // Where channels are padded, with zeros.
                Tensor numbers(DType::f32, sizes);
                float next = 0;
                for (float& value : numbers.data<float>()) value = next += 0.5f;
                const auto fill = onednn::make_reorder(plain, from);
                const auto bytes = run(*fill, numbers, from);
                std::memcpy(data.view().data, bytes.data(), bytes.size());
                const auto own = cpu::make_plain_reorder(from, to), other = onednn::make_reorder(from, to);
                REQUIRE(own != nullptr);
                CHECK(run(*own, data, to) == run(*other, data, to));
            }
        }
    }
}

TEST_CASE("plain reorders round what is kept in 16 bits, and refuse other types") {
    const Placed plain{DType::f32, {2, 5, 3, 3}, {}}, kept = plain.in(Layout::channels_last().kept(Kept::bf16));
    Tensor data(DType::f32, plain.sizes);
    float next = 0.1f;
    for (float& value : data.data<float>()) value = next *= 1.1f;
    CHECK(run(*cpu::make_plain_reorder(plain, kept), data, kept) ==
          run(*onednn::make_reorder(plain, kept), data, kept));
    CHECK(cpu::make_plain_reorder(plain, {DType::i64, {2, 5, 3, 3}, {}}) == nullptr);
}

}  // namespace
}  // namespace seq::test
