#include "frontend/expansion.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <unordered_map>
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
        if (!measure(definition_.layers, nullptr, 1, size)) return std::move(refusal_);
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

    /// A container whose layers are being measured; `outer` is where their names are looked up next.
    struct Frame {
        const std::vector<LayerDefinition>& layers;
        const Frame* outer = nullptr;
    };

    bool measure(const std::vector<LayerDefinition>& layers, const Frame* outer, int depth, Size& size) {
        const Frame frame{layers, outer};
        for (const LayerDefinition& layer : layers) {
            Size inner;
            if (!measure_layer(layer, frame, depth, inner)) return false;
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

    bool measure_layer(const LayerDefinition& layer, const Frame& frame, int depth, Size& size) {
        const bool is_container = layer.kind == LayerDefinition::Kind::sequential ||
                                  (layer.kind == LayerDefinition::Kind::use && layer.module >= 0);
        if (!is_container) {
            const Size* shared = layer.kind == LayerDefinition::Kind::share ? find_size(layer.target, frame) : nullptr;
            size = shared != nullptr ? *shared : Size{1, 0, 0, 0};
            if (shared != nullptr) sizes_.emplace(&layer, size);
            return true;
        }
        if (depth > max_depth) return refuse_depth(layer);
        const auto index = static_cast<std::size_t>(layer.module);
        if (layer.kind == LayerDefinition::Kind::use && modules_[index].state == Module::State::open)
            return refuse(layer, fmt::format("the module `{}` uses itself", definition_.modules[index].name));
        const bool fine = layer.kind == LayerDefinition::Kind::use ? measure_module(index, depth + 1, size)
                                                                   : measure(layer.layers, &frame, depth + 1, size);
        ++size.depth;
        ++size.containers;
        sizes_.emplace(&layer, size);
        return fine;
    }

    const LayerDefinition* find(const std::vector<LayerDefinition>& layers, std::string_view name) {
        auto& index = indices_[&layers];
        if (index.empty()) {
            for (const LayerDefinition& layer : layers) index.emplace(layer.name, &layer);
        }
        const auto found = index.find(name);
        return found == index.end() ? nullptr : found->second;
    }

    /// What the container, or the share of one, at this path expands to; nullptr where there is none before.
    const Size* find_size(std::string_view path, const Frame& innermost) {
        const LayerDefinition* layer = nullptr;
        for (const Frame* frame = &innermost; frame != nullptr && layer == nullptr; frame = frame->outer) {
            layer = find(frame->layers, path);
            if (layer == nullptr) layer = find_path(frame->layers, path);
        }
        const auto found = sizes_.find(layer);
        return found == sizes_.end() ? nullptr : &found->second;
    }

    const LayerDefinition* find_path(const std::vector<LayerDefinition>& layers, std::string_view path) {
        const std::size_t dot = path.find('.');
        const LayerDefinition* layer = find(layers, path.substr(0, dot));
        if (layer == nullptr || dot == std::string_view::npos) return layer;
        const bool is_use = layer->kind == LayerDefinition::Kind::use && layer->module >= 0;
        const auto& inner =
            is_use ? definition_.modules[static_cast<std::size_t>(layer->module)].layers : layer->layers;
        return find_path(inner, path.substr(dot + 1));
    }

    bool measure_module(std::size_t index, int depth, Size& size) {
        Module& module = modules_[index];
        if (module.state == Module::State::untouched) {
            module.state = Module::State::open;
            if (!measure(definition_.modules[index].layers, nullptr, depth, module.size)) return false;
            module.state = Module::State::measured;
        }
        size = module.size;
        return true;
    }

    const Definition& definition_;
    std::vector<Module> modules_;
    /// Of the containers, and of the shares of containers.
    std::unordered_map<const LayerDefinition*, Size> sizes_;
    std::unordered_map<const std::vector<LayerDefinition>*,
                       std::unordered_map<std::string_view, const LayerDefinition*>>
        indices_;
    std::optional<Diagnostic> refusal_;
};

}  // namespace

std::optional<Diagnostic> check_expansion(const Definition& definition) { return Expansion(definition).run(); }

}  // namespace seq
