#include "graph/tensor.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>

using namespace seq;

TEST_CASE("tensors of all sizes around those of pages are aligned, zeroed and hold what is written") {
    for (const std::int64_t floats : {0, 1, 16, 1023, 1024, 524272, 524287, 524288, 524289, 1300000}) {
        CAPTURE(floats);
        for (int round = 0; round < 2; ++round) {
            Tensor tensor(DType::f32, {floats});
            CHECK(reinterpret_cast<std::uintptr_t>(tensor.view().data) % 64 == 0);
            const auto numbers = tensor.data<float>();
            CHECK(std::all_of(numbers.begin(), numbers.end(), [](float number) { return number == 0; }));
            std::fill(numbers.begin(), numbers.end(), 1.0f);
            Tensor moved = std::move(tensor);
            CHECK(std::count(moved.data<float>().begin(), moved.data<float>().end(), 1.0f) == floats);
        }
    }
}
