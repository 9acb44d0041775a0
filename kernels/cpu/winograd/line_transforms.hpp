#pragma once

#include "kernels/cpu/winograd/finish.hpp"
#include "kernels/cpu/winograd/routines.hpp"
#include "kernels/cpu/winograd/transform.hpp"

// The transforms of tiles along lines over an instruction set that is given as a class `Simd`, which names its Vector
// and its Mask of lanes. Included by one source for each; nothing in it is shared between them.
namespace seq::cpu::winograd {
namespace {

/// Where the tiles lie that follow each other from `first` on.
class LineWalk {
   public:
    SEQ_INLINE LineWalk(const Grid& grid, std::int64_t first)
        : inner_size_(grid.across ? grid.tile_rows : grid.tile_columns),
          outer_size_(grid.across ? grid.tile_columns : grid.tile_rows),
          across_(grid.across),
          picture_(first / inner_size_ / outer_size_),
          outer_(first / inner_size_ % outer_size_),
          inner_(first % inner_size_) {}
    /// By at most as many tiles as run_left().
    SEQ_INLINE void advance(std::int64_t tiles) {
        inner_ += tiles;
        if (inner_ < inner_size_) return;
        inner_ = 0;
        if (++outer_ < outer_size_) return;
        outer_ = 0;
        ++picture_;
    }
    /// How many tiles from this one on are the same distance apart.
    SEQ_INLINE std::int64_t run_left() const { return inner_size_ - inner_; }
    SEQ_INLINE std::int64_t picture() const { return picture_; }
    SEQ_INLINE std::int64_t row() const { return across_ ? inner_ : outer_; }
    SEQ_INLINE std::int64_t column() const { return across_ ? outer_ : inner_; }

   private:
    std::int64_t inner_size_, outer_size_;
    bool across_;
    std::int64_t picture_, outer_, inner_;
};

/// The `size` pixels of a line that a tile reads or writes, of which [first, end) lie in the picture, and those of the
/// tiles that follow.
struct Span {
    std::int64_t start = 0;  ///< in floats, from the picture's first pixel on
    int first = 0, end = 0;
    std::int64_t step = 0;   ///< in floats, to the next tile
    std::int64_t tiles = 1;  ///< so many, where this one lies in the picture whole, do too
};

SEQ_INLINE std::int64_t smaller(std::int64_t a, std::int64_t b) { return a < b ? a : b; }

/// `pad`: by how many pixels of the picture a line's first tile begins before it. `left`: how many tiles are wanted.
template <int Tile>
SEQ_INLINE Span span_at(const Grid& grid, const Pictures& pictures, const LineWalk& walk, std::int64_t pad, int size,
                        std::int64_t left) {
    const std::int64_t dilation = grid.dilation, column = walk.column() * Tile;
    const bool interleaved = dilation > 1;
    std::int64_t position = column * dilation - pad + (interleaved ? walk.row() : 0);
    const std::int64_t last = pictures.length - 1 - (size - 1) * dilation;
    Span span;
    span.start =
        walk.row() * pictures.row + column * pictures.pixel - pad * (interleaved ? pictures.row : pictures.pixel);
    span.step = grid.across ? pictures.row : Tile * pictures.pixel;
    if (position >= 0 && position <= last) {
        span.end = size;
        span.tiles = smaller(left, walk.run_left());
        const std::int64_t step = grid.across ? (interleaved ? 1 : 0) : Tile * dilation;
        if (position + (span.tiles - 1) * step > last) span.tiles = (last - position) / step + 1;
        return span;
    }
    for (int i = 0; i < size && position < pictures.length; ++i, position += dilation, ++span.end) {
        if (position < 0) span.first = i + 1;
    }
    return span;
}

/// Transforms of a tile after the other, each the next in `target`, [channel block][tile][lane].
template <class Simd, int Tile>
struct LineInput {
    using Form = Filtering<Tile, 1>;
    static constexpr int size = Form::reach;
    using Vector = typename Simd::Vector;
    std::int64_t pixel, block, stride, target_block;

