#pragma once

#include "kernels/cpu/winograd/finish.hpp"
#include "kernels/cpu/winograd/routines.hpp"
#include "kernels/cpu/winograd/transform.hpp"

// The transforms of whole tiles over an instruction set that is given as a class `Simd`, which names its Vector and its
// Mask of lanes. Included by one source for each; nothing in it is shared between them.
namespace seq::cpu::winograd {
namespace {

/// The rows and columns of a window of `size` pixels a side that lie in a picture.
struct Window {
    std::int64_t top, left;
    int first_row, end_row, first_column, end_column;
};

SEQ_INLINE Window window_at(std::int64_t top, std::int64_t left, int size, const Pictures& pictures) {
    const auto cut = [size](std::int64_t at) { return at < 0 ? 0 : at > size ? size : static_cast<int>(at); };
    return {top, left, cut(-top), cut(pictures.height - top), cut(-left), cut(pictures.width - left)};
}

SEQ_INLINE bool is_whole(const Window& window, int size) {
    return window.first_row == 0 && window.end_row == size && window.first_column == 0 && window.end_column == size;
}

/// Whether the channels of a pixel lie together. Walks follow memory: tile by tile then, otherwise block by block.
SEQ_INLINE bool is_by_pixel(const Pictures& pictures) { return pictures.pixel == pictures.channels; }

/// Where the tiles lie that follow each other from `first` on.
class TileWalk {
   public:
    SEQ_INLINE TileWalk(const Grid& grid, std::int64_t first)
        : rows_(grid.tile_rows),
          columns_(grid.tile_columns),
          picture_(first / columns_ / rows_),
          row_(first / columns_ % rows_),
          column_(first % columns_) {}
    SEQ_INLINE void advance() {
        if (++column_ < columns_) return;
        column_ = 0;
        if (++row_ < rows_) return;
        row_ = 0;
        ++picture_;
    }
    SEQ_INLINE std::int64_t picture() const { return picture_; }
    SEQ_INLINE std::int64_t row() const { return row_; }
    SEQ_INLINE std::int64_t column() const { return column_; }

   private:
    std::int64_t rows_, columns_, picture_, row_, column_;
};

/// A picture, or those of its pixels that lie a dilation apart, as a picture of its own.
struct Lattice {
    Pictures in, out;
    std::int64_t in_start = 0, out_start = 0;  ///< of its first pixels, in floats
    std::int64_t pad_top = 0, pad_left = 0;
};

/// Pixels `first`, first + step, ... of `size`.
SEQ_INLINE std::int64_t count_from(std::int64_t first, std::int64_t size, std::int64_t step) {
    return first < size ? (size - first + step - 1) / step : 0;
}

/// Of rows or columns, where output pixel `first` and those that follow it each `step` read.
struct LatticeAxis {
    std::int64_t first = 0, pad = 0;  ///< of the input: the first pixel, and how many are padded before it

