#include "frontend/expansion.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace seq {
namespace {

/// What a container expands to. Sizes stop growing far above the limits, so that they cannot overflow.
struct Size {
    std::int64_t layers = 0;
    /// Containers within it: empty ones multiply too.
    std::int64_t containers = 0;
    /// Bytes of the layers' paths within the container.
    std::int64_t path_bytes = 0;
    /// Containers within containers.
    int depth = 0;
};

class Expansion {
   public:
    explicit Expansion(const Definition& definition) : definition_(definition), modules_(definition.modules.size()) {}

    std::optional<Diagnostic> run() {
        Size size;
        if (!measure(definition_.layers, 1, size)) return std::move(refusal_);
        for (std::size_t i = 0; i < modules_.size(); ++i) {
            Size unused;
            if (!measure_module(i, 1, unused)) return std::move(refusal_);
        }
        return std::nullopt;
    }

   private:
    struct Module {
        enum class State { untouched, open, measured } state = State::untouched;
        Size size;
    };

    bool refuse(const LayerDefinition& layer, std::string message) {
        refusal_.emplace();
        refusal_->code = "spec/limit";
        refusal_->message = std::move(message);
        refusal_->where = layer.where;
        return false;
    }

    bool measure(const std::vector<LayerDefinition>& layers, int depth, Size& size) {
        for (const LayerDefinition& layer : layers) {
            Size inner;
            if (!measure_layer(layer, depth, inner)) return false;
            size.layers += inner.layers;
            size.containers += inner.containers;
            size.path_bytes += inner.path_bytes + inner.layers * static_cast<std::int64_t>(layer.name.size() + 1);
            size.depth = std::max(size.depth, inner.depth);
            if (size.layers > max_layers)
                return refuse(layer, fmt::format("the model expands to more than {} layers, the limit", max_layers));
            if (size.containers > max_layers)
                return refuse(layer,
                              fmt::format("the model expands to more than {} containers, the limit", max_layers));
            if (size.path_bytes > max_path_bytes)
                return refuse(layer, fmt::format("the paths of the model's layers take more than {} bytes, the limit",
                                                 max_path_bytes));
            if (size.depth + depth - 1 > max_depth) return refuse_depth(layer);
        }
        return true;
    }

    bool refuse_depth(const LayerDefinition& layer) {
        return refuse(layer, fmt::format("containers nest deeper than {}, the limit", max_depth));
    }

    bool measure_layer(const LayerDefinition& layer, int depth, Size& size) {
        const bool is_container = layer.kind == LayerDefinition::Kind::sequential ||
                                  (layer.kind == LayerDefinition::Kind::use && layer.module >= 0);
        if (!is_container) {
            size.layers = 1;
            return true;
        }
        if (depth > max_depth) return refuse_depth(layer);
        const auto index = static_cast<std::size_t>(layer.module);
        if (layer.kind == LayerDefinition::Kind::use && modules_[index].state == Module::State::open)
            return refuse(layer, fmt::format("the module `{}` uses itself", definition_.modules[index].name));
        const bool fine = layer.kind == LayerDefinition::Kind::use ? measure_module(index, depth + 1, size)
                                                                   : measure(layer.layers, depth + 1, size);
        ++size.depth;
        ++size.containers;
        return fine;
    }

    bool measure_module(std::size_t index, int depth, Size& size) {
        Module& module = modules_[index];
        if (module.state == Module::State::untouched) {
            module.state = Module::State::open;
            if (!measure(definition_.modules[index].layers, depth, module.size)) return false;
            module.state = Module::State::measured;
        }
        size = module.size;
        return true;
    }

    const Definition& definition_;
    std::vector<Module> modules_;
    std::optional<Diagnostic> refusal_;
};

}  // namespace

std::optional<Diagnostic> check_expansion(const Definition& definition) { return Expansion(definition).run(); }

}  // namespace seq
