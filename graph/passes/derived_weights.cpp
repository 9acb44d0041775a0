#include "graph/passes/derived_weights.hpp"

#include <algorithm>
#include <cstring>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <unordered_map>
#include <unordered_set>

#include "graph/convert_tensor.hpp"
#include "graph/ops/arithmetic.hpp"
#include "graph/passes/broadcast_scale.hpp"

namespace seq {

namespace {

/// A parameter of the base times factors, which were computed.
struct Product {
    struct Scale {
        std::vector<std::int64_t> sizes;  ///< of what is scaled
        std::shared_ptr<const Tensor> factor;
    };
    const WeightSource::Entry* entry = nullptr;
    std::vector<Scale> scales;
};

}  // namespace

struct DerivedWeights::State {
    /// nullptr where it is none of an f32 parameter. Thread-safe.
    const Product* product_of(const Value& output);

    std::shared_ptr<const WeightSource> base;
    Graph derivation;
    Evaluator evaluator;
    std::vector<Entry> entries;
    std::unordered_map<std::string_view, std::size_t> by_name;
    std::unordered_map<std::string_view, const Value*> outputs;
    std::mutex mutex;
    std::unordered_map<const Value*, std::optional<Product>> products;
};

namespace {

using Bytes = std::span<std::byte>;

Bytes bytes_of(const Tensor& tensor) { return {tensor.view().as<std::byte>(), tensor.byte_count()}; }

std::vector<std::int64_t> sizes_of(const Value& value) {
    return value.type.shape.sizes().value_or(std::vector<std::int64_t>{});
}

/// Computes one value of a derivation.
class Evaluation {
   public:
    Evaluation(const WeightSource* base, const Evaluator& evaluator) : base_(base), evaluator_(evaluator) {}

    /// The last nodes that only scale or reshape do so in `out`, so that large weights are read straight into it.
    void evaluate_into(const Value& value, Bytes out) {
        std::vector<const Value*> scales;
        const Value* source = &value;
        while (const Value* next = in_place_source(*source, scales)) source = next;
        if (source->kind == ValueKind::parameter) {
            read(*source, out);
        } else {
            const Tensor& tensor = *evaluate(*source);
            std::memcpy(out.data(), tensor.view().data, out.size());
        }
        for (auto scale = scales.rbegin(); scale != scales.rend(); ++scale) {
            const Node& node = *(*scale)->producer;
            const auto sizes = sizes_of(**scale);
            const TensorView target = TensorView::dense(out.data(), DType::f32, sizes);
            scale_in_place(target, evaluate(*node.input(1))->view());
        }
    }

    std::optional<Product> product_of(const Value& value) {
        std::vector<const Value*> scales;
        const Value* source = &value;
        while (const Value* next = in_place_source(*source, scales)) source = next;
        if (source->kind != ValueKind::parameter || source->type.dtype != DType::f32) return std::nullopt;
        Product product{base_ == nullptr ? nullptr : base_->find(source->name), {}};
        if (product.entry == nullptr || product.entry->dtype != DType::f32 || product.entry->sizes != sizes_of(*source))
            return std::nullopt;
        for (auto scale = scales.rbegin(); scale != scales.rend(); ++scale)
            product.scales.push_back({sizes_of(**scale), evaluate(*(*scale)->producer->input(1))});
        return product;
    }

   private:
    /// Where `value` is a view or a product with a smaller factor: what it is one of. Products go to `scales`.
    static const Value* in_place_source(const Value& value, std::vector<const Value*>& scales) {
        const Node* node = value.producer;
        if (node == nullptr || !node->epilogue.empty()) return nullptr;
        if (node->op.traits().view) return node->input();
        const auto form = ops::arithmetic_form(node->op);
        if (!form || form->kind != ops::Arithmetic::mul || form->other || node->data_count != 2) return nullptr;
        if (!(node->input(0)->type == value.type) || !can_scale(value.type, node->input(1)->type)) return nullptr;
        scales.push_back(&value);
        return node->input(0);
    }

    void read(const Value& parameter, Bytes out) const {
        const WeightSource::Entry* entry = base_ == nullptr ? nullptr : base_->find(parameter.name);
        if (entry == nullptr) throw Error("weights/missing", "there are no weights for `" + parameter.name + "`");
        if (entry->sizes != sizes_of(parameter))
            throw Error("weights/shape",
                        "`" + parameter.name + "` does not have the shape " + parameter.type.shape.to_string());
        if (entry->dtype == parameter.type.dtype) {
            base_->read(*entry, out);
            return;
        }
        const Tensor raw(entry->dtype, entry->sizes);
        base_->read(*entry, bytes_of(raw));
        if (!convert(raw.view(), TensorView::dense(out.data(), parameter.type.dtype, entry->sizes)))
            throw Error("weights/dtype", "`" + parameter.name + "` does not convert to " + parameter.type.to_string());
    }

