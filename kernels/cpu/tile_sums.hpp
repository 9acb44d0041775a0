#pragma once

#include <cstdint>
#include <utility>

// Over the `Vector` of vector_avx2.hpp or vector_avx512.hpp, one of which is included before.
namespace seq::cpu {
namespace {

/// One number of each row: of every fifth a pointer, from which the others are reached with two strides.
struct Channel {
    const float* fives[3];
    std::int64_t stride, stride3;  ///< in bytes, of which an address may have one, two or four

    [[gnu::always_inline]] Channel(const float* rows, std::int64_t floats)
        : fives{rows, rows + 5 * floats, rows + 10 * floats},
          stride(floats * static_cast<std::int64_t>(sizeof(float))),
          stride3(3 * stride) {}

    [[gnu::always_inline]] const float* row(int r) const {
        const char* five = reinterpret_cast<const char*>(fives[r / 5]);
        return reinterpret_cast<const float*>(r % 5 == 3 ? five + stride3 : five + (r % 5) * stride);
    }
    /// GCC 12 makes registers, or memory, of every sum of a stride and a constant, where addresses would have them.
    [[gnu::always_inline]] void keep_strides() { asm("" : "+r"(stride), "+r"(stride3)); }
    [[gnu::always_inline]] void advance(std::int64_t channels = 1) {
        for (const float*& five : fives) five += channels;
    }
};

/// The sums of a tile. Every index is a constant before GCC looks for what may stay in registers: of arrays that loops
/// index it keeps a copy in memory.
template <int Columns, class Rows>
struct Sums;

template <int Columns, std::size_t... Row>
struct Sums<Columns, std::index_sequence<Row...>> {
    static constexpr int rows = sizeof...(Row);
    Vector::Float left[rows], right[rows];

    /// Calls body(row, column, sum) for each, a column after the other.
    template <class Body>
    [[gnu::always_inline]] void by_column(const Body& body) {
        (body(static_cast<int>(Row), 0, left[Row]), ...);
        if constexpr (Columns == 2) (body(static_cast<int>(Row), 1, right[Row]), ...);
    }
    /// A row after the other.
    template <class Body>
    [[gnu::always_inline]] void by_row(const Body& body) {
        (both(static_cast<int>(Row), left[Row], right[Row], body), ...);
    }
    /// Takes channel `ahead` from `channel` on.
    [[gnu::always_inline]] void multiply(const Channel& channel, const float* panel, int ahead = 0) {
        Vector::Float weights = Vector::load(panel);
        Vector::keep_in_register(weights);
        if constexpr (Columns == 2) {
            Vector::Float more = Vector::load(panel + Vector::lanes);
            Vector::keep_in_register(more);
            (add_pair(Vector::splat(channel.row(static_cast<int>(Row))[ahead]), weights, more, left[Row], right[Row]),
             ...);
        } else {
            (Vector::add_product(left[Row], Vector::splat(channel.row(static_cast<int>(Row))[ahead]), weights), ...);
        }
    }

   private:
    template <class Body>
    [[gnu::always_inline]] static void both(int row, Vector::Float& left, Vector::Float& right, const Body& body) {
        body(row, 0, left);
        if constexpr (Columns == 2) body(row, 1, right);
    }
    [[gnu::always_inline]] static void add_pair(Vector::Float value, Vector::Float weights, Vector::Float more,
                                                Vector::Float& left, Vector::Float& right) {
        Vector::add_product(left, value, weights);
        Vector::add_product(right, value, more);
    }
};

template <int Rows, int Columns>
using TileSums = Sums<Columns, std::make_index_sequence<Rows>>;

}  // namespace
}  // namespace seq::cpu