    SEQ_INLINE void store(Vector* d, float* target) const {
        Form::transform_input(d);
        for (int i = 0; i < size; ++i, target += stride) Simd::store(target, d[i]);
    }
    /// `blocks` whole blocks of channels of tiles that lie in the picture.
    SEQ_INLINE void whole(const float* channels, const Span& span, std::int64_t blocks, float* target) const {
        const std::int64_t step = span.step, from_block = block, to_block = target_block, to_pixel = pixel;
        for (std::int64_t tile = 0; tile < span.tiles; ++tile, channels += step, target += Simd::lanes) {
            const float* from = channels;
            float* to = target;
            for (std::int64_t i = 0; i < blocks; ++i, from += from_block, to += to_block) {
                Vector d[size];
                for (int j = 0; j < size; ++j) d[j] = Simd::load(from + j * to_pixel);
                store(d, to);
            }
        }
    }
    /// One block of channels, of which `lanes` are there; 0 outside of the span.
    SEQ_INLINE void part(const float* channels, const Span& span, int lanes, float* target) const {
        for (std::int64_t tile = 0; tile < span.tiles; ++tile, target += Simd::lanes) {
            const float* first = channels + span.start + tile * span.step;
            Vector d[size];
            for (int j = 0; j < size; ++j) {
                const bool inside = j >= span.first && j < span.end;
                d[j] = Simd::load(inside ? first + j * pixel : channels, Simd::mask(inside ? lanes : 0));
            }
            store(d, target);
        }
    }
};

template <class Simd, int Tile>
void transform_lines(const Grid& grid, const float* input, const Group& group, float* target) {
    constexpr int size = Filtering<Tile, 1>::reach;
    const Pictures& in = grid.in;
    std::int64_t count = group.count;
    target += group.before * in.blocks * Simd::lanes;
    const LineInput<Simd, Tile> transform{in.pixel, in.block, grid.plane + Simd::lanes, count * Simd::lanes};
    const std::int64_t full_blocks = in.last_lanes == Simd::lanes ? in.blocks : in.blocks - 1;
    LineWalk walk(grid, group.first);
    while (count > 0) {
        const Span span = span_at<Tile>(grid, in, walk, grid.pad_left, size, count);
        const float* channels = input + walk.picture() * in.picture;
        const bool inside = span.first == 0 && span.end == size;
        const std::int64_t whole_blocks = inside ? full_blocks : 0;
        if (inside) transform.whole(channels + span.start, span, whole_blocks, target);
        for (std::int64_t block = whole_blocks; block < in.blocks; ++block) {
            transform.part(channels + block * in.block, span, block < full_blocks ? Simd::lanes : in.last_lanes,
                           target + block * transform.target_block);
        }
        target += span.tiles * Simd::lanes;
        count -= span.tiles;
        walk.advance(span.tiles);
    }
}

/// Transforms back of a tile after the other, whose products are two blocks after those of the one before it.
template <class Simd, int Tile>
struct LineOutput {
    using Form = Filtering<Tile, 1>;
    static constexpr int size = Form::positions;
    using Vector = typename Simd::Vector;
    std::int64_t pixel, stride;

    SEQ_INLINE void load(const float* products, Vector* m) const {
        for (int j = 0; j < size; ++j) m[j] = Simd::load(products + j * stride);
        Form::transform_output(m);
    }
    template <bool Residual>
    SEQ_INLINE void whole(const float* products, const Span& span, const Finish<Simd>& finish, const float* residual,
                          float* output) const {
        const std::int64_t step = span.step, to_pixel = pixel;
        for (std::int64_t tile = 0; tile < span.tiles; ++tile, products += 2 * Simd::lanes, output += step) {
            Vector m[size];
            load(products, m);
            for (int i = 0; i < Tile; ++i) {
                Simd::store(output + i * to_pixel,
                            Residual ? finish(m[i], Simd::load(residual + i * to_pixel)) : finish(m[i]));
            }
            if (Residual) residual += step;
        }
    }
    /// Of `lanes` channels.
    SEQ_INLINE void part(const float* products, const Span& span, const Finish<Simd>& finish, int lanes,
                         const float* residual, float* output) const {
        const typename Simd::Mask mask = Simd::mask(lanes);
        for (std::int64_t tile = 0; tile < span.tiles; ++tile, products += 2 * Simd::lanes) {
            Vector m[size];
            load(products, m);
            for (int i = 0; i < Tile; ++i) {
                if (i >= span.end) break;
                const std::int64_t at = tile * span.step + i * pixel;
                const Vector value = residual == nullptr ? finish(m[i]) : finish(m[i], Simd::load(residual + at, mask));
                Simd::store(output + at, value, mask);
            }
        }
    }
};

/// One block of channels.
template <class Simd, int Tile>
SEQ_INLINE void transform_block_back(const Grid& grid, const float* products, std::int64_t first, std::int64_t count,
                                     std::int64_t block, const Epilogue& epilogue, float* output) {
    const Pictures& out = grid.out;
    const LineOutput<Simd, Tile> transform{out.pixel, grid.product_stride};
    const int lanes = block + 1 < out.blocks ? Simd::lanes : out.last_lanes;
    const Finish<Simd> finish(epilogue, block);
    LineWalk walk(grid, first);
    while (count > 0) {
        const Span span = span_at<Tile>(grid, out, walk, 0, Tile, count);
        const std::int64_t at = walk.picture() * out.picture + block * out.block + span.start;
        const float* residual = epilogue.residual == nullptr ? nullptr : epilogue.residual + at;
        if (span.end < Tile || lanes < Simd::lanes) {
            transform.part(products, span, finish, lanes, residual, output + at);
        } else if (residual == nullptr) {
            transform.template whole<false>(products, span, finish, residual, output + at);
        } else {
            transform.template whole<true>(products, span, finish, residual, output + at);
        }
        products += span.tiles * 2 * Simd::lanes;
        count -= span.tiles;
        walk.advance(span.tiles);
    }
}

template <class Simd, int Tile>
void transform_lines_back(const Grid& grid, const float* products, std::int64_t first, std::int64_t count,
                          std::int64_t column, const Epilogue& epilogue, float* output) {
    const int blocks = column * 2 + 1 < grid.out.blocks ? 2 : 1;
    for (int half = 0; half < blocks; ++half) {
        transform_block_back<Simd, Tile>(grid, products + half * Simd::lanes, first, count, column * 2 + half, epilogue,
                                         output);
    }
}

template <class Simd>
Transforms line_transforms_by(int tile) {
    if (tile == 4) return {transform_lines<Simd, 4>, transform_lines_back<Simd, 4>, nullptr};
    return {transform_lines<Simd, 2>, transform_lines_back<Simd, 2>, nullptr};
}

}  // namespace
}  // namespace seq::cpu::winograd
