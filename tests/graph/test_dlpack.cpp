#include <doctest/doctest.h>

#include "graph/dlpack.hpp"
#include "tests/dl_tensor.hpp"

using namespace seq;
using namespace seq::tests;

namespace {

std::string code_of(const DLTensor& tensor) {
    try {
        view_of_dlpack(tensor);
    } catch (const Error& error) {
        return error.code();
    }
    return {};
}

}  // namespace

TEST_CASE("a DLPack tensor is viewed where it lies") {
    float numbers[24] = {};
    std::int64_t shape[] = {2, 3}, strides[] = {1, 2};
    DLTensor tensor{numbers, {2, 1}, 2, {2, 32, 1}, shape, nullptr, 16};
    TensorView view = view_of_dlpack(tensor);
    CHECK(view.data == numbers + 4);
    CHECK(view.device == Device::cuda(1));
    CHECK(view.dtype == DType::f32);
    CHECK(view.is_dense());
    CHECK(view.shape[1] == 3);
    tensor.strides = strides;
    tensor.device = {3, 0};
    view = view_of_dlpack(tensor);
    CHECK(view.device == Device::cpu());
    CHECK(view.strides[0] == 1);
    CHECK(view.strides[1] == 2);
    CHECK_FALSE(view.is_dense());
}

TEST_CASE("every dtype of seq has one of DLPack's, and what has none is refused") {
    const std::tuple<int, int, DType> types[] = {{0, 8, DType::i8},   {0, 32, DType::i32},  {0, 64, DType::i64},
                                                 {1, 8, DType::u8},   {2, 16, DType::f16},  {2, 32, DType::f32},
                                                 {2, 64, DType::f64}, {4, 16, DType::bf16}, {6, 8, DType::boolean}};
    for (const auto& [code, bits, dtype] : types) CHECK(dlpack::dtype_of(code, bits) == dtype);
    float number = 0;
    std::int64_t shape[max_rank + 1] = {1, 1, 1, 1, 1, 1, 1, 1, 1};
    const DLTensor whole{&number, {}, 0, {}, shape};
    CHECK(code_of(whole).empty());
    DLTensor other = whole;
    other.dtype = {0, 16, 1};
    CHECK(code_of(other) == "input/dtype");
    other.dtype = {2, 32, 4};
    CHECK(code_of(other) == "input/dtype");
    other = whole;
    other.device = {10, 0};  // ROCm
    CHECK(code_of(other) == "input/device");
    other = whole;
    other.ndim = max_rank + 1;
    CHECK(code_of(other) == "input/shape");
}
