#include "tests/ops/support.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "kernels/reference/reference.hpp"

namespace seq::tests {

TensorType f32(Shape shape) { return {DType::f32, std::move(shape), false}; }

Inference infer_types(Op op, std::vector<TensorType> inputs, const SymbolRanges& ranges, bool explaining) {
    BoundedSymbols bounded;
    for (const auto& [symbol, range] : ranges) bounded.insert(symbol);
    const InferScope scope{ranges, bounded};
    return infer(std::move(op), inputs, scope, explaining);
}

Inference infer_shape(Op op, Shape shape, const SymbolRanges& ranges, bool explaining) {
    return infer_types(std::move(op), std::vector{f32(std::move(shape))}, ranges, explaining);
}

std::string codes(const Inference& inference) {
    std::string text;
    for (const Fault& fault : inference.faults) {
        if (fault.severity == Severity::note) continue;
        text += (text.empty() ? "" : ", ") + fault.code;
    }
    return text;
}

std::string output_shape(const Inference& inference) {
    const TensorType& output = inference.outputs.at(0);
    return output.error ? "error" : output.shape.to_string(DimStyle::ascii);
}

std::string parameters(const Inference& inference) {
    std::string text;
    for (const ParameterSpec& parameter : inference.parameters)
        text += (text.empty() ? "" : " ") + parameter.name + parameter.type.shape.to_string(DimStyle::ascii);
    return text;
}

namespace {

FieldValue field_value(const nlohmann::json& value) {
    if (value.is_null()) return {};
    if (value.is_boolean()) return value.get<bool>();
    if (value.is_number_integer()) return value.get<std::int64_t>();
    if (value.is_number()) return value.get<double>();
    if (value.is_string()) return value.get<std::string>();
    const bool integers =
        std::all_of(value.begin(), value.end(), [](const auto& v) { return v.is_number_integer() || v.is_null(); });
    if (integers) {
        std::vector<std::int64_t> list;
        for (const auto& entry : value)
            list.push_back(entry.is_null() ? null_entry : entry.template get<std::int64_t>());
        return list;
    }
    return value.get<std::vector<double>>();
}

}  // namespace

Op parse_layer(const nlohmann::json& layer) {
    register_builtin_ops();
    const std::string type_name = layer.is_string() ? layer.get<std::string>() : layer.at("type").get<std::string>();
    CAPTURE(type_name);
    const OpType* type = OpTable::instance().find(type_name);
    REQUIRE(type != nullptr);
    Op op(*type);
    if (layer.is_string()) return op;
    for (const auto& [key, value] : layer.items()) {
        if (key == "type" || key == "name" || key == "doc" || key == "from") continue;
        CAPTURE(key);
        const Field* field = type->find_field(key);
        REQUIRE(field != nullptr);
        const FieldValue read = field_value(value);
        REQUIRE_FALSE(field->check(read));
        op.set(*field, read);
    }
    return op;
}

std::vector<Tensor> run_reference(const Op& op, const std::vector<TensorView>& inputs, const ParameterOf& parameter) {
    std::vector<TensorType> types;
    for (const TensorView& input : inputs)
        types.push_back({input.dtype, Shape(std::vector<Dim>(input.sizes().begin(), input.sizes().end())), false});
    const Inference inference = infer_types(op, types);
    REQUIRE(codes(inference) == "");
    std::vector<Tensor> parameters, outputs;
    std::vector<TensorView> parameter_views, output_views;
    std::vector<std::string> names;
    for (const ParameterSpec& spec : inference.parameters) {
        names.push_back(spec.name);
        parameter_views.push_back(parameters.emplace_back(parameter(spec)).view());
    }
    for (const TensorType& type : inference.outputs)
        output_views.push_back(outputs.emplace_back(type.dtype, type.shape.sizes().value()).view());
    const ReferenceFunction function = ReferenceTable::instance().find(op.name());
    const bool known = function != nullptr;
    REQUIRE(known);
    function({inference.op, inputs, parameter_views, names, output_views});
    return outputs;
}

namespace {

double element(const TensorView& tensor, std::int64_t i) {
    switch (tensor.dtype) {
        case DType::f32: return static_cast<double>(tensor.as<float>()[i]);
        case DType::f64: return tensor.as<double>()[i];
        case DType::i64: return static_cast<double>(tensor.as<std::int64_t>()[i]);
        case DType::i32: return tensor.as<std::int32_t>()[i];
        case DType::i8: return tensor.as<std::int8_t>()[i];
        case DType::u8:
        case DType::boolean: return tensor.as<std::uint8_t>()[i];
        default: FAIL("a dtype that no golden has"); return 0;
    }
}

bool is_close(double actual, double expected, double tolerance) {
    if (std::isnan(expected)) return std::isnan(actual);
    if (std::isinf(expected)) return actual == expected;
    return std::abs(actual - expected) <= tolerance;
}

}  // namespace

Tensor convert_to(DType dtype, const TensorView& tensor) {
    Tensor result(is_float(tensor.dtype) ? dtype : tensor.dtype, tensor.sizes());
    if (result.dtype() == tensor.dtype) {
        std::memcpy(result.view().data, tensor.data, result.byte_count());
        return result;
    }
    for (std::int64_t i = 0; i < tensor.element_count(); ++i) {
        const auto at = static_cast<std::size_t>(i);
        if (dtype == DType::f64) {
            result.data<double>()[at] = element(tensor, i);
        } else {
            result.data<float>()[at] = static_cast<float>(element(tensor, i));
        }
    }
    return result;
}

void check_close(const TensorView& actual, const TensorView& expected, double tolerance) {
    const std::vector<std::int64_t> actual_sizes(actual.sizes().begin(), actual.sizes().end());
    const std::vector<std::int64_t> expected_sizes(expected.sizes().begin(), expected.sizes().end());
    REQUIRE(actual_sizes == expected_sizes);
    double largest = 0;
    for (std::int64_t i = 0; i < expected.element_count(); ++i) {
        const double magnitude = std::abs(element(expected, i));
        if (std::isfinite(magnitude)) largest = std::max(largest, magnitude);
    }
    for (std::int64_t i = 0; i < expected.element_count(); ++i) {
        const double got = element(actual, i), wanted = element(expected, i);
        const double allowed = tolerance * (largest > 1e20 ? std::max(std::abs(wanted), 1.0) : largest);
        if (is_close(got, wanted, allowed)) continue;
        FAIL_CHECK(fmt::format("element {}: {} instead of {}", i, got, wanted));
        return;
    }
}

}  // namespace seq::tests
