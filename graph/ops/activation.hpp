#pragma once

#include "graph/ops/common.hpp"

namespace seq::ops {

// Each acts on every element; the shape and the float type stay. `inplace` is taken as PyTorch takes it and has no
// effect: the memory plan decides.

/// max(x, 0).
struct ReLU {
    bool inplace = false;

    static constexpr std::string_view name = "ReLU";
    static constexpr std::string_view doc = "The larger of the input and 0.";
    static constexpr OpTraits traits{.elementwise = true};
    static void declare(FieldTable<ReLU>& table);
    void infer(InferContext& context) { infer_same_shape(context); }
};

/// min(max(x, 0), 6).
struct ReLU6 {
    bool inplace = false;

    static constexpr std::string_view name = "ReLU6";
    static constexpr std::string_view doc = "The input, cut to 0 to 6.";
    static constexpr OpTraits traits{.elementwise = true};
    static void declare(FieldTable<ReLU6>& table);
    void infer(InferContext& context) { infer_same_shape(context); }
};

/// x where x > 0, else negative_slope · x.
struct LeakyReLU {
    double negative_slope = 0.01;
    bool inplace = false;

    static constexpr std::string_view name = "LeakyReLU";
    static constexpr std::string_view doc = "The input, with a small slope below 0.";
    static constexpr OpTraits traits{.elementwise = true};
    static void declare(FieldTable<LeakyReLU>& table);
    void infer(InferContext& context) { infer_same_shape(context); }
};

/// x where x >= 0, else (lower + upper) / 2 · x, the mean of training's random slope.
struct RReLU {
    double lower = 1.0 / 8.0;
    double upper = 1.0 / 3.0;
    bool inplace = false;

    static constexpr std::string_view name = "RReLU";
    static constexpr std::string_view doc = "LeakyReLU with the mean of a random slope.";
    static constexpr OpTraits traits{.elementwise = true};
    static void declare(FieldTable<RReLU>& table);
    void infer(InferContext& context) { infer_same_shape(context); }
    double slope() const { return (lower + upper) / 2; }
};

/// x where x > 0, else alpha · (exp(x) - 1).
struct ELU {
    double alpha = 1.0;
    bool inplace = false;

    static constexpr std::string_view name = "ELU";
    static constexpr std::string_view doc = "Exponential linear unit.";
    static constexpr OpTraits traits{.elementwise = true};
    static void declare(FieldTable<ELU>& table);
    void infer(InferContext& context) { infer_same_shape(context); }
};

/// max(x, 0) + min(alpha · (exp(x / alpha) - 1), 0).
struct CELU {
    double alpha = 1.0;
    bool inplace = false;

    static constexpr std::string_view name = "CELU";
    static constexpr std::string_view doc = "Continuously differentiable exponential linear unit.";
    static constexpr OpTraits traits{.elementwise = true};
    static void declare(FieldTable<CELU>& table);
    void infer(InferContext& context);
};

/// scale · (x where x > 0, else alpha · (exp(x) - 1)), with Klambauer and others' alpha and scale.
struct SELU {
    bool inplace = false;

    static constexpr std::string_view name = "SELU";
    static constexpr std::string_view doc = "Scaled exponential linear unit.";
    static constexpr OpTraits traits{.elementwise = true};
    static void declare(FieldTable<SELU>& table);
    void infer(InferContext& context) { infer_same_shape(context); }
};

/// x · Φ(x); with approximate "tanh" x / 2 · (1 + tanh(sqrt(2 / π) · (x + 0.044715 · x³))).
struct GELU {
    std::string approximate = "none";

    static constexpr std::string_view name = "GELU";
    static constexpr std::string_view doc = "Gaussian error linear unit.";
    static constexpr OpTraits traits{.elementwise = true};
    static void declare(FieldTable<GELU>& table);
    void infer(InferContext& context) { infer_same_shape(context); }
};

/// x · sigmoid(x).
struct SiLU {
    bool inplace = false;

    static constexpr std::string_view name = "SiLU";
    static constexpr std::string_view doc = "The input times its sigmoid.";
    static constexpr OpTraits traits{.elementwise = true};
    static void declare(FieldTable<SiLU>& table);
    void infer(InferContext& context) { infer_same_shape(context); }
};

/// x · tanh(log(1 + exp(x))).
struct Mish {
    bool inplace = false;

    static constexpr std::string_view name = "Mish";
    static constexpr std::string_view doc = "The input times the tanh of its softplus.";
    static constexpr OpTraits traits{.elementwise = true};
    static void declare(FieldTable<Mish>& table);
    void infer(InferContext& context) { infer_same_shape(context); }
};

/// 1 / (1 + exp(-x)).
struct Sigmoid {
    static constexpr std::string_view name = "Sigmoid";
    static constexpr std::string_view doc = "The logistic function.";
    static constexpr OpTraits traits{.elementwise = true};
    static void declare(FieldTable<Sigmoid>&) {}
    void infer(InferContext& context) { infer_same_shape(context); }
};

/// log(1 / (1 + exp(-x))), computed without overflow.
struct LogSigmoid {
    static constexpr std::string_view name = "LogSigmoid";
    static constexpr std::string_view doc = "The logarithm of the logistic function.";
    static constexpr OpTraits traits{.elementwise = true};
    static void declare(FieldTable<LogSigmoid>&) {}
    void infer(InferContext& context) { infer_same_shape(context); }
};

/// min(max(x + 3, 0), 6) / 6.
struct Hardsigmoid {
    bool inplace = false;

