#pragma once

#include <cstddef>
#include <initializer_list>
#include <source_location>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "frontend/nn/input.hpp"
#include "frontend/nn/module.hpp"
#include "graph/ir.hpp"

namespace seq {
struct Definition;
}

namespace seq::nn {

/// A layer in a container. An unnamed one is called by its position, as in PyTorch; in a slice by the one that it had,
/// which `name` then holds.
struct Child {
    template <class M>
        requires std::convertible_to<M, Module> Child(M child) : module(std::move(child)) {}
        template <class M>
            requires std::convertible_to<M, Module> Child(std::string child_name, M child)
                : name(std::move(child_name)), named(true), module(std::move(child)) {}

            std::string name;
            bool named = false;
            Module module;
};

/// Layers applied one after the other. All that PyTorch's Sequential has; names survive every operation, and a name
/// that is taken is refused (seq::Error spec/duplicate-name; where it is another layer's position, check and lower say
/// so). Unnamed layers of a slice are called as before; once something is added with which that name clashes, all
/// unnamed layers are called by their positions. Indices count from the end where negative; one outside throws
/// std::out_of_range.
class Sequential {
   public:
    Sequential() = default;
    Sequential(std::initializer_list<Child> children);
    explicit Sequential(std::vector<Child> children);

    Sequential& append(Module module);
    Sequential& append(std::string name, Module module);
    Sequential& extend(const Sequential& other);
    Sequential& insert(std::ptrdiff_t index, Module module);
    Sequential& insert(std::ptrdiff_t index, std::string name, Module module);
    Module pop(std::ptrdiff_t index = -1);
    Module pop(std::string_view name);
    void erase(std::ptrdiff_t index);
    void erase(std::string_view name);
    /// As Python's del [start:stop:step].
    void erase(std::ptrdiff_t start, std::ptrdiff_t stop, std::ptrdiff_t step = 1);
    /// The new layer keeps the old one's name.
    void replace(std::ptrdiff_t index, Module module);
    void replace(std::string_view name, Module module);
    void clear() { children_.clear(); }

    Module& operator[](std::ptrdiff_t index);
    const Module& operator[](std::ptrdiff_t index) const;
    Module& operator[](std::string_view name);
    const Module& operator[](std::string_view name) const;
    /// As Python's [start:stop:step] for a positive or negative step.
    Sequential slice(std::ptrdiff_t start, std::ptrdiff_t stop, std::ptrdiff_t step = 1) const;
    Sequential slice(std::ptrdiff_t start) const { return slice(start, static_cast<std::ptrdiff_t>(size())); }

    std::size_t size() const { return children_.size(); }
    bool empty() const { return children_.empty(); }
    bool contains(std::string_view name) const;
    /// The name of the layer at `index`: its own, or its position.
    std::string name(std::ptrdiff_t index) const;
    std::vector<std::string> names() const;
    auto begin() const { return children_.begin(); }
    auto end() const { return children_.end(); }

    Sequential& operator+=(const Sequential& other) { return extend(other); }
    friend Sequential operator+(Sequential a, const Sequential& b) { return a.extend(b), a; }
    /// `count` copies one after the other, each with parameters of its own. Throws std::invalid_argument below 1.
    friend Sequential operator*(const Sequential& sequence, int count) { return sequence.repeated(count); }
    friend Sequential operator*(int count, const Sequential& sequence) { return sequence.repeated(count); }

    /// Every problem, with the C++ line of each; nothing is thrown.
    std::vector<Diagnostic> check(const std::vector<InputSpec>& inputs, const BuildOptions& options = {},
                                  std::source_location where = std::source_location::current()) const;
    /// The checked graph. Throws seq::BuildError with every diagnostic.
    Graph lower(const std::vector<InputSpec>& inputs, const BuildOptions& options = {},
                std::source_location where = std::source_location::current()) const;
    Definition definition(const std::vector<InputSpec>& inputs, const BuildOptions& options = {},
                          std::source_location where = std::source_location::current()) const;

   private:
    std::size_t position(std::ptrdiff_t index) const;
    std::size_t position(std::string_view name) const;
    void refuse_duplicate(const Child& child) const;
    Sequential repeated(int count) const;

    std::vector<Child> children_;
};

}  // namespace seq::nn
