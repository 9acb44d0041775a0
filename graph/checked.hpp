#pragma once

#include <cstdint>
#include <optional>
#include <span>

namespace seq {

/// nullopt where the result leaves int64.
constexpr std::optional<std::int64_t> checked_add(std::int64_t a, std::int64_t b) {
    std::int64_t result = 0;
    if (__builtin_add_overflow(a, b, &result)) return std::nullopt;
    return result;
}

/// nullopt where the result leaves int64.
constexpr std::optional<std::int64_t> checked_sub(std::int64_t a, std::int64_t b) {
    std::int64_t result = 0;
    if (__builtin_sub_overflow(a, b, &result)) return std::nullopt;
    return result;
}

/// nullopt where the result leaves int64.
constexpr std::optional<std::int64_t> checked_mul(std::int64_t a, std::int64_t b) {
    std::int64_t result = 0;
    if (__builtin_mul_overflow(a, b, &result)) return std::nullopt;
    return result;
}

/// 1 for no factors; nullopt where a partial product leaves int64, even where a later factor is 0.
constexpr std::optional<std::int64_t> checked_product(std::span<const std::int64_t> factors) {
    std::optional<std::int64_t> result = 1;
    for (const std::int64_t factor : factors) {
        if (result) result = checked_mul(*result, factor);
    }
    return result;
}

}  // namespace seq
