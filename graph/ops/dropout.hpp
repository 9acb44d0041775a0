#pragma once

#include "graph/ops/common.hpp"

namespace seq::ops {

/// Gives what it gets.
struct Identity {
    static constexpr std::string_view name = "Identity";
    static constexpr std::string_view doc = "Gives what it gets.";
    static constexpr OpTraits traits{.elementwise = true, .identity_at_inference = true};
    static void declare(FieldTable<Identity>&) {}
    void infer(InferContext& context) { context.output(context.input()); }
};

/// Dropout zeroes elements in training and is the identity at inference.
struct Dropout {
    double p = 0.5;
    bool inplace = false;

    static constexpr std::string_view name = "Dropout";
    static constexpr std::string_view doc = "Zeroes elements in training; the identity at inference.";
    static constexpr OpTraits traits{.elementwise = true, .identity_at_inference = true};
    static void declare(FieldTable<Dropout>& table);
    void infer(InferContext& context) { context.output(context.input()); }
};

/// Dropout that keeps the mean and variance of SELU's output in training.
struct AlphaDropout {
    double p = 0.5;
    bool inplace = false;

    static constexpr std::string_view name = "AlphaDropout";
    static constexpr std::string_view doc = "Dropout for SELU networks; the identity at inference.";
    static constexpr OpTraits traits{.elementwise = true, .identity_at_inference = true};
    static void declare(FieldTable<AlphaDropout>& table);
    void infer(InferContext& context) { context.output(context.input()); }
};

/// AlphaDropout of whole channels.
struct FeatureAlphaDropout {
    double p = 0.5;
    bool inplace = false;

    static constexpr std::string_view name = "FeatureAlphaDropout";
    static constexpr std::string_view doc = "AlphaDropout of whole channels; the identity at inference.";
    static constexpr OpTraits traits{.elementwise = true, .identity_at_inference = true};
    static void declare(FieldTable<FeatureAlphaDropout>& table);
    void infer(InferContext& context) { context.output(context.input()); }
};

/// Dropout of whole channels: [N, C, spatial...].
template <int N>
struct DropoutNd {
    double p = 0.5;
    bool inplace = false;

    static constexpr std::string_view name = by_rank<N>("Dropout1d", "Dropout2d", "Dropout3d");
    static constexpr std::string_view doc = "Dropout of whole channels; the identity at inference.";
    static constexpr OpTraits traits{.elementwise = true, .identity_at_inference = true};
    static void declare(FieldTable<DropoutNd>& table);
    void infer(InferContext& context) { context.output(context.input()); }
};

using Dropout1d = DropoutNd<1>;
using Dropout2d = DropoutNd<2>;
using Dropout3d = DropoutNd<3>;

extern template struct DropoutNd<1>;
extern template struct DropoutNd<2>;
extern template struct DropoutNd<3>;

}  // namespace seq::ops
