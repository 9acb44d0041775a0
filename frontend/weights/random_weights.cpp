#include "frontend/weights/random_weights.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <unordered_map>

#include "frontend/io/quoted_name.hpp"
#include "frontend/weights/normalize.hpp"
#include "graph/checked.hpp"
#include "graph/convert.hpp"
#include "graph/diagnostic.hpp"
#include "graph/fnv1a.hpp"

namespace seq {
namespace {

constexpr std::size_t piece_count = std::size_t{1} << 15;

/// SplitMix64's output function (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014).
std::uint64_t mix(std::uint64_t z) {
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

/// The i-th number of a stream, in [-1, 1).
double uniform(std::uint64_t stream, std::uint64_t i) {
    const std::uint64_t bits = mix(stream + (i + 1) * 0x9e3779b97f4a7c15u) >> 11;
    return static_cast<double>(bits) * 0x1p-52 - 1.0;
}

/// Where the centre is not 0 the radius is a power of 2, so that a contracted multiply-add gives the same.
struct Distribution {
    double centre = 0;
    double radius = 0.125;
};

Distribution distribution_of(std::string_view name, const std::vector<std::int64_t>& sizes) {
    const std::size_t dot = name.rfind('.');
    const std::string_view leaf = dot == std::string_view::npos ? name : name.substr(dot + 1);
    if (leaf == "running_var") return {1, 0.5};
    if (sizes.size() >= 2) {
        double fan_in = 1;
        for (std::size_t i = 1; i < sizes.size(); ++i)
            fan_in *= static_cast<double>(std::max<std::int64_t>(sizes[i], 1));
        return {0, std::sqrt(6.0 / fan_in)};
    }
    if (leaf == "weight") return {1, 0.125};
    return {};
}

class RandomWeights final : public WeightSource {
   public:
    RandomWeights(std::vector<Entry> entries, std::uint64_t seed) : entries_(std::move(entries)), seed_(seed) {
        for (std::size_t i = 0; i < entries_.size(); ++i) by_name_.emplace(entries_[i].name, i);
    }

    const std::vector<Entry>& entries() const override { return entries_; }
    const Entry* find(std::string_view name) const override {
        const auto found = by_name_.find(name);
        return found == by_name_.end() ? nullptr : &entries_[found->second];
    }
    std::string description() const override { return fmt::format("random weights of seed {}", seed_); }

    void read(const Entry& entry, std::span<std::byte> out) const override {
        check_byte_count(entry, out.size());
        std::byte* target = out.data();
        stream(entry,
               [&](std::span<const std::byte> piece) { target = std::copy(piece.begin(), piece.end(), target); });
    }

    void stream(const Entry& entry, const std::function<void(std::span<const std::byte>)>& sink) const override {
        const Distribution distribution = distribution_of(entry.name, entry.sizes);
        const std::uint64_t stream = mix(seed_ ^ mix(fnv1a(entry.name)));
        const std::size_t element = size_of(entry.dtype);
        const std::uint64_t count = byte_count_of(entry) / element;
        std::vector<double> values;
        std::vector<std::byte> bytes;
        for (std::uint64_t begin = 0; begin < count; begin += piece_count) {
            values.resize(static_cast<std::size_t>(std::min<std::uint64_t>(piece_count, count - begin)));
            for (std::size_t i = 0; i < values.size(); ++i)
                values[i] = distribution.centre + distribution.radius * uniform(stream, begin + i);
            bytes.resize(values.size() * element);
            convert_floats(values.data(), DType::f64, bytes.data(), entry.dtype, values.size());
            sink(bytes);
        }
    }

   private:
    std::vector<Entry> entries_;
    std::uint64_t seed_;
    std::unordered_map<std::string_view, std::size_t> by_name_;
};

}  // namespace

std::shared_ptr<WeightSource> random_weights(std::span<const NeededParameter> needed, std::uint64_t seed) {
    std::vector<WeightSource::Entry> entries;
    for (const NeededParameter& parameter : needed) {
        const auto sizes = parameter.type.error ? std::nullopt : parameter.type.shape.sizes();
        if (!sizes || !is_float(parameter.type.dtype)) {
            throw Error("weights/missing",
                        fmt::format("{} has no static float type to make up weights for", quoted_name(parameter.name)));
        }
        entries.push_back({parameter.name, parameter.type.dtype, *sizes});
    }
    return std::make_shared<RandomWeights>(std::move(entries), seed);
}

}  // namespace seq
