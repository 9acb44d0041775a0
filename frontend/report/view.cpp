#include "frontend/report/view.hpp"

namespace seq {

LoweringView::LoweringView(const Definition& definition, const Lowering& lowering)
    : definition_(definition), lowering_(lowering) {
    for (LayerId id = 0; id < lowering.layers.size(); ++id) {
        const LoweredLayer& layer = lowering.layers[id];
        for (const Value* output : layer.outputs) producers_.emplace(output, id);
        for (const Value* input : layer.inputs) {
            std::vector<LayerId>& takers = consumers_[input];
            if (takers.empty() || takers.back() != id) takers.push_back(id);
        }
        applications_[layer.definition].push_back(id);
        doubted_.insert(layer.doubted.begin(), layer.doubted.end());
    }
    for (const LayerFault& fault : lowering.faults) faults_.emplace(fault.layer, &fault.fault);
}

std::optional<LayerId> LoweringView::producer(const Value* value) const {
    const auto found = producers_.find(value);
    return found == producers_.end() ? std::nullopt : std::optional(found->second);
}

std::span<const LayerId> LoweringView::consumers(const Value* value) const {
    const auto found = consumers_.find(value);
    return found == consumers_.end() ? std::span<const LayerId>{} : found->second;
}

std::span<const LayerId> LoweringView::applications(const LayerDefinition* definition) const {
    const auto found = applications_.find(definition);
    return found == applications_.end() ? std::span<const LayerId>{} : found->second;
}

std::vector<const Fault*> LoweringView::faults(LayerId id) const {
    std::vector<const Fault*> faults;
    for (auto [fault, end] = faults_.equal_range(id); fault != end; ++fault) faults.push_back(fault->second);
    return faults;
}

const Op& LoweringView::written_op(LayerId id) const {
    const LoweredLayer& layer = lowering_.layers[id];
    const Node* first = layer.original == id ? nullptr : lowering_.layers[layer.original].node;
    return first != nullptr ? first->op : layer.definition->ops[static_cast<std::size_t>(layer.choice)];
}

std::vector<TensorType> LoweringView::input_types(LayerId id) const {
    std::vector<TensorType> types;
    for (const Value* input : lowering_.layers[id].inputs) types.push_back(input->type);
    return types;
}

}  // namespace seq
