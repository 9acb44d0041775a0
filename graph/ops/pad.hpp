#pragma once

#include <array>
#include <optional>

#include "graph/ops/common.hpp"

namespace seq::ops {

enum class PadMode { constant, reflect, replicate, circular };

/// What a pad adds before and after one dimension; negative amounts crop.
struct PadAmount {
    std::int64_t before = 0;
    std::int64_t after = 0;
    bool operator==(const PadAmount&) const = default;
};

/// Any of the pads in one form.
struct PadForm {
    PadMode mode = PadMode::constant;
    double value = 0;
    /// How many of the last dimensions are padded.
    int dims = 0;
    /// For those, outermost first.
    std::array<PadAmount, 3> amounts{};
};

/// Where `op` is a pad whose `padding` has a valid length: its form.
std::optional<PadForm> pad_form(const Op& op);

/// Pads the last D dimensions, of an input of any rank that has them, with zeros. `padding` is one amount for every
/// side, or [before, after] for each dimension, the last dimension first; negative amounts crop, in all pads.
template <int D>
struct ZeroPad {
    IntList padding = 0;

    static constexpr std::string_view name = by_rank<D>("ZeroPad1d", "ZeroPad2d", "ZeroPad3d");
    static constexpr std::string_view doc = "Pads with zeros.";
    static void declare(FieldTable<ZeroPad>& table);
    void infer(InferContext& context);
};

/// As ZeroPad, with a number of one's own.
template <int D>
struct ConstantPad {
    IntList padding = 0;
    double value = 0;

    static constexpr std::string_view name = by_rank<D>("ConstantPad1d", "ConstantPad2d", "ConstantPad3d");
    static constexpr std::string_view doc = "Pads with a number.";
    static void declare(FieldTable<ConstantPad>& table);
    void infer(InferContext& context);
};

/// Pads [C, ...] or [N, C, ...] by mirroring at the edge, which is not repeated. Refused with spec/value where an
/// amount is not less than the dimension.
template <int D>
struct ReflectionPad {
    IntList padding = 0;

    static constexpr std::string_view name = by_rank<D>("ReflectionPad1d", "ReflectionPad2d", "ReflectionPad3d");
    static constexpr std::string_view doc = "Pads by mirroring at the edges.";
    static void declare(FieldTable<ReflectionPad>& table);
    void infer(InferContext& context);
};

/// Pads [C, ...] or [N, C, ...] by repeating the edge.
template <int D>
struct ReplicationPad {
    IntList padding = 0;

    static constexpr std::string_view name = by_rank<D>("ReplicationPad1d", "ReplicationPad2d", "ReplicationPad3d");
    static constexpr std::string_view doc = "Pads by repeating the edges.";
    static void declare(FieldTable<ReplicationPad>& table);
    void infer(InferContext& context);
};

/// Pads [C, ...] or [N, C, ...] with the opposite side. Refused with spec/value where an amount is more than the
/// dimension.
template <int D>
struct CircularPad {
    IntList padding = 0;

    static constexpr std::string_view name = by_rank<D>("CircularPad1d", "CircularPad2d", "CircularPad3d");
    static constexpr std::string_view doc = "Pads with the opposite side.";
    static void declare(FieldTable<CircularPad>& table);
    void infer(InferContext& context);
};

using ZeroPad1d = ZeroPad<1>;
using ZeroPad2d = ZeroPad<2>;
using ZeroPad3d = ZeroPad<3>;
using ConstantPad1d = ConstantPad<1>;
using ConstantPad2d = ConstantPad<2>;
using ConstantPad3d = ConstantPad<3>;
using ReflectionPad1d = ReflectionPad<1>;
using ReflectionPad2d = ReflectionPad<2>;
using ReflectionPad3d = ReflectionPad<3>;
using ReplicationPad1d = ReplicationPad<1>;
using ReplicationPad2d = ReplicationPad<2>;
using ReplicationPad3d = ReplicationPad<3>;
using CircularPad1d = CircularPad<1>;
using CircularPad2d = CircularPad<2>;
using CircularPad3d = CircularPad<3>;

}  // namespace seq::ops
