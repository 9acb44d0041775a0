#pragma once

#include <memory>
#include <type_traits>

#include "kernels/cuda/own/host_queue.hpp"
#include "kernels/cuda/own/launch.hpp"

// Included by launch.hpp where there is no nvcc: loops, handed to a HostQueue.
namespace seq::cuda::own {

template <class Body>
void each_element(DeviceQueue& queue, std::int64_t count, const Body& body) {
    static_assert(std::is_trivially_copyable_v<Body>);
    static_cast<HostQueue&>(queue).submit([count, body] {
        for (std::int64_t i = 0; i < count; ++i) body(i);
    });
}

template <class Body>
void run_row(const Body& body, std::int64_t row) {
    using Number = typename Body::Number;
    constexpr int members = 3;
    Number totals[Body::phases] = {};
    for (int phase = 0; phase < Body::phases; ++phase) {
        const bool maximum = Body::is_maximum(phase);
        Number total = neutral<Number>(maximum);
        for (int rank = 0; rank < members; ++rank) {
            Number part = neutral<Number>(maximum);
            for (std::int64_t i = rank; i < body.length; i += members)
                part = combined(maximum, part, body.term(phase, row, i, totals));
            total = combined(maximum, total, part);
        }
        totals[phase] = body.close(phase, total, totals);
    }
    for (std::int64_t i = 0; i < body.results; ++i) body.finish(row, i, totals);
}

template <class Body>
void each_row(DeviceQueue& queue, std::int64_t rows, const Body& body, RowShape) {
    static_assert(std::is_trivially_copyable_v<Body>);
    static_cast<HostQueue&>(queue).submit([rows, body] {
        for (std::int64_t row = 0; row < rows; ++row) run_row(body, row);
    });
}

template <class Body>
void each_tile(DeviceQueue& queue, std::int64_t tiles, const Body& body) {
    static_assert(std::is_trivially_copyable_v<Body>);
    static_cast<HostQueue&>(queue).submit([tiles, body] {
        const auto shared = std::make_unique<typename Body::Shared>();
        const auto members = std::make_unique<typename Body::Member[]>(Body::members);
        for (std::int64_t tile = 0; tile < tiles; ++tile)
            for (int phase = 0; phase < body.phases(); ++phase)
                for (int rank = 0; rank < Body::members; ++rank)
                    body.run(phase, tile, rank, members[static_cast<std::size_t>(rank)], *shared);
    });
}

}  // namespace seq::cuda::own
