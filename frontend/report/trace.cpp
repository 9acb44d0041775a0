#include "frontend/report/trace.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace seq {
namespace {

constexpr std::size_t longest_chain = 4;
constexpr int most_steps = 1000;

/// A value and, where one dimension of it is meant, which.
struct Point {
    const Value* value = nullptr;
    std::optional<int> dim;
};

std::optional<int> from_front(std::optional<int> dim, int rank) {
    if (!dim) return std::nullopt;
    const int front = *dim < 0 ? *dim + rank : *dim;
    return front >= 0 && front < rank ? std::optional(front) : std::nullopt;
}

Point start_of(const LoweringView& view, LayerId id, const Fault& fault) {
    const LoweredLayer& layer = view.layer(id);
    const auto index = static_cast<std::size_t>(fault.input);
    if (index >= layer.inputs.size()) return {};
    const Value* value = layer.inputs[index];
    return {value, from_front(fault.dim, value->type.shape.rank())};
}

/// How each dimension of a layer's first output came to be.
std::vector<std::pair<int, std::string>> formulas(const LoweringView& view, LayerId id) {
    const Node* node = view.layer(id).node;
    if (node == nullptr || node->op.traits().elementwise || node->op.traits().identity_at_inference) return {};
    return infer(view.written_op(id), view.input_types(id), view.scope(id), true).formulas;
}

std::string formula_of(const std::vector<std::pair<int, std::string>>& all, std::optional<int> dim) {
    for (const auto& [position, text] : all) {
        if (dim && position == *dim) return text;
    }
    return {};
}

/// Whether a field of the layer sets a dimension of its output: then it made that shape, be it its input's too.
bool sets_dimension(const LoweringView& view, LayerId id) {
    const auto all = formulas(view, id);
    return std::any_of(all.begin(), all.end(), [&](const auto& formula) {
        return view.layer(id).node->op.type().find_field(formula.second) != nullptr;
    });
}

/// The input that hands the point on unchanged; nullptr where the layer made it.
const Value* passed_from(const LoweringView& view, LayerId id, const Point& point, const std::string& formula) {
    const LoweredLayer& layer = view.layer(id);
    if (layer.node == nullptr) return nullptr;
    if (layer.node->op.type().find_field(formula) != nullptr) return nullptr;
    if (!point.dim && sets_dimension(view, id)) return nullptr;
    const Shape& shape = point.value->type.shape;
    for (const Value* input : layer.inputs) {
        const Shape& given = input->type.shape;
        if (given.rank() != shape.rank()) continue;
        if (point.dim ? given[*point.dim] == shape[*point.dim] : given == shape) return input;
    }
    return nullptr;
}

ChainLink link_of(const LoweringView& view, LayerId id, const Point& point, std::string formula) {
    const LoweredLayer& layer = view.layer(id);
    const std::string& path = view.lowering().graph.layers[id].path;
    const Op& op = layer.definition->ops[static_cast<std::size_t>(layer.choice)];
    if (op.type().find_field(formula) != nullptr) formula = fmt::format("its {}", formula);
    return {path, op.name(), "gives " + point.value->type.shape.to_string(), std::move(formula), layer.blamed->where};
}

std::optional<ChainLink> input_link(const LoweringView& view, const Value* value) {
    const auto& inputs = view.definition().inputs;
    const auto found = std::find_if(inputs.begin(), inputs.end(),
                                    [&](const InputDefinition& input) { return input.name == value->name; });
    if (value->kind != ValueKind::input || found == inputs.end()) return std::nullopt;
    return ChainLink{value->name, "input", "is " + value->type.shape.to_string(), {}, found->where};
}

/// The layer that gave a value its shape.
std::optional<ChainLink> shape_maker(const LoweringView& view, const Value* value) {
    for (int step = 0; value != nullptr && step < most_steps; ++step) {
        const auto producer = view.producer(value);
        if (!producer) return std::nullopt;
        const Value* passed = passed_from(view, *producer, {value, std::nullopt}, {});
        if (passed == nullptr) return link_of(view, *producer, {value, std::nullopt}, {});
        value = passed;
    }
    return std::nullopt;
}

void collect_makers(const LoweringView& view, Point point, std::int64_t others, int joins, std::vector<Maker>& makers);

/// The makers of the parts that a Concat joins.
void collect_parts(const LoweringView& view, LayerId id, const Point& point, std::int64_t others, int joins,
                   std::vector<Maker>& makers) {
    constexpr std::size_t most_parts = 8;
    const std::vector<Value*>& inputs = view.layer(id).inputs;
    std::int64_t sum = 0;
    for (const Value* input : inputs) {
        const Shape& shape = input->type.shape;
        if (shape.rank() != point.value->type.shape.rank() || !shape[*point.dim].is_constant()) return;
        sum += shape[*point.dim].value();
    }
    if (inputs.size() > most_parts || !(point.value->type.shape[*point.dim] == Dim(sum))) return;
    for (const Value* input : inputs)
        collect_makers(view, {input, point.dim}, others + sum - input->type.shape[*point.dim].value(), joins + 1,
                       makers);
}

void collect_makers(const LoweringView& view, Point point, std::int64_t others, int joins, std::vector<Maker>& makers) {
    constexpr int most_joins = 2;
    for (int step = 0; point.value != nullptr && point.dim && step < most_steps; ++step) {
        const auto producer = view.producer(point.value);
        if (!producer || view.layer(*producer).node == nullptr) return;
        const std::string formula = formula_of(formulas(view, *producer), point.dim);
        if (const Field* field = view.written_op(*producer).type().find_field(formula)) {
            makers.push_back({*producer, field, others});
            return;
        }
        const Value* passed = passed_from(view, *producer, point, formula);
        if (passed == nullptr && view.layer(*producer).inputs.size() > 1 && joins < most_joins)
            return collect_parts(view, *producer, point, others, joins, makers);
        point.value = passed;
    }
}

}  // namespace