    SEQ_INLINE LatticeAxis(std::int64_t output, std::int64_t padding, std::int64_t step) {
        const std::int64_t start = output - padding;
        first = (start % step + step) % step;
        pad = (first - start) / step;
    }
};

SEQ_INLINE Lattice lattice_at(const Grid& grid, std::int64_t index) {
    const std::int64_t rows = grid.row_dilation, columns = grid.column_dilation;
    const std::int64_t picture = index / (rows * columns), row = index / columns % rows, column = index % columns;
    Lattice lattice{grid.in,      grid.out,     picture * grid.in.picture, picture * grid.out.picture,
                    grid.pad_top, grid.pad_left};
    if (rows * columns == 1) return lattice;
    const LatticeAxis down(row, grid.pad_top, rows), along(column, grid.pad_left, columns);
    lattice.in_start += down.first * grid.in.row + along.first * grid.in.pixel;
    lattice.out_start += row * grid.out.row + column * grid.out.pixel;
    lattice.pad_top = down.pad;
    lattice.pad_left = along.pad;
    const auto spread = [&](Pictures& pictures, std::int64_t first_row, std::int64_t first_column) {
        pictures.height = count_from(first_row, pictures.height, rows);
        pictures.width = count_from(first_column, pictures.width, columns);
        pictures.row *= rows;
        pictures.pixel *= columns;
    };
    spread(lattice.in, down.first, along.first);
    spread(lattice.out, row, column);
    return lattice;
}

/// Between the two passes of a transform a tile lies in the first-level cache, since 6×6 vectors or more fit no
/// registers.
template <class Simd, int Rows, int Columns>
struct Between {
    alignas(64) float at[Rows][Columns][Simd::lanes];
};

/// B^T of a window's columns; what lies outside the picture is 0. `channels` points to the picture's first pixel.
template <class Simd, class Form>
SEQ_INLINE void transform_columns(const Pictures& in, const float* channels, const Window& window,
                                  Between<Simd, Form::reach, Form::reach>& between) {
    constexpr int size = Form::reach;
    using Vector = typename Simd::Vector;
    const std::int64_t row = in.row;
    const float* corner = channels + window.top * row + window.left * in.pixel;
#pragma GCC unroll 1
    for (int j = 0; j < size; ++j, corner += in.pixel) {
        Vector d[size];
        for (int i = 0; i < size; ++i) d[i] = Simd::load(corner + i * row);
        Form::transform_input(d);
        for (int i = 0; i < size; ++i) Simd::store(between.at[i][j], d[i]);
    }
}

/// The rows of a window that is not whole: where they begin, and whether they are there.
template <int Size>
struct Rows {
    std::int64_t start[Size];
    int inside[Size];
};

template <int Size>
SEQ_INLINE Rows<Size> rows_of(const Window& window, const Pictures& pictures) {
    Rows<Size> rows;
    for (int i = 0; i < Size; ++i) {
        rows.inside[i] = i >= window.first_row && i < window.end_row ? 1 : 0;
        rows.start[i] = (window.top + i) * pictures.row * rows.inside[i];
    }
    return rows;
}

/// The same at the edge of a picture, or of its channels, of which `lanes` are there.
template <class Simd, class Form>
SEQ_INLINE void transform_part(const Pictures& in, const float* channels, const Window& window,
                               const Rows<Form::reach>& rows, int lanes,
                               Between<Simd, Form::reach, Form::reach>& between) {
    constexpr int size = Form::reach;
    typename Simd::Mask masks[size];
    for (int i = 0; i < size; ++i) masks[i] = Simd::mask(lanes * rows.inside[i]);
#pragma GCC unroll 1
    for (int j = 0; j < size; ++j) {
        typename Simd::Vector d[size] = {};
        if (j >= window.first_column && j < window.end_column) {
            const float* column = channels + (window.left + j) * in.pixel;
            for (int i = 0; i < size; ++i) d[i] = Simd::load(column + rows.start[i], masks[i]);
            Form::transform_input(d);
        }
        for (int i = 0; i < size; ++i) Simd::store(between.at[i][j], d[i]);
    }
}

/// Where the transform of a tile's block of channels lies.
template <class Simd, class Form>
struct Target {
    float* first;
    std::int64_t plane;          ///< as Grid::plane
    std::int64_t before, group;  ///< the parts of it that hold the tiles before a group, and the group's

