#include "frontend/nn/module.hpp"

#include <stdexcept>

#include "frontend/definition.hpp"
#include "frontend/nn/build.hpp"
#include "frontend/nn/sequential.hpp"

namespace seq::nn {

Module::Module(Op op, std::source_location where) : definition_(std::make_unique<LayerDefinition>()) {
    definition_->kind = LayerDefinition::Kind::op;
    definition_->ops = {std::move(op)};
    definition_->where = span_of(where);
}

Module::Module(Sequential sequence) : definition_(std::make_unique<LayerDefinition>()) {
    definition_->kind = LayerDefinition::Kind::sequential;
    definition_->layers = child_definitions(sequence);
    if (!definition_->layers.empty()) definition_->where = definition_->layers.front().where;
}

Module::Module(const Module& other) : definition_(std::make_unique<LayerDefinition>(*other.definition_)) {}
Module::Module(Module&&) noexcept = default;
Module& Module::operator=(Module&&) noexcept = default;
Module::~Module() = default;

Module& Module::operator=(const Module& other) {
    if (this != &other) definition_ = std::make_unique<LayerDefinition>(*other.definition_);
    return *this;
}

const Op* Module::op() const {
    return definition_->kind == LayerDefinition::Kind::op ? &definition_->ops.front() : nullptr;
}

std::string Module::type() const { return op() == nullptr ? "Sequential" : op()->name(); }

Sequential Module::sequential() const {
    if (op() != nullptr) throw std::logic_error("a " + type() + " is not a Sequential");
    std::vector<Child> children;
    for (const LayerDefinition& layer : definition_->layers) {
        Child& child = children.emplace_back(Module(Sequential()));
        *child.module.definition_ = layer;
        child.named = layer.named;
        if (layer.named || layer.name != std::to_string(children.size() - 1)) child.name = layer.name;
    }
    return Sequential(std::move(children));
}

}  // namespace seq::nn
