#include "graph/infer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "graph/checked.hpp"

namespace seq {
namespace {

/// "Conv3d" -> "Conv2d" for an input of rank 4; nullptr where the family has no such member.
const OpType* sibling_for_rank(const OpType& type, int rank) {
    const std::string& name = type.name;
    if (name.size() < 3 || name.back() != 'd' || name[name.size() - 2] < '1' || name[name.size() - 2] > '3')
        return nullptr;
    const int spatial = rank - 2;
    if (spatial < 1 || spatial > 3) return nullptr;
    const OpType* sibling = OpTable::instance().find(name.substr(0, name.size() - 2) + std::to_string(spatial) + "d");
    return sibling == &type ? nullptr : sibling;
}

/// The same op under its sibling's type: lists of the wrong length become their first number.
Op convert(const Op& op, const OpType& sibling) {
    Op converted(sibling);
    for (const Field& field : sibling.fields) {
        const Field* original = op.type().find_field(field.name);
        if (original == nullptr) continue;
        FieldValue value = op.get(*original);
        if (const auto* list = std::get_if<std::vector<std::int64_t>>(&value);
            list && !list->empty() && field.check(value))
            value = list->front();
        if (!field.check(value)) converted.set(field, value);
    }
    return converted;
}

bool has_code(const std::vector<Fault>& faults, std::string_view code) {
    return std::any_of(faults.begin(), faults.end(), [&](const Fault& fault) { return fault.code == code; });
}

Inference run_rule(Op op, std::span<const TensorType> inputs, const InferScope& scope, bool explaining) {
    InferContext context(inputs, scope.ranges, scope.bounded, explaining);
    op.infer(context);
    Inference result;
    result.op = std::move(op);
    result.outputs = std::move(context.outputs());
    result.alternative = context.alternative();
    result.parameters = std::move(context.parameters());
    result.faults = std::move(context.faults());
    result.conditions = std::move(context.conditions());
    result.formulas = std::move(context.formulas());
    return result;
}

enum class Size { fine, too_large, overflow };

Size size_of_value(const TensorType& type, std::int64_t limit) {
    std::optional<std::int64_t> bytes = static_cast<std::int64_t>(size_of(type.dtype));
    for (const Dim& dim : type.shape) {
        if (dim.is_overflow()) return Size::overflow;
        if (!dim.is_constant()) continue;
        if (bytes && dim.value() > 0) bytes = checked_mul(*bytes, dim.value());
    }
    if (!bytes) return Size::overflow;
    return *bytes > limit ? Size::too_large : Size::fine;
}

std::string bytes_text(std::int64_t bytes) {
    constexpr const char* units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    auto amount = static_cast<double>(bytes);
    int unit = 0;
    for (; amount >= 1024 && unit < 6; ++unit) amount /= 1024;
    return fmt::format("{:.3g} {}", amount, units[unit]);
}

bool within_limit(Inference& result, const TensorType& type, std::string_view what, std::int64_t limit) {
    const Size size = size_of_value(type, limit);
    if (size == Size::fine) return true;
    Fault fault;
    fault.code = "shape/limit";
    fault.message = size == Size::overflow ? fmt::format("would give {} whose size passes 2^63", what)
                                           : fmt::format("would give {} of {}, more than the limit of {}", what,
                                                         type.to_string(), bytes_text(limit));
    fault.expected = "at most " + bytes_text(limit);
    fault.actual = type.to_string();
    result.faults.push_back(std::move(fault));
    return false;
}

void check_limits(Inference& result, std::int64_t limit) {
    if (result.has_error()) return;
    for (const ParameterSpec& parameter : result.parameters) {
        if (!within_limit(result, parameter.type, "a parameter `" + parameter.name + "`", limit)) return;
    }
    for (TensorType& output : result.outputs) {
        if (output.error || within_limit(result, output, "an output", limit)) continue;
        output = TensorType::make_error();
        return;
    }
}

/// After a rank fault, goes on as if the family's member for that rank had been meant, with what is wrong with that.
void adopt_sibling(Inference& result, std::span<const TensorType> inputs, const InferScope& scope) {
    const OpType* sibling = sibling_for_rank(result.op.type(), inputs[0].shape.rank());
    if (sibling == nullptr) return;
    Inference other = infer_as_declared(convert(result.op, *sibling), inputs, scope);
    if (other.outputs.front().error) return;
    result.outputs = std::move(other.outputs);
    Fault& fault = result.faults.front();
    if (fault.fixes.empty()) fault.fixes.push_back({FixIdea::Kind::replace_type, sibling->name, {}});
    std::move(other.faults.begin(), other.faults.end(), std::back_inserter(result.faults));
}

/// After a rank fault, either the layer or its input is what is wrong: the output as it is declared is the other
/// reading.
void consider_rank(Inference& result, std::span<const TensorType> inputs, const InferScope& scope) {
    if (result.outputs.front().error) adopt_sibling(result, inputs, scope);
    if (result.alternative || result.outputs.front().error) return;
    std::vector<TensorType> types(inputs.begin(), inputs.end());
    for (const Fault& fault : result.faults) {
        if (fault.code == "shape/rank") types[static_cast<std::size_t>(fault.input)] = TensorType::make_error();
    }
    const Inference declared = infer_open(result.op, types, scope);
    result.alternative = declared.alternative ? *declared.alternative : declared.outputs.front();
}

bool is_size_error(const Fault& fault) { return fault.severity == Severity::error && fault.code.starts_with("shape/"); }

/// Where whole numbers come to a layer that takes fractions, an Embedding may be what is missing. If that mends its
/// sizes as well, they are no faults of their own.
void consider_embedding(Inference& result, std::span<const TensorType> inputs, const InferScope& scope) {
    const auto fault = std::find_if(result.faults.begin(), result.faults.end(),
                                    [](const Fault& found) { return found.code == "dtype/mismatch"; });
    const auto index = static_cast<std::size_t>(fault->input);
    const DType dtype = inputs[index].dtype;
    if ((dtype != DType::i64 && dtype != DType::i32) || inputs[index].shape.rank() >= max_rank) return;
    std::vector<TensorType> types(inputs.begin(), inputs.end());
    types[index].dtype = DType::f32;
    types[index].shape.push_back(Dim::unknown());
    const Inference embedded = infer_as_declared(result.op, types, scope);
    if (embedded.has_error() || embedded.outputs.front().error) return;
    const bool sizes_differ = std::any_of(result.faults.begin(), result.faults.end(), is_size_error);
    result.alternative = sizes_differ ? result.outputs.front() : embedded.outputs.front();
    if (!sizes_differ) return;
    std::erase_if(result.faults, is_size_error);
    result.outputs = embedded.outputs;
}

/// Rules rely on their fields, which C++ code may have set to anything.
std::vector<Fault> wrong_fields(const Op& op) {
    std::vector<Fault> faults;
    for (const Field& field : op.type().fields) {
        auto fault = field.check(op.get(field));
        if (!fault) continue;
        if (field.required && op.get(field) == field.default_value) {
            fault->code = "spec/missing-key";
            fault->message = fmt::format("needs `{}`", field.name);
            fault->expected = field.name;
            fault->actual.clear();
        }
        faults.push_back(std::move(*fault));
    }
    return faults;
}

/// A rule that says nothing of inputs that are known is itself wrong: a user's own op may have one.
void check_gives_output(Inference& result, std::span<const TensorType> inputs) {
    if (!result.outputs.empty() || result.has_error()) return;
    for (const TensorType& input : inputs) {
        if (std::any_of(input.shape.begin(), input.shape.end(),
                        [](const Dim& dim) { return dim.is_unknown() || dim.is_overflow(); }))
            return;
    }
    Fault fault;
    fault.code = "shape/no-output";
    fault.message = "gives no output, and its shape rule does not say why";
    result.faults.push_back(std::move(fault));
}

}  // namespace

std::size_t Inference::error_count() const {
    return static_cast<std::size_t>(std::count_if(
        faults.begin(), faults.end(), [](const Fault& fault) { return fault.severity == Severity::error; }));
}

Inference infer_as_declared(Op op, std::span<const TensorType> inputs, const InferScope& scope, bool explaining) {
    const auto outputs = static_cast<std::size_t>(std::max(1, op.output_count()));
    const bool silenced = std::any_of(inputs.begin(), inputs.end(), [](const TensorType& type) { return type.error; });
    Inference result;
    if (!silenced) result.faults = wrong_fields(op);
    if (silenced || !result.faults.empty()) {
        result.op = std::move(op);
    } else {
        result = run_rule(std::move(op), inputs, scope, explaining);
        check_gives_output(result, inputs);
        check_limits(result, scope.value_limit);
    }
    result.outputs.resize(std::max(outputs, result.outputs.size()), TensorType::make_error());
    return result;
}

Inference infer(Op op, std::span<const TensorType> inputs, const InferScope& scope, bool explaining) {
    Inference result = infer_as_declared(std::move(op), inputs, scope, explaining);
    if (has_code(result.faults, "shape/rank")) consider_rank(result, inputs, scope);
    if (has_code(result.faults, "dtype/mismatch")) consider_embedding(result, inputs, scope);
    return result;
}

}  // namespace seq
