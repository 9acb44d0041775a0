#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace seq {

/// How a batch is computed some samples at a time, so that what lies between layers stays in the caches.
struct Slicing {
    std::int64_t samples = 1;  ///< in a slice; they divide the batch
    bool apart = false;        ///< each thread takes slices by itself, or else all share each layer
    /// How many nodes, the first ones of the graph, are computed so; the others take the whole batch. 0: all are.
    std::size_t nodes = 0;

    bool operator==(const Slicing&) const = default;
    std::string to_string() const;
};

}  // namespace seq
