#pragma once

#include <cstddef>
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
    /// Indices count from the end where negative; one outside throws std::out_of_range.
    ModuleList& insert(std::ptrdiff_t index, Module module);
    Module pop(std::ptrdiff_t index = -1);
    void erase(std::ptrdiff_t index) { pop(index); }
    void replace(std::ptrdiff_t index, Module module);
    /// As Python's [start:stop:step].
    ModuleList slice(std::ptrdiff_t start, std::ptrdiff_t stop, std::ptrdiff_t step = 1) const;
    ModuleList slice(std::ptrdiff_t start) const { return slice(start, static_cast<std::ptrdiff_t>(size())); }
    ModuleList& operator+=(const ModuleList& other) { return extend(other); }
    friend ModuleList operator+(ModuleList a, const ModuleList& b) { return a.extend(b), a; }

    std::size_t size() const { return modules_.size(); }
    bool empty() const { return modules_.empty(); }
    Module& operator[](std::ptrdiff_t index);
    const Module& operator[](std::ptrdiff_t index) const;
    auto begin() const { return modules_.begin(); }
    auto end() const { return modules_.end(); }

   private:
    std::size_t position(std::ptrdiff_t index) const;
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
