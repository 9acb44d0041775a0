#pragma once

#include "kernels/cuda/cudnn/fused_layer.hpp"
#include "kernels/cuda/cudnn/plan.hpp"

namespace seq::cuda {

/// A form of a layer that cannot be had, and why.
struct FormRefusal {
    std::string form;
    std::string reason;

    /// "convolution + bias + swish(1): cuDNN proposes no engine", for `seqc explain`.
    std::string text() const { return form + ": " + reason; }
};

struct LegalLayer {
    /// None where all of the layer is for another kernel.
    std::optional<LayerForm> form;
    /// Of `form`, cuDNN's favourite first.
    std::vector<Plan> plans;
    /// The forms before it that were refused, in the order in which they were tried.
    std::vector<FormRefusal> refusals;
};

/// The first of layer_forms for which there are plans. It is the one that does most, not necessarily the fastest: who
/// measures takes layer_forms and find_plans. `options.math` is the layer's. Throws CudnnError for whatever is no
/// refusal (CudnnError::is_refusal); then nothing is left behind.
LegalLayer legalise(const Cudnn& cudnn, const FusedLayer& layer, const PlanTarget& target, PlanOptions options);

}  // namespace seq::cuda