std::vector<ChainLink> trace(const LoweringView& view, LayerId id, const Fault& fault) {
    std::vector<ChainLink> chain;
    Point point = start_of(view, id, fault);
    const bool lacks_layer = !fault.fixes.empty() && fault.fixes.front().kind == FixIdea::Kind::insert_before;
    const auto arriving = lacks_layer ? shape_maker(view, point.value) : std::nullopt;
    for (int step = 0; point.value != nullptr && step < most_steps && chain.size() < longest_chain; ++step) {
        const auto producer = view.producer(point.value);
        if (!producer) {
            if (auto link = input_link(view, point.value)) chain.push_back(std::move(*link));
            break;
        }
        const std::string formula = formula_of(formulas(view, *producer), point.dim);
        if (const Value* passed = passed_from(view, *producer, point, formula)) {
            point.value = passed;
            continue;
        }
        chain.push_back(link_of(view, *producer, point, formula));
        const LoweredLayer& layer = view.layer(*producer);
        const bool made_here =
            layer.node == nullptr || layer.inputs.empty() || layer.node->op.type().find_field(formula) != nullptr;
        if (made_here || !point.dim) break;
        const Value* input = layer.inputs.front();
        const bool same_rank = input->type.shape.rank() == point.value->type.shape.rank();
        point = {input, same_rank ? point.dim : std::nullopt};
    }
    // Where a layer is missing before this one, all of what arrives counts.
    if (arriving && (chain.empty() || chain.front().text != arriving->text)) chain.insert(chain.begin(), *arriving);
    std::reverse(chain.begin(), chain.end());
    return chain;
}

std::vector<Maker> find_makers(const LoweringView& view, LayerId id, const Fault& fault) {
    std::vector<Maker> makers;
    collect_makers(view, start_of(view, id, fault), 0, 0, makers);
    return makers;
}

}  // namespace seq
