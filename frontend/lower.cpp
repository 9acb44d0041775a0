#include "frontend/lower.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "frontend/assume.hpp"
#include "frontend/doubt.hpp"
#include "frontend/expansion.hpp"
#include "frontend/model_inputs.hpp"
#include "frontend/resolve.hpp"
#include "frontend/scope.hpp"
#include "frontend/unused.hpp"

namespace seq {
namespace {

/// Where layers are applied again with the parameters of their first application.
struct Sharing {
    const LayerDefinition* share = nullptr;
    std::string path;
};

/// Thrown to leave the recursion when a limit is passed.
struct Stop {};

class Lowerer {
   public:
    Lowerer(const Definition& definition, const LowerOptions& options)
        : definition_(definition), options_(options), resolver_{definition, options, result_, top_} {}

    Lowering run() {
        if (auto refusal = check_expansion(definition_)) {
            result_.problems.push_back(std::move(*refusal));
            result_.stopped = true;
            return std::move(result_);
        }
        result_.first_duplicate_is_misnamed = options_.first_duplicate_is_misnamed;
        Graph& graph = result_.graph;
        graph.name = definition_.name;
        graph.ranges = definition_.ranges;
        known_ = std::make_shared<const SymbolRanges>(definition_.ranges);
        graph.bounded_symbols = definition_.bounded_symbols;
        top_.inputs = add_inputs(definition_, options_, result_);
        try {
            lower_container(top_, definition_.layers, nullptr, nullptr);
            set_outputs();
        } catch (const Stop&) {
            result_.stopped = true;
        }
        result_.graph.ranges = definition_.ranges;
        name_doubted_inputs();
        if (!result_.has_error()) warn_of_unused(definition_, top_.inputs, result_);
        return std::move(result_);
    }

   private:
    InferScope scope() const { return {result_.graph.ranges, result_.graph.bounded_symbols}; }

    Value* assume(TensorType type, std::optional<TensorType> alternative = std::nullopt) {
        Value* value = result_.graph.add_parameter({}, std::move(type));
        value->alternative = std::move(alternative);
        return value;
    }

    /// A value of which nothing is known. It is taken to have the rank of `like` until a layer wants another.
    Value* assume_open(const TensorType& like) {
        TensorType type = unknown_like(like);
        type.dtype = is_float(type.dtype) ? type.dtype : DType::f32;
        return assume(std::move(type), TensorType::make_error());
    }

    void name_doubted_inputs() {
        for (const Value* input : top_.inputs) {
            if (!input->alternative) continue;
            result_.doubted_inputs.insert(input->name);
            if (is_refuted(input, scope())) result_.refuted_inputs.insert(input->name);
        }
    }

    /// Lowers the layers one after the other. `original`: the container whose parameters they share.
    Value* lower_container(Scope& scope, const std::vector<LayerDefinition>& layers, const Scope* original,
                           const Sharing* sharing) {
        scope.layers = &layers;
        scope.slots.reserve(layers.size());
        Value* current = scope.inputs.front();
        for (std::size_t i = 0; i < layers.size(); ++i) {
            Slot& slot = scope.slots.emplace_back();
            slot.definition = &layers[i];
            lower_layer(scope, layers[i], slot, current, original == nullptr ? nullptr : &original->slots[i], sharing);
            slot.done = true;
            current = slot.outputs.front();
        }
        return current;
    }

