#include "frontend/nn/containers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

#include "frontend/nn/slice.hpp"
#include "graph/diagnostic.hpp"

namespace seq::nn {

ModuleList& ModuleList::extend(const ModuleList& other) {
    const std::vector<Module> added = other.modules_;  // `other` may be this
    modules_.insert(modules_.end(), added.begin(), added.end());
    return *this;
}

ModuleList& ModuleList::insert(std::ptrdiff_t index, Module module) {
    const auto count = static_cast<std::ptrdiff_t>(size());
    const std::ptrdiff_t at = index == count ? count : static_cast<std::ptrdiff_t>(position(index));
    modules_.insert(modules_.begin() + at, std::move(module));
    return *this;
}

Module ModuleList::pop(std::ptrdiff_t index) {
    const auto at = modules_.begin() + static_cast<std::ptrdiff_t>(position(index));
    Module module = std::move(*at);
    modules_.erase(at);
    return module;
}

void ModuleList::replace(std::ptrdiff_t index, Module module) { modules_[position(index)] = std::move(module); }

ModuleList ModuleList::slice(std::ptrdiff_t start, std::ptrdiff_t stop, std::ptrdiff_t step) const {
    ModuleList part;
    for (const std::size_t i : slice_positions(size(), start, stop, step)) part.append(modules_[i]);
    return part;
}

Module& ModuleList::operator[](std::ptrdiff_t index) { return modules_[position(index)]; }
const Module& ModuleList::operator[](std::ptrdiff_t index) const { return modules_[position(index)]; }
std::size_t ModuleList::position(std::ptrdiff_t index) const { return index_position(size(), index, "ModuleList"); }

ModuleDict::ModuleDict(std::initializer_list<std::pair<std::string, Module>> modules) {
    for (const auto& [name, module] : modules) add(name, module);
}

ModuleDict& ModuleDict::add(std::string name, Module module) {
    if (contains(name))
        throw Error("spec/duplicate-name", fmt::format("a layer named `{}` is in this ModuleDict already", name));
    modules_.emplace_back(std::move(name), std::move(module));
    return *this;
}

Module ModuleDict::pop(std::string_view name) {
    const std::size_t at = position(name);
    Module module = std::move(modules_[at].second);
    modules_.erase(modules_.begin() + static_cast<std::ptrdiff_t>(at));
    return module;
}

bool ModuleDict::contains(std::string_view name) const {
    return std::any_of(modules_.begin(), modules_.end(), [&](const auto& entry) { return entry.first == name; });
}

const Module& ModuleDict::operator[](std::string_view name) const { return modules_[position(name)].second; }

std::size_t ModuleDict::position(std::string_view name) const {
    const auto found =
        std::find_if(modules_.begin(), modules_.end(), [&](const auto& entry) { return entry.first == name; });
    if (found == modules_.end())
        throw std::out_of_range(fmt::format("there is no layer `{}` in this ModuleDict", name));
    return static_cast<std::size_t>(found - modules_.begin());
}

}  // namespace seq::nn
