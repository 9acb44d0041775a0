#include "frontend/scope.hpp"

namespace seq {

void Scope::index() {
    if (indexed_) return;
    indexed_ = true;
    first_.reserve(layers->size());
    for (std::size_t i = 0; i < layers->size(); ++i) {
        if (!first_.emplace((*layers)[i].name, i).second) duplicates_.push_back(i);
    }
}

std::vector<std::size_t> Scope::find(std::string_view name) {
    index();
    const auto found = first_.find(name);
    if (found == first_.end()) return {};
    std::vector<std::size_t> positions{found->second};
    for (const std::size_t duplicate : duplicates_) {
        if ((*layers)[duplicate].name == name) positions.push_back(duplicate);
    }
    return positions;
}

const std::vector<std::size_t>& Scope::duplicates() {
    index();
    return duplicates_;
}

}  // namespace seq
