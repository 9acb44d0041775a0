#include "kernels/cuda/cudnn/legalise.hpp"

namespace seq::cuda {
namespace {

PlanSearch plans_of(const Cudnn& cudnn, const LayerForm& form, const PlanTarget& target, const PlanOptions& options) {
    try {
        auto graph = std::make_shared<const OperationGraph>(cudnn, form.graph, target.handle);
        return find_plans(cudnn, std::move(graph), target, options);
    } catch (const CudnnError& error) {
        if (!error.is_refusal()) throw;
        PlanSearch none;
        none.reason = error.what();
        return none;
    }
}

}  // namespace

LegalLayer legalise(const Cudnn& cudnn, const FusedLayer& layer, const PlanTarget& target, PlanOptions options) {
    LegalLayer legal;
    if (std::string fault = fault_of(layer); !fault.empty()) {
        legal.refusals.push_back({"cuDNN", std::move(fault)});
        return legal;
    }
    options.math = layer.math;
    for (LayerForm& form : layer_forms(layer)) {
        PlanSearch search = plans_of(cudnn, form, target, options);
        if (search.plans.empty()) {
            legal.refusals.push_back({form.name, std::move(search.reason)});
            continue;
        }
        legal.plans = std::move(search.plans);
        legal.form = std::move(form);
        break;
    }
    return legal;
}

}  // namespace seq::cuda
