#include "frontend/nn/sequential.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

#include "frontend/check.hpp"
#include "frontend/definition.hpp"
#include "frontend/nn/build.hpp"

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

std::size_t Sequential::position(std::ptrdiff_t index) const {
    const auto count = static_cast<std::ptrdiff_t>(size());
    const std::ptrdiff_t position = index < 0 ? index + count : index;
    if (position < 0 || position >= count)
        throw std::out_of_range(fmt::format("index {} is outside a Sequential of {} layers", index, count));
    return static_cast<std::size_t>(position);
}

std::size_t Sequential::position(std::string_view wanted) const {
    for (std::size_t i = 0; i < size(); ++i) {
        if (name(static_cast<std::ptrdiff_t>(i)) == wanted) return i;
    }
    throw std::out_of_range(fmt::format("there is no layer `{}` in this Sequential", wanted));
}

std::string Sequential::name(std::ptrdiff_t index) const {
    const std::size_t i = position(index);
    return children_[i].named ? children_[i].name : std::to_string(i);
}

std::vector<std::string> Sequential::names() const {
    std::vector<std::string> names;
    for (std::size_t i = 0; i < size(); ++i) names.push_back(name(static_cast<std::ptrdiff_t>(i)));
    return names;
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
    if (step == 0) throw std::invalid_argument("a slice's step is not 0");
    const auto count = static_cast<std::ptrdiff_t>(size());
    const auto clamp = [&](std::ptrdiff_t index) {
        if (index < 0) index += count;
        return std::clamp<std::ptrdiff_t>(index, step > 0 ? 0 : -1, step > 0 ? count : count - 1);
    };
    Sequential part;
    const std::ptrdiff_t end = clamp(stop);
    for (std::ptrdiff_t i = clamp(start); step > 0 ? i < end : i > end; i += step) {
        Child child = children_[static_cast<std::size_t>(i)];
        child.name = name(i);
        child.named = true;
        part.children_.push_back(std::move(child));
    }
    return part;
}

Definition Sequential::definition(const std::vector<InputSpec>& inputs, const BuildOptions& options) const {
    Definition definition = define_inputs(inputs, options);
    definition.layers = child_definitions(children_);
    return definition;
}

std::vector<Diagnostic> Sequential::check(const std::vector<InputSpec>& inputs, const BuildOptions& options) const {
    return check_definition(definition(inputs, options)).diagnostics;
}

Graph Sequential::lower(const std::vector<InputSpec>& inputs, const BuildOptions& options) const {
    return build_graph(definition(inputs, options));
}

}  // namespace seq::nn
