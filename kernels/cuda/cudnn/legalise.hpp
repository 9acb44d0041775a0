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

/// A plan, and the name of the form that it is of.
struct FormPlan {
    std::string form;
    std::optional<Plan> plan;
};

/// Every form for which there are plans, in the order of layer_forms: all plans of the first, and a few of those that
/// do less; where memory is short for more, what there was room for. `made` is taken where it is one of them. The same
/// holds of faults.
std::vector<LegalLayer> legal_forms(const Cudnn& cudnn, const FusedLayer& layer, const PlanTarget& target,
                                    PlanOptions options, FormPlan made = {});

/// "engine 34, knobs 2=5: convolution + bias + relu": by which a plan for a layer is found again.
std::string variant_of(const LayerForm& form, const Plan& plan);
/// The form and the plan that `variant` names; none, with the reason, where cuDNN has no such plan.
LegalLayer find_variant(const Cudnn& cudnn, const FusedLayer& layer, const std::string& variant,
                        const PlanTarget& target, PlanOptions options);

/// The first of layer_forms for which there are plans; one for which cuDNN proposes the last resort
/// (Plan::is_last_resort) only where there is no other, or where groups have one input channel. It is the one that does
/// most, not necessarily the fastest: who measures takes legal_forms. `options.math` is the layer's. Throws CudnnError
/// for whatever is no refusal (CudnnError::is_refusal); then nothing is left behind.
LegalLayer legalise(const Cudnn& cudnn, const FusedLayer& layer, const PlanTarget& target, PlanOptions options);

}  // namespace seq::cuda