    void lower_layer(Scope& scope, const LayerDefinition& layer, Slot& slot, Value* current, const Slot* original,
                     const Sharing* sharing) {
        std::vector<Value*> inputs;
        if (layer.has_from) {
            for (const Reference& reference : layer.from) {
                Value* value = resolver_.find_value(reference, layer, scope);
                inputs.push_back(value != nullptr ? value : assume_open(current->type));
            }
        } else {
            inputs.push_back(current);
        }
        switch (layer.kind) {
            case LayerDefinition::Kind::op:
                return lower_op(scope, layer, layer, slot, std::move(inputs), original, sharing);
            case LayerDefinition::Kind::sequential:
                return open(scope, layer, layer.layers, slot, std::move(inputs), original, sharing);
            case LayerDefinition::Kind::use:
                if (layer.module < 0) return give_up(slot, current);
                return open(scope, layer, definition_.modules[static_cast<std::size_t>(layer.module)].layers, slot,
                            std::move(inputs), original, sharing);
            case LayerDefinition::Kind::share:
                return lower_share(scope, layer, slot, std::move(inputs), original, sharing);
            case LayerDefinition::Kind::unknown: return give_up(slot, current);
        }
    }

    /// Nothing is known of what the layer does.
    void give_up(Slot& slot, const Value* current) {
        slot.broken = true;
        slot.outputs = {assume_open(current->type)};
    }

    void open(Scope& scope, const LayerDefinition& layer, const std::vector<LayerDefinition>& layers, Slot& slot,
              std::vector<Value*> inputs, const Slot* original, const Sharing* sharing) {
        if (++containers_ > max_layers)
            limit(layer, fmt::format("the model expands to more than {} containers, the limit", max_layers));
        if (++depth_ > max_depth) {
            limit(layer, fmt::format("containers nest deeper than {}, the limit", max_depth));
        }
        slot.scope = std::make_unique<Scope>();
        slot.scope->is_module = slot.definition->kind == LayerDefinition::Kind::use;
        slot.scope->parent = slot.scope->is_module ? nullptr : &scope;
        slot.scope->path = scope.path_of(layer.name);
        slot.scope->inputs = std::move(inputs);
        slot.outputs = {
            lower_container(*slot.scope, layers, original == nullptr ? nullptr : original->scope.get(), sharing)};
        --depth_;
    }

    void lower_share(Scope& scope, const LayerDefinition& layer, Slot& slot, std::vector<Value*> inputs,
                     const Slot* replayed, const Sharing* sharing) {
        const Slot* original = replayed != nullptr ? replayed : resolver_.find_shared(layer, scope);
        if (original == nullptr || original->definition == nullptr || original->broken)
            return give_up(slot, inputs.front());
        slot.definition = original->definition;
        Sharing own{&layer, scope.path_of(layer.name)};
        const Sharing* outer = sharing != nullptr ? sharing : &own;
        const LayerDefinition& target = *original->definition;
        if (target.kind == LayerDefinition::Kind::op)
            return lower_op(scope, layer, target, slot, std::move(inputs), original, outer);
        const auto& layers = target.kind == LayerDefinition::Kind::use
                                 ? definition_.modules[static_cast<std::size_t>(target.module)].layers
                                 : target.layers;
        open(scope, layer, layers, slot, std::move(inputs), original, outer);
    }

    /// `layer` gives the name, `target` the op; `original` is the slot of the first application.
    void lower_op(Scope& scope, const LayerDefinition& layer, const LayerDefinition& target, Slot& slot,
                  std::vector<Value*> inputs, const Slot* original, const Sharing* sharing) {
        const std::string path = scope.path_of(layer.name);
        count(layer, path);
        const auto id = static_cast<LayerId>(result_.layers.size());
        slot.layer = id;
        LoweredLayer lowered;
        lowered.definition = &target;
        lowered.blamed = sharing != nullptr ? sharing->share : &target;
        lowered.blamed_path = sharing != nullptr ? sharing->path : path;
        lowered.original = id;
        lowered.ranges = known_;
        lowered.inputs = std::move(inputs);
        if (original != nullptr && original->layer) lowered.original = result_.layers[*original->layer].original;
        if (target.ops.size() > 1) lowered.choice = choose(target.ops, lowered.inputs, this->scope());
        const Op& op = target.ops[static_cast<std::size_t>(lowered.choice)];
        result_.graph.layers.push_back({path, op.name(), lowered.blamed->where});
        const bool enough = resolver_.check_arity(lowered, op, layer.has_from ? &layer : nullptr);
        result_.layers.push_back(std::move(lowered));
        if (!enough || !target.broken_fields.empty()) {
            apply_broken(id, op, enough);
        } else {
            apply(id, op, path);
        }
        slot.outputs = result_.layers[id].outputs;
        slot.broken = result_.layers[id].node == nullptr;
    }

