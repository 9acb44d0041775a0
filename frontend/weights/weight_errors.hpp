#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <utility>

#include "graph/diagnostic.hpp"

namespace seq {

/// After so many problems of one file no more are looked for.
inline constexpr std::size_t max_file_problems = 20;

/// A BuildError with a weights/file diagnostic for each problem of the file.
BuildError weight_file_error(const std::string& path, std::span<const std::string> problems);

/// What `error`, of frontend/io, is called where the file holds weights: weights/path for io/path, else weights/file.
BuildError as_weight_error(const Error& error);

/// Runs `body`; an Error of frontend/io leaves it as as_weight_error makes it.
template <class Body>
auto with_weight_errors(Body&& body) {
    try {
        return std::forward<Body>(body)();
    } catch (const Error& error) {
        if (error.code().starts_with("io/")) throw as_weight_error(error);
        throw;
    }
}

}  // namespace seq