    SEQ_INLINE void store_row(int row, const typename Simd::Vector* d) const {
        constexpr int stride = Form::stride;
        const int position = row / stride, phase = row % stride;
        const std::int64_t phases = Form::phases(position);
        float* const to = first + position * (stride * Form::reach * plane + Form::positions * Simd::lanes);
        const std::int64_t step = phases * stride * plane + Simd::lanes, start = phases * before + phase * group;
        for (int j = 0; j < Form::reach; ++j) {
            const int column = j / stride;
            Simd::store(to + column * step + Form::phases(column) * start + j % stride * group, d[j]);
        }
    }
};

/// One block of channels of a tile. `channels` points to the first pixel of the picture.
template <class Simd, class Form>
SEQ_INLINE void transform_tile(const Pictures& in, const float* channels, const Window& window, int lanes,
                               const Target<Simd, Form>& target) {
    constexpr int size = Form::reach;
    Between<Simd, size, size> between;
    if (is_whole(window, size) && lanes == Simd::lanes) {
        transform_columns<Simd, Form>(in, channels, window, between);
    } else {
        transform_part<Simd, Form>(in, channels, window, rows_of<size>(window, in), lanes, between);
    }
#pragma GCC unroll 1
    for (int i = 0; i < size; ++i) {
        typename Simd::Vector d[size];
        for (int j = 0; j < size; ++j) d[j] = Simd::load(between.at[i][j]);
        Form::transform_input(d);
        target.store_row(i, d);
    }
}

template <class Simd, class Form>
void transform_tiles(const Grid& grid, const float* input, const Group& group, float* target) {
    constexpr int step = Form::tile * Form::stride;
    const std::int64_t blocks = grid.in.blocks, outer = is_by_pixel(grid.in) ? 1 : blocks, inner = blocks / outer;
    const std::int64_t tile_floats = blocks * Simd::lanes;
    for (std::int64_t first_block = 0; first_block < outer; ++first_block) {
        TileWalk walk(grid, group.first);
        std::int64_t held = walk.picture();
        Lattice lattice = lattice_at(grid, held);
        const Pictures& in = lattice.in;
        for (std::int64_t i = 0; i < group.count; ++i, walk.advance()) {
            if (walk.picture() != held) lattice = lattice_at(grid, held = walk.picture());
            const Window window = window_at(walk.row() * step - lattice.pad_top,
                                            walk.column() * step - lattice.pad_left, Form::reach, in);
            const float* picture = input + lattice.in_start;
            for (std::int64_t block = first_block; block < first_block + inner; ++block) {
                const int lanes = block + 1 < in.blocks ? Simd::lanes : in.last_lanes;
                transform_tile<Simd, Form>(in, picture + block * in.block, window, lanes,
                                           {target + (block * group.count + i) * Simd::lanes, grid.plane,
                                            group.before * tile_floats, group.count * tile_floats});
            }
        }
    }
}

/// A^T of the products' rows.
template <class Simd, class Form>
SEQ_INLINE void transform_rows_back(const float* products, std::int64_t stride,
                                    Between<Simd, Form::positions, Form::tile>& between) {
    constexpr int size = Form::positions;
#pragma GCC unroll 1
    for (int i = 0; i < size; ++i) {
        typename Simd::Vector m[size];
        for (int j = 0; j < size; ++j, products += stride) m[j] = Simd::load(products);
        Form::transform_output(m);
        for (int j = 0; j < Form::tile; ++j) Simd::store(between.at[i][j], m[j]);
    }
}

template <class Simd, class Form>
SEQ_INLINE void load_column(const Between<Simd, Form::positions, Form::tile>& between, int j,
                            typename Simd::Vector* m) {
    for (int i = 0; i < Form::positions; ++i) m[i] = Simd::load(between.at[i][j]);
    Form::transform_output(m);
}

template <class Simd, class Form>
SEQ_INLINE void write_whole(const Between<Simd, Form::positions, Form::tile>& between, const Finish<Simd>& finish,
                            const Pictures& out, const float* residual, float* output) {
    const std::int64_t row = out.row;
#pragma GCC unroll 1
    for (int j = 0; j < Form::tile; ++j, output += out.pixel) {
        typename Simd::Vector m[Form::positions];
        load_column<Simd, Form>(between, j, m);
        if (residual == nullptr) {
            for (int i = 0; i < Form::tile; ++i) Simd::store(output + i * row, finish(m[i]));
        } else {
            for (int i = 0; i < Form::tile; ++i)
                Simd::store(output + i * row, finish(m[i], Simd::load(residual + i * row)));
            residual += out.pixel;
        }
    }
}

template <class Simd, class Form>
SEQ_INLINE void write_part(const Between<Simd, Form::positions, Form::tile>& between, const Finish<Simd>& finish,
                           const Pictures& out, const Window& window, int lanes, const float* residual, float* output) {
    const typename Simd::Mask mask = Simd::mask(lanes);
#pragma GCC unroll 1
    for (int j = 0; j < window.end_column; ++j) {
        typename Simd::Vector m[Form::positions];
        load_column<Simd, Form>(between, j, m);
        for (int i = 0; i < Form::tile; ++i) {
            if (i >= window.end_row) break;
            const std::int64_t at = i * out.row + j * out.pixel;
            const auto value = residual == nullptr ? finish(m[i]) : finish(m[i], Simd::load(residual + at, mask));
            Simd::store(output + at, value, mask);
        }
    }
}

/// The largest of each 2×2; what is left over at the edge of a picture is dropped.
template <class Simd, class Form>
SEQ_INLINE void write_pooled(const Between<Simd, Form::positions, Form::tile>& between, const Finish<Simd>& finish,
                             const Pictures& out, const Window& window, int lanes, float* output) {
    const typename Simd::Mask mask = Simd::mask(lanes);
#pragma GCC unroll 1
    for (int j = 0; j + 1 < window.end_column; j += 2, output += out.pixel) {
        typename Simd::Vector left[Form::positions], right[Form::positions];
        load_column<Simd, Form>(between, j, left);
        load_column<Simd, Form>(between, j + 1, right);
        for (int i = 0; i < Form::tile; i += 2) {
            if (i + 1 >= window.end_row) break;
            const auto upper = Simd::max_or_nan(left[i], right[i]);
            const auto lower = Simd::max_or_nan(left[i + 1], right[i + 1]);
            Simd::store(output + i / 2 * out.row, finish(Simd::max_or_nan(upper, lower)), mask);
        }
    }
}

/// One block of channels of a tile. `window` is the tile's in the output.
template <class Simd, class Form>
SEQ_INLINE void transform_tile_back(const Pictures& out, const float* products, std::int64_t stride,
                                    const Window& window, int lanes, const Finish<Simd>& finish, const float* residual,
                                    float* output) {
    Between<Simd, Form::positions, Form::tile> between;
    transform_rows_back<Simd, Form>(products, stride, between);
    if (is_whole(window, Form::tile) && lanes == Simd::lanes) {
        write_whole<Simd, Form>(between, finish, out, residual, output);
    } else {
        write_part<Simd, Form>(between, finish, out, window, lanes, residual, output);
    }
}

template <class Simd, class Form>
void transform_tiles_back(const Grid& grid, const float* products, std::int64_t first, std::int64_t count,
                          std::int64_t column, const Epilogue& epilogue, float* output) {
    const int blocks = column * 2 + 1 < grid.out.blocks ? 2 : 1, outer = is_by_pixel(grid.out) ? 1 : blocks;
    const Finish<Simd> finish[2] = {{epilogue, column * 2}, {epilogue, column * 2 + blocks - 1}};
    for (int first_block = 0; first_block < outer; ++first_block) {
        TileWalk walk(grid, first);
        std::int64_t held = walk.picture();
        Lattice lattice = lattice_at(grid, held);
        const Pictures& out = lattice.out;
        for (std::int64_t i = 0; i < count; ++i, walk.advance()) {
            if (walk.picture() != held) lattice = lattice_at(grid, held = walk.picture());
            const Window window = window_at(walk.row() * Form::tile, walk.column() * Form::tile, Form::tile, out);
            const std::int64_t corner = lattice.out_start + window.top * out.row + window.left * out.pixel;
            for (int half = first_block; half < first_block + blocks / outer; ++half) {
                const std::int64_t block = column * 2 + half, at = corner + block * out.block;
                const int lanes = block + 1 < out.blocks ? Simd::lanes : out.last_lanes;
                const float* residual = epilogue.residual == nullptr ? nullptr : epilogue.residual + at;
                transform_tile_back<Simd, Form>(out, products + (i * 2 + half) * Simd::lanes, grid.product_stride,
                                                window, lanes, finish[half], residual, output + at);
            }
        }
    }
}

template <class Simd, class Form>
void pool_tiles_back(const Grid& grid, const float* products, std::int64_t first, std::int64_t count,
                     std::int64_t column, const Epilogue& epilogue, float* output) {
    const Pictures& out = grid.out;
    for (std::int64_t half = 0; half < 2; ++half) {
        const std::int64_t block = column * 2 + half;
        if (block == out.blocks) break;
        const Finish<Simd> finish(epilogue, block);
        const int lanes = block + 1 < out.blocks ? Simd::lanes : out.last_lanes;
        TileWalk walk(grid, first);
        for (std::int64_t i = 0; i < count; ++i, walk.advance()) {
            const Window window = window_at(walk.row() * Form::tile, walk.column() * Form::tile, Form::tile, out);
            Between<Simd, Form::positions, Form::tile> between;
            transform_rows_back<Simd, Form>(products + (i * 2 + half) * Simd::lanes, grid.product_stride, between);
            write_pooled<Simd, Form>(between, finish, out, window, lanes,
                                     output + walk.picture() * out.picture + block * out.block +
                                         window.top / 2 * out.row + window.left / 2 * out.pixel);
        }
    }
}

template <class Simd, class Form>
Transforms transforms_of() {
    return {transform_tiles<Simd, Form>, transform_tiles_back<Simd, Form>, pool_tiles_back<Simd, Form>};
}

template <class Simd, int Stride>
Transforms transforms_by(int tile) {
    return tile == 4 ? transforms_of<Simd, Filtering<4, Stride>>() : transforms_of<Simd, Filtering<2, Stride>>();
}

template <class Simd>
Transforms transforms_by(int tile, int stride) {
    return stride == 1 ? transforms_by<Simd, 1>(tile) : transforms_by<Simd, 2>(tile);
}

}  // namespace
}  // namespace seq::cpu::winograd
