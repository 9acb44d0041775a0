#pragma once

#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <vector>

namespace seq::test {

using Json = nlohmann::ordered_json;
using Random = std::mt19937;

int below(Random& random, int limit);
template <class T>
const T& pick(Random& random, const std::vector<T>& values) {
    return values[static_cast<std::size_t>(below(random, static_cast<int>(values.size())))];
}

/// A sound net of one of several kinds, with random sizes.
Json random_net(Random& random);

/// A layer of a net: the list that it stands in, its position and its path.
struct LayerSpot {
    Json* list = nullptr;
    std::size_t position = 0;
    std::string path;
    Json& layer() const { return (*list)[position]; }
};
/// All layers but the containers.
std::vector<LayerSpot> places_in(Json& net);

}  // namespace seq::test
