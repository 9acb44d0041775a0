#include "graph/text_format.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>
#include <utility>

static_assert(std::endian::native == std::endian::little, "constants are written least significant byte first");

namespace seq::text_format {
namespace {

constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

std::string encode(const unsigned char* bytes, std::size_t count) {
    std::string text;
    text.reserve((count + 2) / 3 * 4);
    for (std::size_t i = 0; i < count; i += 3) {
        const std::size_t left = std::min<std::size_t>(3, count - i);
        unsigned group = static_cast<unsigned>(bytes[i]) << 16;
        if (left > 1) group |= static_cast<unsigned>(bytes[i + 1]) << 8;
        if (left > 2) group |= bytes[i + 2];
        for (std::size_t d = 0; d < 4; ++d) text += d <= left ? digits[group >> (18 - 6 * d) & 63U] : '=';
    }
    return text;
}

constexpr std::array<signed char, 256> digit_values = [] {
    std::array<signed char, 256> values{};
    values.fill(-1);
    for (std::size_t i = 0; i < digits.size(); ++i)
        values[static_cast<unsigned char>(digits[i])] = static_cast<signed char>(i);
    return values;
}();

/// The three bytes of one group of four digits; `count` of them count.
bool decode_group(std::string_view group, std::size_t count, unsigned char* out) {
    unsigned bits = 0;
    for (std::size_t d = 0; d < 4; ++d) {
        const int value = d <= count ? digit_values[static_cast<unsigned char>(group[d])] : group[d] == '=' ? 0 : -1;
        if (value < 0) return false;
        bits = bits << 6 | static_cast<unsigned>(value);
    }
    for (std::size_t i = 0; i < count; ++i) out[i] = static_cast<unsigned char>(bits >> (16 - 8 * i));
    return (bits & ((1U << (24 - 8 * count)) - 1)) == 0;
}

template <class T>
std::string number(T value) {
    return fmt::format("{}", value);
}

/// Calls `use` with a null pointer to the C++ type that holds a dtype in text; false where elements are not listed.
template <class F>
bool with_listed_type(DType dtype, F use) {
    switch (dtype) {
        case DType::f32: return use(static_cast<float*>(nullptr));
        case DType::f64: return use(static_cast<double*>(nullptr));
        case DType::i64: return use(static_cast<std::int64_t*>(nullptr));
        case DType::i32: return use(static_cast<std::int32_t*>(nullptr));
        case DType::i8: return use(static_cast<std::int8_t*>(nullptr));
        case DType::u8:
        case DType::boolean: return use(static_cast<std::uint8_t*>(nullptr));
        default: return false;
    }
}

struct Relation {
    Condition::Relation relation;
    std::string_view sign;
};

/// A sign that begins another stands after it.
constexpr std::array<Relation, 7> relations{{
    {Condition::Relation::eq, "=="},
    {Condition::Relation::ne, "!="},
    {Condition::Relation::le, "<="},
    {Condition::Relation::ge, ">="},
    {Condition::Relation::lt, "<"},
    {Condition::Relation::gt, ">"},
    {Condition::Relation::broadcast, "~"},
}};

}  // namespace

bool is_name_char(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' ||
           c == '-';
}

bool is_bare(std::string_view name) {
    return !name.empty() && name.front() != '-' && name != "_" && std::all_of(name.begin(), name.end(), is_name_char);
}

namespace {

/// Whether all elements have the first one's bits.
bool is_splat(const Tensor& tensor) {
    const auto* bytes = tensor.view().as<const unsigned char>();
    const std::size_t size = size_of(tensor.dtype());
    return tensor.byte_count() >= size && std::memcmp(bytes, bytes + size, tensor.byte_count() - size) == 0;
}

}  // namespace

std::string print_data(const Tensor& tensor, std::size_t& splat_budget) {
    if (tensor.element_count() > listed_elements && tensor.byte_count() <= splat_budget && is_splat(tensor)) {
        Tensor one(tensor.dtype(), {1});
        std::memcpy(one.view().data, tensor.view().data, size_of(tensor.dtype()));
        const std::string text = print_data(one, splat_budget);
        if (text.front() == '[') {
            splat_budget -= tensor.byte_count();
            return "splat " + text.substr(1, text.size() - 2);
        }
    }
    std::string list;
    const bool listed = tensor.element_count() <= listed_elements && with_listed_type(tensor.dtype(), [&]<class T>(T*) {
                            for (const T value : tensor.data<T>()) {
                                if constexpr (std::is_floating_point_v<T>) {
                                    if (!std::isfinite(value)) return false;
                                }
                                list += (list.empty() ? "[" : ", ") + number(value);
                            }
                            return true;
                        });
    if (listed) return list.empty() ? "[]" : list + "]";
    return fmt::format("base64 \"{}\"", encode(tensor.view().as<unsigned char>(), tensor.byte_count()));
}

bool read_number(std::string_view text, Tensor& tensor, std::int64_t index) {
    return with_listed_type(tensor.dtype(), [&]<class T>(T*) {
        T value{};
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
        if (error != std::errc() || end != text.data() + text.size()) return false;
        if constexpr (std::is_floating_point_v<T>) {
            if (!std::isfinite(value)) return false;
        }
        if (tensor.dtype() == DType::boolean && value != T{0} && value != T{1}) return false;
        tensor.data<T>()[static_cast<std::size_t>(index)] = value;
        return true;
    });
}

bool read_splat(std::string_view text, Tensor& tensor) {
    if (tensor.element_count() == 0 || !read_number(text, tensor, 0)) return false;
    auto* bytes = tensor.view().as<unsigned char>();
    const std::size_t size = size_of(tensor.dtype());
    for (std::size_t at = size; at < tensor.byte_count(); at += size) std::memcpy(bytes + at, bytes, size);
    return true;
}

bool read_base64(std::string_view text, Tensor& tensor) {
    const std::size_t bytes = tensor.byte_count();
    if (text.size() != (bytes + 2) / 3 * 4) return false;
    auto* out = tensor.view().as<unsigned char>();
    for (std::size_t i = 0; i < bytes; i += 3) {
        if (!decode_group(text.substr(i / 3 * 4, 4), std::min<std::size_t>(3, bytes - i), out + i)) return false;
    }
    return true;
}

std::string print_condition(const Condition& condition) {
    const std::string lhs = condition.lhs.to_string(DimStyle::ascii);
    const std::string rhs = condition.rhs.to_string(DimStyle::ascii);
    if (condition.relation == Condition::Relation::divisible) return fmt::format("{} % {} == 0", lhs, rhs);
    for (const Relation& relation : relations) {
        if (relation.relation == condition.relation) return fmt::format("{} {} {}", lhs, relation.sign, rhs);
    }
    return {};
}

std::optional<Condition> read_condition(std::string_view text) {
    for (const Relation& relation : relations) {
        const auto at = text.find(relation.sign);
        if (at == std::string_view::npos) continue;
        std::string_view left = text.substr(0, at);
        std::string_view right = text.substr(at + relation.sign.size());
        Condition condition{{}, relation.relation, {}};
        if (const auto percent = left.find('%'); percent != std::string_view::npos) {
            if (relation.relation != Condition::Relation::eq || Dim::parse(right) != Dim(0)) return std::nullopt;
            condition.relation = Condition::Relation::divisible;
            right = left.substr(percent + 1);
            left = left.substr(0, percent);
        }
        const auto lhs = Dim::parse(left);
        const auto rhs = Dim::parse(right);
        if (!lhs || !rhs) return std::nullopt;
        condition.lhs = *lhs;
        condition.rhs = *rhs;
        return condition;
    }
    return std::nullopt;
}

std::optional<TensorType> read_type(DType dtype, std::string_view dims, std::string& reason) {
    TensorType type{dtype, {}, false};
    int depth = 0;
    std::size_t begin = 0;
    if (dims.find_first_not_of(" \t\r\n") == std::string_view::npos) return type;
    for (std::size_t i = 0; i <= dims.size(); ++i) {
        if (i < dims.size() && dims[i] == '(') ++depth;
        if (i < dims.size() && dims[i] == ')') --depth;
        if (i < dims.size() && (dims[i] != ',' || depth != 0)) continue;
        if (type.shape.rank() == max_rank) {
            reason = fmt::format("a value has at most {} dimensions", max_rank);
            return std::nullopt;
        }
        const auto dim = Dim::parse(dims.substr(begin, i - begin), &reason);
        if (!dim) return std::nullopt;
        type.shape.push_back(*dim);
        begin = i + 1;
    }
    return type;
}

}  // namespace seq::text_format
