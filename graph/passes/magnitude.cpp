#include "graph/passes/magnitude.hpp"

#include <algorithm>
#include <cmath>

#include "graph/convert_tensor.hpp"

namespace seq::passes {
namespace {

/// Empty where they are not known.
std::vector<double> numbers_of(const Value* value, const WeightLookup& numbers) {
    if (value == nullptr || !value->is_constant_like() || !numbers) return {};
    const auto tensor = numbers(*value);
    if (tensor == nullptr) return {};
    Tensor wide(DType::f64, tensor->sizes());
    if (!convert(tensor->view(), wide.view())) return {};
    const auto elements = wide.data<double>();
    return {elements.begin(), elements.end()};
}

double eps_of(const Op& op) {
    double eps = 0;
    if (const Field* field = op.type().find_field("eps")) from_field_value(op.get(*field), eps);
    return eps;
}

}  // namespace

bool is_moderate(double factor) { return std::abs(factor) <= 0x1p64; }

bool are_moderate(const Value& factors, bool inverse, const WeightLookup& numbers) {
    const std::vector<double> elements = numbers_of(&factors, numbers);
    return std::all_of(elements.begin(), elements.end(),
                       [&](double element) { return is_moderate(inverse ? 1 / element : element); });
}

bool scales_moderately(const Node& norm, const WeightLookup& numbers) {
    const std::vector<double> variance = numbers_of(norm.parameter("running_var"), numbers);
    const std::vector<double> weight = numbers_of(norm.parameter("weight"), numbers);
    const double eps = eps_of(norm.op);
    for (std::size_t c = 0; c < std::max(variance.size(), weight.size()); ++c) {
        const double divisor = c < variance.size() ? std::sqrt(variance[c] + eps) : 1;
        if (!is_moderate((c < weight.size() ? weight[c] : 1) / divisor)) return false;
    }
    return true;
}

}  // namespace seq::passes
