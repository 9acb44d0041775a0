#include "kernels/row_error.hpp"

#include <fmt/format.h>

namespace seq {

Error row_error(const std::string& layer, std::int64_t rows, std::int64_t position, std::int64_t row) {
    return Error("run/index",
                 fmt::format("Embedding `{}` has rows 0 to {}, but element {} of its input asks for row {}", layer,
                             rows - 1, position, row));
}

}  // namespace seq
