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
    SEQ_INLINE void advance() {
        if (++inner_ < inner_size_) return;
        inner_ = 0;
        if (++outer_ < outer_size_) return;
        outer_ = 0;
        ++picture_;
    }
    SEQ_INLINE std::int64_t picture() const { return picture_; }
    SEQ_INLINE std::int64_t row() const { return across_ ? inner_ : outer_; }
    SEQ_INLINE std::int64_t column() const { return across_ ? outer_ : inner_; }

   private:
    std::int64_t inner_size_, outer_size_;
    bool across_;
    std::int64_t picture_, outer_, inner_;
};

/// Pixels of a line that follow each other, of which [first, end) lie in the picture.
struct Span {
    std::int64_t start;  ///< in floats, from the picture's first pixel on
    int first, end;
};

/// `size` pixels of a line from column `column` on, which lies `pad` pixels of the picture before it.
SEQ_INLINE Span span_at(const Pictures& pictures, std::int64_t dilation, std::int64_t row, std::int64_t column,
                        std::int64_t pad, int size) {
    std::int64_t position = column * dilation - pad + (dilation > 1 ? row : 0);
    const std::int64_t step = dilation > 1 ? pictures.row : pictures.pixel;
    Span span{row * pictures.row + column * pictures.pixel - pad * step, 0, size};
    if (position >= 0 && position + (size - 1) * dilation < pictures.length) return span;
    span.end = 0;
    for (int i = 0; i < size && position < pictures.length; ++i, position += dilation, ++span.end) {
        if (position < 0) span.first = i + 1;
    }
    return span;
}

/// The numbers of `size` pixels, of which `lanes` channels are there; 0 outside of the span.
template <class Simd, int Size>
SEQ_INLINE void load_part(const float* channels, std::int64_t pixel, const Span& span, int lanes,
                          typename Simd::Vector* numbers) {
    for (int i = 0; i < Size; ++i) {
        const int inside = i >= span.first && i < span.end ? 1 : 0;
        numbers[i] = Simd::load(channels + (span.start + i * pixel) * inside, Simd::mask(lanes * inside));
    }
}

template <class Simd, int Tile>
SEQ_INLINE void store_transformed(typename Simd::Vector* d, std::int64_t stride, float* target) {
    transform_input<Tile>(d);
    for (int i = 0; i < reach(Tile); ++i, target += stride) Simd::store(target, d[i]);
}

template <class Simd, int Tile>
void transform_lines(const Grid& grid, const float* input, std::int64_t first, std::int64_t count, float* target) {
    constexpr int size = reach(Tile);
    const Pictures in = grid.in;
    const std::int64_t dilation = grid.dilation, pad = grid.pad_left, stride = grid.input_stride;
    const std::int64_t full_blocks = in.last_lanes == Simd::lanes ? in.blocks : in.blocks - 1;
    typename Simd::Vector d[size];
    LineWalk walk(grid, first);
    for (std::int64_t i = 0; i < count; ++i, walk.advance(), target += Simd::lanes) {
        const Span span = span_at(in, dilation, walk.row(), walk.column() * Tile, pad, size);
        const float* channels = input + walk.picture() * in.picture;
        float* to = target;
        const bool whole = span.first == 0 && span.end == size;
        const std::int64_t fast_blocks = whole ? full_blocks : 0;
        const float* from = channels + span.start;
        for (std::int64_t block = 0; block < fast_blocks; ++block, from += in.block, to += count * Simd::lanes) {
            for (int j = 0; j < size; ++j) d[j] = Simd::load(from + j * in.pixel);
            store_transformed<Simd, Tile>(d, stride, to);
        }
        for (std::int64_t block = fast_blocks; block < in.blocks; ++block, to += count * Simd::lanes) {
            const int lanes = block < full_blocks ? Simd::lanes : in.last_lanes;
            load_part<Simd, size>(channels + block * in.block, in.pixel, span, lanes, d);
            store_transformed<Simd, Tile>(d, stride, to);
        }
    }
}

/// One block of channels of `columns` outputs of a tile, of which `lanes` channels are there.
template <class Simd, int Tile>
SEQ_INLINE void store_part(const typename Simd::Vector* m, std::int64_t pixel, int columns, int lanes,
                           const Finish<Simd>& finish, const float* residual, float* output) {
    const typename Simd::Mask mask = Simd::mask(lanes);
    for (int i = 0; i < Tile; ++i) {
        if (i >= columns) break;
        const auto value = residual == nullptr ? finish(m[i]) : finish(m[i], Simd::load(residual + i * pixel, mask));
        Simd::store(output + i * pixel, value, mask);
    }
}

template <class Simd, int Tile>
SEQ_INLINE void store_whole(const typename Simd::Vector* m, std::int64_t pixel, const Finish<Simd>& finish,
                            const float* residual, float* output) {
    if (residual == nullptr) {
        for (int i = 0; i < Tile; ++i) Simd::store(output + i * pixel, finish(m[i]));
    } else {
        for (int i = 0; i < Tile; ++i) Simd::store(output + i * pixel, finish(m[i], Simd::load(residual + i * pixel)));
    }
}

/// One block of channels, where the products of a tile are two blocks after those of the one before it.
template <class Simd, int Tile>
SEQ_INLINE void transform_block_back(const Grid& grid, const float* products, std::int64_t first, std::int64_t count,
                                     std::int64_t block, const Epilogue& epilogue, float* output) {
    constexpr int size = reach(Tile);
    const Pictures out = grid.out;
    const std::int64_t dilation = grid.dilation, stride = grid.product_stride;
    const int lanes = block + 1 < out.blocks ? Simd::lanes : out.last_lanes;
    const Finish<Simd> finish(epilogue, block);
    const float* const residuals = epilogue.residual;
    LineWalk walk(grid, first);
    for (std::int64_t i = 0; i < count; ++i, walk.advance(), products += 2 * Simd::lanes) {
        const Span span = span_at(out, dilation, walk.row(), walk.column() * Tile, 0, Tile);
        const std::int64_t at = walk.picture() * out.picture + block * out.block + span.start;
        const float* residual = residuals == nullptr ? nullptr : residuals + at;
        typename Simd::Vector m[size];
        for (int j = 0; j < size; ++j) m[j] = Simd::load(products + j * stride);
        transform_output<Tile>(m);
        if (span.end == Tile && lanes == Simd::lanes) {
            store_whole<Simd, Tile>(m, out.pixel, finish, residual, output + at);
        } else {
            store_part<Simd, Tile>(m, out.pixel, span.end, lanes, finish, residual, output + at);
        }
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
    if (tile == 4) return {transform_lines<Simd, 4>, transform_lines_back<Simd, 4>};
    return {transform_lines<Simd, 2>, transform_lines_back<Simd, 2>};
}

}  // namespace
}  // namespace seq::cpu::winograd