    void apply(LayerId id, const Op& op, const std::string& path) {
        LoweredLayer& layer = result_.layers[id];
        NodeSpec spec{op, layer.inputs, {}, path, {}, path, {id}};
        if (layer.original != id) {
            const Node* first = result_.layers[layer.original].node;
            if (first == nullptr) return apply_broken(id, op, false);
            spec.op = first->op;
            spec.parameters.assign(first->parameters().begin(), first->parameters().end());
            spec.parameter_prefix = result_.graph.layers[layer.original].path;
        }
        std::vector<NodeFault> faults;
        layer.node = result_.graph.add(std::move(spec), &faults);
        layer.outputs = layer.node->outputs;
        doubt_rank(layer, faults);
        bool failed = false;
        for (NodeFault& fault : faults) {
            failed = failed || fault.fault.severity == Severity::error;
            doubt_input(layer, fault.fault);
            narrow(fault.fault);
            keep(id, std::move(fault.fault));
        }
        if (failed && layer.outputs.front()->type.error)
            give(layer, assumed_after_fault(layer, faults_of(id), scope()));
    }

    /// What follows reads what is assumed.
    void give(LoweredLayer& layer, Assumption assumption) {
        layer.outputs.resize(std::max(layer.outputs.size(), assumption.outputs.size()));
        for (std::size_t i = 0; i < layer.outputs.size(); ++i) {
            if (layer.outputs[i] != nullptr && !layer.outputs[i]->type.error) continue;
            const bool known = i < assumption.outputs.size() && !assumption.outputs[i].error;
            const TensorType like = layer.inputs.empty() ? TensorType::make_error() : layer.inputs.front()->type;
            layer.outputs[i] = known ? assume(assumption.outputs[i], assumption.alternative) : assume_open(like);
        }
    }

    /// Of a layer and an input of the model that do not fit in rank, either may be wrong. If neither the layer nor its
    /// like of that rank takes the input, it is the input; if another layer made it so, it is the layer.
    void doubt_rank(LoweredLayer& layer, std::vector<NodeFault>& faults) {
        const auto rank = std::find_if(faults.begin(), faults.end(),
                                       [](const NodeFault& fault) { return fault.fault.code == "shape/rank"; });
        if (rank == faults.end()) return;
        Value* output = layer.outputs.front();
        doubt_input(layer, rank->fault);
        if (layer.doubted.empty()) {
            if (!output->type.error) output->alternative.reset();
            return;
        }
        const auto is_other = [&](const NodeFault& fault) {
            return fault.fault.severity == Severity::error && fault.fault.code != "shape/rank" &&
                   fault.fault.input == rank->fault.input;
        };
        if (std::none_of(faults.begin(), faults.end(), is_other)) return;
        if (output->alternative && !output->alternative->error) std::swap(output->type, *output->alternative);
        std::erase_if(faults, is_other);
    }

    /// What follows may take it that a symbol is as large as this layer needs.
    void narrow(const Fault& fault) {
        if (!fault.verdict || !fault.verdict->lower_bound_only || fault.verdict->valid.empty()) return;
        SymbolRanges ranges = *known_;
        SymbolRange& range = ranges[fault.verdict->symbol];
        range.min = std::max(range.min, fault.verdict->valid.front().min);
        known_ = std::make_shared<const SymbolRanges>(std::move(ranges));
        result_.graph.ranges = *known_;
    }