    static constexpr std::string_view name = "Hardsigmoid";
    static constexpr std::string_view doc = "The logistic function in three straight pieces.";
    static constexpr OpTraits traits{.elementwise = true};
    static void declare(FieldTable<Hardsigmoid>& table);
    void infer(InferContext& context) { infer_same_shape(context); }
};

/// x · min(max(x + 3, 0), 6) / 6.
struct Hardswish {
    bool inplace = false;

    static constexpr std::string_view name = "Hardswish";
    static constexpr std::string_view doc = "The input times its hardsigmoid.";
    static constexpr OpTraits traits{.elementwise = true};
    static void declare(FieldTable<Hardswish>& table);
    void infer(InferContext& context) { infer_same_shape(context); }
};

/// min(max(x, min_val), max_val).
struct Hardtanh {
    double min_val = -1.0;
    double max_val = 1.0;
    bool inplace = false;

    static constexpr std::string_view name = "Hardtanh";
    static constexpr std::string_view doc = "The input, cut to a range.";
    static constexpr OpTraits traits{.elementwise = true};
    static void declare(FieldTable<Hardtanh>& table);
    void infer(InferContext& context);
};

/// 0 where -lambd <= x <= lambd, else x.
struct Hardshrink {
    double lambd = 0.5;

    static constexpr std::string_view name = "Hardshrink";
    static constexpr std::string_view doc = "Zero near 0, else the input.";
    static constexpr OpTraits traits{.elementwise = true};
    static void declare(FieldTable<Hardshrink>& table);
    void infer(InferContext& context) { infer_same_shape(context); }
};

/// x - lambd where x > lambd, x + lambd where x < -lambd, else 0.
struct Softshrink {
    double lambd = 0.5;

    static constexpr std::string_view name = "Softshrink";
    static constexpr std::string_view doc = "The input, drawn towards 0.";
    static constexpr OpTraits traits{.elementwise = true};
    static void declare(FieldTable<Softshrink>& table);
    void infer(InferContext& context) { infer_same_shape(context); }
};

/// x - tanh(x).
struct Tanhshrink {
    static constexpr std::string_view name = "Tanhshrink";
    static constexpr std::string_view doc = "The input less its tanh.";
    static constexpr OpTraits traits{.elementwise = true};
    static void declare(FieldTable<Tanhshrink>&) {}
    void infer(InferContext& context) { infer_same_shape(context); }
};

/// log(1 + exp(beta · x)) / beta; x where beta · x > threshold.
struct Softplus {
    double beta = 1.0;
    double threshold = 20.0;

    static constexpr std::string_view name = "Softplus";
    static constexpr std::string_view doc = "A smooth ReLU.";
    static constexpr OpTraits traits{.elementwise = true};
    static void declare(FieldTable<Softplus>& table);
    void infer(InferContext& context);
};

/// x / (1 + |x|).
struct Softsign {
    static constexpr std::string_view name = "Softsign";
    static constexpr std::string_view doc = "The input over 1 plus its magnitude.";
    static constexpr OpTraits traits{.elementwise = true};
    static void declare(FieldTable<Softsign>&) {}
    void infer(InferContext& context) { infer_same_shape(context); }
};

/// tanh(x).
struct Tanh {
    static constexpr std::string_view name = "Tanh";
    static constexpr std::string_view doc = "The hyperbolic tangent.";
    static constexpr OpTraits traits{.elementwise = true};
    static void declare(FieldTable<Tanh>&) {}
    void infer(InferContext& context) { infer_same_shape(context); }
};

/// x where x > threshold, else value.
struct Threshold {
    double threshold = 0.0;
    double value = 0.0;
    bool inplace = false;

    static constexpr std::string_view name = "Threshold";
    static constexpr std::string_view doc = "The input where it is above a threshold.";
    static constexpr OpTraits traits{.elementwise = true};
    static void declare(FieldTable<Threshold>& table);
    void infer(InferContext& context) { infer_same_shape(context); }
};

/// x where x > 0, else weight · x; one weight, or one for each channel (dimension 1).
struct PReLU {
    std::int64_t num_parameters = 1;
    double init = 0.25;

    static constexpr std::string_view name = "PReLU";
    static constexpr std::string_view doc = "The input, with a learned slope below 0.";
    static void declare(FieldTable<PReLU>& table);
    void infer(InferContext& context);
};

/// a · sigmoid(b), where a and b are the halves of dimension `dim`, which is halved.
struct GLU {
    std::int64_t dim = -1;

    static constexpr std::string_view name = "GLU";
    static constexpr std::string_view doc = "One half of the input times the sigmoid of the other.";
    static void declare(FieldTable<GLU>& table);
    void infer(InferContext& context);
};

}  // namespace seq::ops
