#pragma once

#include <concepts>
#include <memory>
#include <source_location>
#include <string>
#include <utility>

#include "frontend/nn/layer.hpp"

namespace seq {
struct LayerDefinition;
}

namespace seq::nn {

class Sequential;

/// Any layer or container, type-erased. Copies are deep: a copied layer has parameters of its own once lowered.
class Module {
   public:
    template <OpStruct T>
    Module(Layer<T> layer) : Module(Op(std::move(layer.options)), layer.where) {}
    Module(Op op, std::source_location where = std::source_location::current());
    Module(Sequential sequence);
    Module(const Module& other);
    Module(Module&&) noexcept;
    Module& operator=(const Module& other);
    Module& operator=(Module&&) noexcept;
    ~Module();

    /// "Conv2d", or "Sequential".
    std::string type() const;
    /// The options of a layer of that type, to read or change; nullptr for another type or a container.
    template <OpStruct T>
    const T* as() const {
        const Op* layer = op();
        return layer == nullptr ? nullptr : layer->as<T>();
    }
    template <class L>
        requires OpStruct<typename L::Options>
    const typename L::Options* as() const { return as<typename L::Options>(); }
    /// nullptr for a container.
    const Op* op() const;
    /// A copy of what a container holds. Throws std::logic_error for a layer.
    Sequential sequential() const;

    const LayerDefinition& definition() const { return *definition_; }

   private:
    std::unique_ptr<LayerDefinition> definition_;
};

}  // namespace seq::nn