    /// The input may be what is wrong: those who read it later may take it as this layer does.
    void doubt_input(LoweredLayer& layer, const Fault& fault) {
        const auto index = static_cast<std::size_t>(fault.input);
        if (fault.severity != Severity::error || index >= layer.inputs.size()) return;
        for (Value* value : doubt(layer.inputs[index], fault, options_.trusted_inputs, scope()))
            layer.doubted.push_back(value);
    }

    std::vector<Fault> faults_of(LayerId id) const {
        std::vector<Fault> faults;
        for (auto fault = result_.faults.rbegin(); fault != result_.faults.rend() && fault->layer == id; ++fault)
            faults.push_back(fault->fault);
        return faults;
    }

    void apply_broken(LayerId id, const Op& op, bool inferable) {
        LoweredLayer& layer = result_.layers[id];
        Assumption assumption{{TensorType::make_error()}, std::nullopt};
        if (inferable) {
            BrokenInference inference = infer_broken(op, layer.definition->broken_fields, layer.inputs, scope());
            assumption = std::move(inference.given);
            for (Fault& fault : inference.faults) {
                doubt_input(layer, fault);
                keep(id, std::move(fault));
            }
        }
        give(layer, std::move(assumption));
    }

    /// Keeps a fault unless what it is about is unknown, or the first application of a shared layer has it too.
    void keep(LayerId id, Fault fault) {
        const LoweredLayer& layer = result_.layers[id];
        if (concerns_unknown(fault, layer.inputs)) return;
        if (layer.original != id) {
            const bool had = std::any_of(result_.faults.begin(), result_.faults.end(), [&](const LayerFault& other) {
                return other.layer == layer.original && other.fault.code == fault.code &&
                       other.fault.field == fault.field;
            });
            if (had) return;
        }
        result_.faults.push_back({id, std::move(fault)});
    }

    void count(const LayerDefinition& layer, const std::string& path) {
        path_bytes_ += static_cast<std::int64_t>(path.size());
        if (static_cast<std::int64_t>(result_.layers.size()) >= max_layers)
            limit(layer, fmt::format("the model expands to more than {} layers, the limit", max_layers));
        if (path_bytes_ > 2 * max_path_bytes)
            limit(layer, fmt::format("the paths of the model's layers take more than {} bytes, the limit",
                                     2 * max_path_bytes));
    }

    [[noreturn]] void limit(const LayerDefinition& layer, std::string message) {
        Diagnostic& diagnostic = result_.problems.emplace_back();
        diagnostic.code = "spec/limit";
        diagnostic.message = std::move(message);
        diagnostic.where = layer.where;
        throw Stop{};
    }

    void set_outputs() {
        std::vector<Value*> values;
        std::vector<std::string> names;
        if (!definition_.outputs) {
            values.push_back(top_.slots.back().outputs.front());
            names.push_back(definition_.layers.back().name);
        } else {
            for (const Reference& output : *definition_.outputs) {
                Value* value = resolver_.find_output(output);
                if (value == nullptr) continue;
                values.push_back(value);
                names.push_back(output.name);
            }
        }
        result_.graph.set_outputs(std::move(values), std::move(names));
    }

    const Definition& definition_;
    const LowerOptions& options_;
    Lowering result_;
    Scope top_;
    Resolver resolver_;
    std::shared_ptr<const SymbolRanges> known_;
    std::int64_t path_bytes_ = 0;
    std::int64_t containers_ = 0;
    int depth_ = 0;
};

}  // namespace

bool Lowering::has_error() const {
    return stopped ||
           std::any_of(problems.begin(), problems.end(),
                       [](const Diagnostic& problem) { return problem.severity == Severity::error; }) ||
           std::any_of(faults.begin(), faults.end(),
                       [](const LayerFault& fault) { return fault.fault.severity == Severity::error; });
}

Lowering lower(const Definition& definition, const LowerOptions& options) { return Lowerer(definition, options).run(); }

}  // namespace seq