    std::shared_ptr<const Tensor> evaluate(const Value& value) {
        std::vector<const Value*> stack{&value};
        while (!stack.empty()) {
            const Value* top = stack.back();
            if (known_.contains(top)) {
                stack.pop_back();
            } else if (top->producer == nullptr) {
                known_[top] = weight(*top);
            } else {
                const std::size_t before = stack.size();
                for (const Value* input : top->producer->inputs) {
                    if (!known_.contains(input)) stack.push_back(input);
                }
                if (stack.size() == before) run(*top->producer);
            }
        }
        return known_.at(&value);
    }

    std::shared_ptr<const Tensor> weight(const Value& value) const {
        if (value.kind == ValueKind::constant) return value.data;
        auto tensor = std::make_shared<const Tensor>(value.type.dtype, sizes_of(value));
        read(value, bytes_of(*tensor));
        return tensor;
    }

    void run(const Node& node) {
        std::vector<TensorView> inputs;
        for (const Value* input : node.inputs) inputs.push_back(known_.at(input)->view());
        auto results = evaluator_(node, inputs);
        if (!results)
            throw Error("weights/missing", "the weights cannot be derived: there is no kernel for " + node.op.name());
        for (std::size_t i = 0; i < node.outputs.size(); ++i)
            known_[node.outputs[i]] = std::make_shared<const Tensor>(std::move((*results)[i]));
    }

    const WeightSource* base_;
    const Evaluator& evaluator_;
    std::unordered_map<const Value*, std::shared_ptr<const Tensor>> known_;
};

/// The values whose parameters the base has.
std::unordered_set<const Value*> available_values(const Graph& derivation, const WeightSource* base) {
    std::unordered_set<const Value*> available;
    for (const Value* value : derivation.values()) {
        const bool constant = value->kind == ValueKind::constant;
        const bool given = value->kind == ValueKind::parameter && base != nullptr && base->find(value->name) != nullptr;
        if (constant || given) available.insert(value);
    }
    for (const Node* node = derivation.first_node(); node != nullptr; node = node->next) {
        const bool all = std::all_of(node->inputs.begin(), node->inputs.end(),
                                     [&](const Value* input) { return available.contains(input); });
        if (all) available.insert(node->outputs.begin(), node->outputs.end());
    }
    return available;
}

}  // namespace

const Product* DerivedWeights::State::product_of(const Value& output) {
    const std::lock_guard lock(mutex);
    auto found = products.find(&output);
    if (found == products.end())
        found = products.emplace(&output, Evaluation(base.get(), evaluator).product_of(output)).first;
    return found->second ? &*found->second : nullptr;
}

DerivedWeights::DerivedWeights(std::shared_ptr<const WeightSource> base, Graph derivation, Evaluator evaluator)
    : state_(std::make_unique<State>()) {
    State& state = *state_;
    state.base = std::move(base);
    state.derivation = std::move(derivation);
    state.evaluator = std::move(evaluator);
    if (state.base != nullptr) state.entries = state.base->entries();
    const auto available = available_values(state.derivation, state.base.get());
    const auto& outputs = state.derivation.outputs();
    for (const Value* output : outputs) {
        if (!available.contains(output)) continue;
        state.entries.push_back({output->name, output->type.dtype, sizes_of(*output)});
        state.outputs.emplace(output->name, output);
    }
    for (std::size_t i = 0; i < state.entries.size(); ++i) state.by_name[state.entries[i].name] = i;
}

DerivedWeights::~DerivedWeights() = default;

const std::vector<WeightSource::Entry>& DerivedWeights::entries() const { return state_->entries; }

const WeightSource::Entry* DerivedWeights::find(std::string_view name) const {
    const auto found = state_->by_name.find(name);
    return found == state_->by_name.end() ? nullptr : &state_->entries[found->second];
}

void DerivedWeights::read(const Entry& entry, std::span<std::byte> out) const {
    const auto found = state_->outputs.find(entry.name);
    if (found != state_->outputs.end()) {
        Evaluation(state_->base.get(), state_->evaluator).evaluate_into(*found->second, out);
    } else {
        const Entry* original = state_->base == nullptr ? nullptr : state_->base->find(entry.name);
        if (original == nullptr) throw Error("weights/missing", "there are no weights for `" + entry.name + "`");
        state_->base->read(*original, out);
    }
}

bool DerivedWeights::read_part(const Entry& entry, std::uint64_t offset, std::span<std::byte> out) const {
    const WeightSource* const base = state_->base.get();
    if (base == nullptr) return false;
    const auto found = state_->outputs.find(entry.name);
    if (found == state_->outputs.end()) {
        const Entry* original = base->find(entry.name);
        return original != nullptr && base->read_part(*original, offset, out);
    }
    const Product* product = state_->product_of(*found->second);
    if (product == nullptr || !base->read_part(*product->entry, offset, out)) return false;
    if (offset % sizeof(float) != 0 || out.size() % sizeof(float) != 0)
        throw std::invalid_argument("a part of a float was asked for");
    const std::span floats(reinterpret_cast<float*>(out.data()), out.size() / sizeof(float));
    for (const auto& [sizes, factor] : product->scales)
        scale_part_in_place(floats, static_cast<std::int64_t>(offset / sizeof(float)), sizes, *factor);
    return true;
}

std::string DerivedWeights::description() const {
    return state_->base == nullptr ? "constants" : state_->base->description();
}

}  // namespace seq
