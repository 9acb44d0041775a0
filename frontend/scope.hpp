#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "frontend/definition.hpp"
#include "graph/ir.hpp"

namespace seq {

struct Scope;

/// What became of one layer of a container.
struct Slot {
    /// What is applied: for a share, what it shares.
    const LayerDefinition* definition = nullptr;
    /// The op's outputs; a container's single one.
    std::vector<Value*> outputs;
    std::optional<LayerId> layer;
    std::unique_ptr<Scope> scope;
    bool done = false;
    /// Nothing is known of how many outputs it has.
    bool broken = false;
};

/// A container while its layers are lowered, and afterwards for those who name what is in it.
struct Scope {
    /// nullptr at the top and in a module, which never looks outward.
    Scope* parent = nullptr;
    bool is_module = false;
    std::string path;
    const std::vector<LayerDefinition>* layers = nullptr;
    std::vector<Value*> inputs;
    std::vector<Slot> slots;

    /// The positions of the layers of that name, ascending.
    std::vector<std::size_t> find(std::string_view name);
    /// A layer that shares its name with an earlier one.
    const std::vector<std::size_t>& duplicates();
    /// The path of a layer in it.
    std::string path_of(std::string_view name) const {
        return path.empty() ? std::string(name) : path + "." + std::string(name);
    }

   private:
    void index();
    std::unordered_map<std::string_view, std::size_t> first_;
    std::vector<std::size_t> duplicates_;
    bool indexed_ = false;
};

}  // namespace seq
