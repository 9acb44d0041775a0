#include "kernels/cpu/move/gather.hpp"

#include <algorithm>
#include <cstring>
#include <numeric>

#include "kernels/cpu/parallel.hpp"

namespace seq::cpu {
namespace {

bool is_identity(const PositionMap& map, std::int64_t size) {
    if (static_cast<std::int64_t>(map.size()) != size) return false;
    for (std::int64_t i = 0; i < size; ++i) {
        if (map[static_cast<std::size_t>(i)] != i) return false;
    }
    return true;
}

/// The maps of the physical dimensions of a value in `in`'s layout.
std::vector<PositionMap> physical_maps(const Placed& in, const std::vector<PositionMap>& maps) {
    std::vector<PositionMap> physical = maps;
    if (in.layout.kind == LayoutKind::plain || maps.size() < 2) return physical;
    const Sizes sizes = physical_sizes(in);
    if (in.layout.kind == LayoutKind::channels_last) {
        physical.erase(physical.begin() + 1);
        physical.push_back(maps[1]);
    } else {
        physical[1] = identity_map(sizes[1]);
        physical.push_back(identity_map(in.layout.block));
    }
    return physical;
}

}  // namespace

PositionMap identity_map(std::int64_t size) {
    PositionMap map(static_cast<std::size_t>(size));
    std::iota(map.begin(), map.end(), std::int64_t{0});
    return map;
}

bool Gather::can_gather(const Placed& in, const std::vector<PositionMap>& maps) {
    return in.layout.kind != LayoutKind::blocked || is_identity(maps[1], in.sizes[1]);
}

Gather::Gather(const Placed& in, const Placed& out, const std::vector<PositionMap>& maps, std::array<std::byte, 8> fill)
    : offsets_(physical_maps(in, maps)), sizes_(physical_sizes(out)), element_bytes_(size_of(in.dtype)), fill_(fill) {
    if (sizes_.empty()) {
        sizes_.push_back(1);
        offsets_.push_back({0});
    }
    const Sizes strides = dense_strides(physical_sizes(in));
    for (std::size_t d = 0; d + 1 < offsets_.size(); ++d) {
        for (std::int64_t& position : offsets_[d]) position = position < 0 ? -1 : position * strides[d];
    }
    const PositionMap& row = offsets_.back();
    for (std::size_t i = 0; i < row.size(); ++i) {
        const bool goes_on =
            !segments_.empty() &&
            (row[i] < 0 ? segments_.back().from < 0 : segments_.back().from >= 0 && row[i] == row[i - 1] + 1);
        if (!goes_on) segments_.push_back({static_cast<std::int64_t>(i), 0, row[i]});
        ++segments_.back().count;
    }
    if (row.size() < segments_.size() * 8) segments_.clear();
    fills_rows_ = std::any_of(row.begin(), row.end(), [](std::int64_t position) { return position < 0; });
}

template <class T>
void Gather::fill_row(const T* in, T* out, T fill) const {
    if (segments_.empty()) {
        const PositionMap& row = offsets_.back();
        if (fills_rows_) {
            for (std::size_t i = 0; i < row.size(); ++i) out[i] = row[i] < 0 ? fill : in[row[i]];
        } else {
            const std::int64_t* from = row.data();
            for (std::size_t i = 0, count = row.size(); i < count; ++i) out[i] = in[from[i]];
        }
        return;
    }
    for (const Segment& segment : segments_) {
        if (segment.from < 0) {
            std::fill_n(out + segment.at, segment.count, fill);
        } else {
            std::memcpy(out + segment.at, in + segment.from, static_cast<std::size_t>(segment.count) * sizeof(T));
        }
    }
}

template <class T>
void Gather::run_as(const T* in, T* out, T fill) const {
    const std::size_t outer = sizes_.size() - 1;
    const std::int64_t row = sizes_.back();
    const std::int64_t rows = product(std::span(sizes_).first(outer));
    parallel_for(rows, parallel_grain / std::max<std::int64_t>(row, 1) + 1, [&](std::int64_t first, std::int64_t last) {
        for (std::int64_t r = first; r < last; ++r) {
            std::int64_t rest = r, offset = 0;
            bool inside = true;
            for (std::size_t d = outer; d-- > 0;) {
                const std::int64_t at = offsets_[d][static_cast<std::size_t>(rest % sizes_[d])];
                inside = inside && at >= 0;
                offset += at;
                rest /= sizes_[d];
            }
            if (inside) {
                fill_row(in + offset, out + r * row, fill);
            } else {
                std::fill_n(out + r * row, row, fill);
            }
        }
    });
}

void Gather::run(const void* in, void* out) const {
    const auto as = [&]<class T>(T fill) {
        std::memcpy(&fill, fill_.data(), sizeof fill);
        run_as(static_cast<const T*>(in), static_cast<T*>(out), fill);
    };
    switch (element_bytes_) {
        case 1: return as(std::uint8_t{});
        case 2: return as(std::uint16_t{});
        case 4: return as(std::uint32_t{});
        default: return as(std::uint64_t{});
    }
}

}  // namespace seq::cpu
