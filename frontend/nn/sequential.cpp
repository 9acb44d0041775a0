#include "frontend/nn/sequential.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <stdexcept>

#include "frontend/check.hpp"
#include "frontend/definition.hpp"
#include "frontend/nn/build.hpp"
#include "frontend/nn/slice.hpp"

namespace seq::nn {

Sequential::Sequential(std::initializer_list<Child> children) {
    for (const Child& child : children) {
        refuse_duplicate(child);
        children_.push_back(child);
    }
}

Sequential::Sequential(std::vector<Child> children) {
    for (Child& child : children) {
        refuse_duplicate(child);
        children_.push_back(std::move(child));
    }
}

void Sequential::refuse_duplicate(const Child& child) const {
    if (child.named && contains(child.name))
        throw Error("spec/duplicate-name", fmt::format("a layer named `{}` is in this Sequential already", child.name));
}

std::size_t Sequential::position(std::ptrdiff_t index) const { return index_position(size(), index, "Sequential"); }

std::size_t Sequential::position(std::string_view wanted) const {
    const std::vector<std::string> all = names();
    const auto found = std::find(all.begin(), all.end(), wanted);
    if (found == all.end()) throw std::out_of_range(fmt::format("there is no layer `{}` in this Sequential", wanted));
    return static_cast<std::size_t>(found - all.begin());
}

std::string Sequential::name(std::ptrdiff_t index) const {
    const std::size_t i = position(index);
    return children_[i].named ? children_[i].name : names()[i];
}

std::vector<std::string> Sequential::names() const {
    const auto named = [&](bool keep) {
        std::vector<std::string> names;
        for (const Child& child : children_) {
            const bool own = child.named || (keep && !child.name.empty());
            names.push_back(own ? child.name : std::to_string(names.size()));
        }
        return names;
    };
    const auto was_sliced = [](const Child& child) { return !child.named && !child.name.empty(); };
    if (std::none_of(children_.begin(), children_.end(), was_sliced)) return named(false);
    std::vector<std::string> names = named(true);
    const std::set<std::string_view> distinct(names.begin(), names.end());
    return distinct.size() == names.size() ? names : named(false);
}

bool Sequential::contains(std::string_view wanted) const {
    const std::vector<std::string> all = names();
    return std::find(all.begin(), all.end(), wanted) != all.end();
}

Sequential& Sequential::append(Module module) {
    children_.emplace_back(std::move(module));
    return *this;
}

Sequential& Sequential::append(std::string name, Module module) {
    Child child(std::move(name), std::move(module));
    refuse_duplicate(child);
    children_.push_back(std::move(child));
    return *this;
}

Sequential& Sequential::extend(const Sequential& other) {
    const std::vector<Child> added = other.children_;  // `other` may be this
    for (const Child& child : added) refuse_duplicate(child);
    children_.insert(children_.end(), added.begin(), added.end());
    return *this;
}

Sequential& Sequential::insert(std::ptrdiff_t index, Module module) {
    const std::size_t at = index == static_cast<std::ptrdiff_t>(size()) ? size() : position(index);
    children_.insert(children_.begin() + static_cast<std::ptrdiff_t>(at), Child(std::move(module)));
    return *this;
}

Sequential& Sequential::insert(std::ptrdiff_t index, std::string name, Module module) {
    Child child(std::move(name), std::move(module));
    refuse_duplicate(child);
    const std::size_t at = index == static_cast<std::ptrdiff_t>(size()) ? size() : position(index);
    children_.insert(children_.begin() + static_cast<std::ptrdiff_t>(at), std::move(child));
    return *this;
}

Module Sequential::pop(std::ptrdiff_t index) {
    const std::size_t at = position(index);
    Module module = std::move(children_[at].module);
    children_.erase(children_.begin() + static_cast<std::ptrdiff_t>(at));
    return module;
}

Module Sequential::pop(std::string_view name) { return pop(static_cast<std::ptrdiff_t>(position(name))); }
void Sequential::erase(std::ptrdiff_t index) { pop(index); }
void Sequential::erase(std::string_view name) { pop(name); }
void Sequential::replace(std::ptrdiff_t index, Module module) { children_[position(index)].module = std::move(module); }
void Sequential::replace(std::string_view name, Module module) { children_[position(name)].module = std::move(module); }

Module& Sequential::operator[](std::ptrdiff_t index) { return children_[position(index)].module; }
const Module& Sequential::operator[](std::ptrdiff_t index) const { return children_[position(index)].module; }
Module& Sequential::operator[](std::string_view name) { return children_[position(name)].module; }
const Module& Sequential::operator[](std::string_view name) const { return children_[position(name)].module; }

Sequential Sequential::slice(std::ptrdiff_t start, std::ptrdiff_t stop, std::ptrdiff_t step) const {
    Sequential part;
    const std::vector<std::string> all = names();
    for (const std::size_t i : slice_positions(size(), start, stop, step)) {
        Child& child = part.children_.emplace_back(children_[i]);
        child.name = all[i];
    }
    return part;
}

void Sequential::erase(std::ptrdiff_t start, std::ptrdiff_t stop, std::ptrdiff_t step) {
    std::vector<std::size_t> positions = slice_positions(size(), start, stop, step);
    std::sort(positions.rbegin(), positions.rend());
    for (const std::size_t i : positions) children_.erase(children_.begin() + static_cast<std::ptrdiff_t>(i));
}

Sequential Sequential::repeated(int count) const {
    if (count < 1) throw std::invalid_argument("a Sequential is repeated at least once");
    Sequential result = *this;
    for (int i = 1; i < count; ++i) result.extend(*this);
    return result;
}

Definition Sequential::definition(const std::vector<InputSpec>& inputs, const BuildOptions& options,
                                  std::source_location where) const {
    Definition definition = define_inputs(inputs, options, where);
    definition.layers = child_definitions(*this);
    return definition;
}

std::vector<Diagnostic> Sequential::check(const std::vector<InputSpec>& inputs, const BuildOptions& options,
                                          std::source_location where) const {
    return check_definition(definition(inputs, options, where)).diagnostics;
}

Graph Sequential::lower(const std::vector<InputSpec>& inputs, const BuildOptions& options,
                        std::source_location where) const {
    return build_graph(definition(inputs, options, where));
}

}  // namespace seq::nn
