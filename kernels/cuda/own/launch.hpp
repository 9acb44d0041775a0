#pragma once

#include <type_traits>

#include "kernels/cuda/own/portable.hpp"
#include "kernels/device.hpp"

// Work of many members, by bodies: structs of plain data that say what one of them does.
//
// each_element(queue, count, body): body(i) for each i below count.
//
// each_row(queue, rows, body, shape): a body of rows that several members work on, with
//   using Number; static constexpr int phases;
//   std::int64_t length, results;
//   static bool is_maximum(int phase): whether the phase looks for the largest of its terms, and does not add them up
//     (floats alone)
//   Number term(int phase, row, i, const Number* totals): of element i of the row, below length
//   Number close(int phase, Number total, const Number* totals): what later phases find in totals[phase]
//   void finish(row, i, const Number* totals): for each i below results
//
// each_tile(queue, tiles, body): a body of tiles, each the work of Body::members members with memory of their own
// (Member) and in common (Shared), with
//   int phases() const
//   void run(int phase, tile, int rank, Member&, Shared&): all members have done a phase before one begins the next
namespace seq::cuda::own {

/// Which members work on a row.
enum class RowShape : std::uint8_t {
    narrow,    ///< few elements that lie together
    wide,      ///< many
    adjacent,  ///< the same element of adjacent rows lies together
};

template <class Number>
SEQ_BODY Number neutral(bool is_maximum) {
    if constexpr (std::is_floating_point_v<Number>) return is_maximum ? Number(-INFINITY) : Number(0);
    return Number(0);
}

template <class Number>
SEQ_BODY Number combined(bool is_maximum, Number a, Number b) {
    return is_maximum ? (a > b || a != a ? a : b) : a + b;
}

}  // namespace seq::cuda::own

#ifdef __CUDACC__
#include "kernels/cuda/own/launch_device.hpp"
#else
#include "kernels/cuda/own/launch_host.hpp"
#endif
