#include "frontend/report/trial.hpp"

#include <algorithm>
#include <optional>

#include "frontend/assume.hpp"
#include "frontend/mend.hpp"

namespace seq {

struct Trial::State {
    LayerId fault_layer = 0;
    const Fault* fault = nullptr;
    const LayerDefinition* target = nullptr;
    const FixIdea* idea = nullptr;
    Types types;
    /// The ops of the applications seen so far, resolved, for those that share their parameters.
    std::map<LayerId, Op> resolved;
    std::set<LayerId> pending;
    std::vector<const Fault*> ended;
};

namespace {

bool same_fault(const Fault& a, const Fault& b) { return a.code == b.code && a.field == b.field; }

/// Whether any fault is not among those the layer had.
bool has_new_fault(const std::vector<Fault>& faults, const std::vector<const Fault*>& recorded) {
    return std::any_of(faults.begin(), faults.end(), [&](const Fault& fault) {
        return fault.severity != Severity::note &&
               std::none_of(recorded.begin(), recorded.end(),
                            [&](const Fault* other) { return same_fault(fault, *other); });
    });
}

}  // namespace

bool Trial::fits_weights(LayerId id, const std::vector<ParameterSpec>& parameters) const {
    if (weights_ == nullptr) return true;
    const std::string& path = view_.lowering().graph.layers[view_.layer(id).original].path;
    return std::all_of(parameters.begin(), parameters.end(), [&](const ParameterSpec& parameter) {
        const WeightSource::Entry* entry = weights_->find(path + "." + parameter.name);
        const auto sizes = parameter.type.shape.sizes();
        return entry == nullptr || !sizes || entry->sizes == *sizes;
    });
}

bool Trial::visit(State& state, LayerId id) {
    const LoweredLayer& layer = view_.layer(id);
    std::vector<TensorType> types;
    std::vector<TensorType> others;
    bool ambiguous = false;
    for (const Value* input : layer.inputs) {
        const auto changed = state.types.find(input);
        types.push_back(changed != state.types.end() ? changed->second : input->type);
        const bool open = changed == state.types.end() && input->alternative;
        ambiguous = ambiguous || open;
        others.push_back(open ? *input->alternative : types.back());
    }
    Op op = view_.written_op(id);
    if (const auto first = state.resolved.find(layer.original); first != state.resolved.end()) op = first->second;
    const bool mended = layer.definition == state.target && state.idea != nullptr;
    // An inserted layer stands where the layer stands, which for a share is the share.
    const bool inserts = state.idea != nullptr && layer.blamed == state.target && inserted_op(*state.idea).has_value();
    if (mended || inserts) {
        const auto changed = mend(op, *state.idea);
        const auto inserted = inserted_op(*state.idea);
        if (!changed) return false;
        op = *changed;
        if (inserted && state.idea->kind == FixIdea::Kind::insert_before) {
            if (types.size() != 1) return false;
            Inference before = infer(*inserted, types, view_.scope(id));
            if (before.has_error()) return false;
            types.front() = others.front() = before.outputs.front();
        }
    }
    Inference inference = infer(op, types, view_.scope(id));
    std::vector<const Fault*> recorded = view_.faults(id);
    if (ambiguous && recorded.empty() && inference.has_error()) {
        Inference other = infer(op, others, view_.scope(id));
        if (!other.has_error()) inference = std::move(other);
    }
    if (state.fault != nullptr) {
        if (id == state.fault_layer)
            std::erase_if(recorded, [&](const Fault* fault) { return same_fault(*fault, *state.fault); });
        std::erase_if(inference.faults,
                      [&](const Fault& fault) { return concerns_unknown(fault, layer.inputs) && !mended; });
        if (has_new_fault(inference.faults, recorded)) return false;
        for (const Fault* fault : recorded) {
            const bool stays = std::any_of(inference.faults.begin(), inference.faults.end(),
                                           [&](const Fault& other) { return same_fault(other, *fault); });
            if (!stays && fault->severity != Severity::note) state.ended.push_back(fault);
        }
        if (!fits_weights(id, inference.parameters)) return false;
    }
    if (layer.original == id) state.resolved[id] = inference.op;
    if (inserts && state.idea->kind == FixIdea::Kind::insert_after)
        inference = infer(*inserted_op(*state.idea), inference.outputs, view_.scope(id));
    for (std::size_t i = 0; i < layer.outputs.size(); ++i) {
        const Value* output = layer.outputs[i];
        if (i >= inference.outputs.size() || inference.outputs[i].error) {
            if (mended) return false;
            continue;
        }
        if (inference.outputs[i] == output->type && (!output->alternative || view_.is_doubted(output))) continue;
        state.types[output] = inference.outputs[i];
        for (const LayerId consumer : view_.consumers(output)) state.pending.insert(consumer);
    }
    return true;
}

bool Trial::run(State& state) {
    while (!state.pending.empty()) {
        if (budget_-- <= 0) return false;
        const LayerId id = *state.pending.begin();
        state.pending.erase(state.pending.begin());
        const LoweredLayer& layer = view_.layer(id);
        const bool inferable = layer.node != nullptr;
        if (inferable && !visit(state, id)) return false;
    }
    return true;
}

Trial::Outcome Trial::try_out(LayerId id, const Fault& fault, const LayerDefinition* target, const FixIdea& idea) {
    State state;
    state.fault_layer = id;
    state.fault = &fault;
    state.target = target;
    state.idea = &idea;
    for (const LayerId application : view_.applications(target)) state.pending.insert(application);
    state.pending.insert(id);
    // Others may have taken these values for what they would be if they were what is wrong.
    for (const Value* value : view_.layer(id).doubted) {
        state.types[value] = value->type;
        for (const LayerId consumer : view_.consumers(value)) state.pending.insert(consumer);
    }
    const bool mended = run(state);
    return {mended, std::move(state.ended)};
}

Trial::Types Trial::infer_all(Types inputs) {
    State state;
    for (const auto& [value, type] : inputs) {
        for (const LayerId consumer : view_.consumers(value)) state.pending.insert(consumer);
    }
    state.types = std::move(inputs);
    run(state);
    return std::move(state.types);
}

}  // namespace seq
