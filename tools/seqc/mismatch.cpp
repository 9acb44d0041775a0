#include "tools/seqc/mismatch.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "graph/convert_tensor.hpp"

namespace seqc {
namespace {

std::string_view kind_of(double value) {
    if (std::isnan(value)) return "NaN";
    if (std::isfinite(value)) return "a number";
    return value < 0 ? "-infinity" : "infinity";
}

std::vector<double> widened(const seq::TensorView& tensor) {
    seq::Tensor wide(seq::DType::f64, tensor.sizes());
    seq::convert(tensor, wide.view());
    const auto values = wide.data<double>();
    return {values.begin(), values.end()};
}

}  // namespace

std::string mismatch(const seq::TensorView& actual, const seq::TensorView& expected) {
    const auto sizes = expected.sizes();
    if (actual.dtype != expected.dtype ||
        !std::equal(sizes.begin(), sizes.end(), actual.sizes().begin(), actual.sizes().end()))
        return "other sizes or another dtype than the reference has";
    if (!seq::is_float(actual.dtype)) {
        const auto* bytes = actual.as<std::byte>();
        const bool same = std::equal(bytes, bytes + actual.byte_count(), expected.as<std::byte>());
        return same ? "" : "other integers than the reference has";
    }
    const std::vector<double> a = widened(actual);
    const std::vector<double> b = widened(expected);
    for (std::size_t i = 0; i < a.size(); ++i) {
        if (kind_of(a[i]) != kind_of(b[i]))
            return fmt::format("{} where the reference has {}", kind_of(a[i]), kind_of(b[i]));
    }
    return {};
}

std::string difference_text(double difference) {
    return std::isfinite(difference) ? fmt::format("{:.2e}", difference) : "NaN or infinity on one side alone";
}

}  // namespace seqc
