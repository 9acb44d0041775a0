#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "frontend/nn/module.hpp"

namespace seq::nn {

/// Layers in a list, to be called one by one through a GraphBuilder; parameters are named "blocks.0.weight".
class ModuleList {
   public:
    ModuleList() = default;
    ModuleList(std::initializer_list<Module> modules) : modules_(modules) {}
    ModuleList& append(Module module) { return modules_.push_back(std::move(module)), *this; }
    ModuleList& extend(const ModuleList& other);
    /// Throws std::out_of_range.
    ModuleList& insert(std::size_t index, Module module);

    std::size_t size() const { return modules_.size(); }
    const Module& operator[](std::size_t index) const { return modules_.at(index); }
    auto begin() const { return modules_.begin(); }
    auto end() const { return modules_.end(); }

   private:
    std::vector<Module> modules_;
};

/// Layers by name, in the order in which they were added; parameters are named "heads.left.weight".
class ModuleDict {
   public:
    ModuleDict() = default;
    /// Throws seq::Error (spec/duplicate-name), as add does.
    ModuleDict(std::initializer_list<std::pair<std::string, Module>> modules);
    ModuleDict& add(std::string name, Module module);
    /// The module of that name, taken out. Throws std::out_of_range.
    Module pop(std::string_view name);

    std::size_t size() const { return modules_.size(); }
    bool contains(std::string_view name) const;
    const Module& operator[](std::string_view name) const;
    auto begin() const { return modules_.begin(); }
    auto end() const { return modules_.end(); }

   private:
    std::size_t position(std::string_view name) const;
    std::vector<std::pair<std::string, Module>> modules_;
};

}  // namespace seq::nn
