#include "graph/dtype.hpp"

#include <array>
#include <utility>

namespace seq {
namespace {

struct Entry {
    DType dtype;
    std::string_view name;
    std::size_t bytes;
};

constexpr std::array<Entry, 9> table{{
    {DType::f32, "f32", 4},
    {DType::bf16, "bf16", 2},
    {DType::f16, "f16", 2},
    {DType::f64, "f64", 8},
    {DType::i64, "i64", 8},
    {DType::i32, "i32", 4},
    {DType::i8, "i8", 1},
    {DType::u8, "u8", 1},
    {DType::boolean, "bool", 1},
}};

}  // namespace

std::size_t size_of(DType dtype) { return table[static_cast<std::size_t>(dtype)].bytes; }

std::string_view name_of(DType dtype) {
    const auto row = static_cast<std::size_t>(dtype);
    return row < table.size() ? table[row].name : "of no dtype that there is";
}

std::optional<DType> parse_dtype(std::string_view name) {
    for (const Entry& entry : table) {
        if (entry.name == name) return entry.dtype;
    }
    return std::nullopt;
}

bool is_float(DType dtype) {
    return dtype == DType::f32 || dtype == DType::bf16 || dtype == DType::f16 || dtype == DType::f64;
}

}  // namespace seq
