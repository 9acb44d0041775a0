#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "graph/solver.hpp"
#include "graph/tensor.hpp"

/// The smallest parts of the text form, each printed and read back in one place.
namespace seq::text_format {

/// Whether a name stands without quotes: letters, digits, '_', '.' and '-', and not '-' first.
bool is_bare(std::string_view name);
bool is_name_char(char c);

/// "[1, 2.5]" where there are few elements and all are finite, "splat 1" where there are more and all are one, and
/// otherwise "base64 \"...\"" of the bytes, least significant first. Splats take their bytes from the budget, so that a
/// short text makes no large graph.
std::string print_data(const Tensor& tensor, std::size_t& splat_budget);
/// The budget of one graph.
inline constexpr std::size_t splat_bytes_limit = std::size_t{1} << 28;
/// How many elements print_data writes as numbers.
inline constexpr std::int64_t listed_elements = 16;

/// Fills `tensor`, element by element, from one number of its dtype. false where it is no such number.
bool read_number(std::string_view text, Tensor& tensor, std::int64_t index);
/// As read_number, for all elements; false also where there are none.
bool read_splat(std::string_view text, Tensor& tensor);
/// false where `text` is not the base64 of exactly the tensor's bytes.
bool read_base64(std::string_view text, Tensor& tensor);

/// "H - 2 >= 1", "L % 4 == 0".
std::string print_condition(const Condition& condition);
std::optional<Condition> read_condition(std::string_view text);

/// "f32[N, 3]" or "error".
std::optional<TensorType> read_type(DType dtype, std::string_view dims, std::string& reason);

}  // namespace seq::text_format
