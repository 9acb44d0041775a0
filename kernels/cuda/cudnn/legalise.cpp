#include "kernels/cuda/cudnn/legalise.hpp"

#include <limits>

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

/// Whether the plan is of cuDNN's engine 0, which is slow at what this layer multiplies; of pools and norms it is an
/// engine like the others.
bool is_slow(const FusedLayer& layer, const LayerForm& form, const Plan& plan) {
    return layer.kind != LayerKind::pool && layer.kind != LayerKind::norm && form.in_channels > layer.groups &&
           plan.is_last_resort();
}

}  // namespace

std::vector<LegalLayer> legal_forms(const Cudnn& cudnn, const FusedLayer& layer, const PlanTarget& target,
                                    PlanOptions options, FormPlan made) {
    constexpr std::size_t wanted_of_less = 4;
    std::vector<LegalLayer> legal;
    if (!fault_of(layer).empty()) return legal;
    options.math = layer.math;
    std::vector<FormRefusal> refusals;
    for (LayerForm& form : layer_forms(layer)) {
        options.made = form.name == made.form ? &made.plan : nullptr;
        options.wanted = legal.empty() ? std::numeric_limits<std::size_t>::max() : wanted_of_less;
        try {
            PlanSearch search = plans_of(cudnn, form, target, options);
            if (search.plans.empty())
                refusals.push_back({form.name, std::move(search.reason)});
            else
                legal.push_back({std::move(form), std::move(search.plans), refusals});
        } catch (const CudnnError& error) {
            // Those that there are may run.
            if (!error.is_short_of_memory() || legal.empty()) throw;
            if (options.short_of_memory != nullptr) *options.short_of_memory = true;
        }
    }
    return legal;
}

std::string variant_of(const LayerForm& form, const Plan& plan) { return plan.engine() + ": " + form.name; }

LegalLayer find_variant(const Cudnn& cudnn, const FusedLayer& layer, const std::string& variant,
                        const PlanTarget& target, PlanOptions options) {
    LegalLayer legal;
    legal.refusals.push_back({variant, "cuDNN has no such plan"});
    if (!fault_of(layer).empty()) return legal;
    options.math = layer.math;
    for (LayerForm& form : layer_forms(layer)) {
        const std::string end = ": " + form.name;
        if (!variant.ends_with(end) || variant.size() == end.size()) continue;
        options.engine = variant.substr(0, variant.size() - end.size());
        PlanSearch search = plans_of(cudnn, form, target, options);
        if (search.plans.empty()) {
            legal.refusals.front().reason += ": " + search.reason;
            break;
        }
        return {std::move(form), std::move(search.plans), {}};
    }
    return legal;
}

LegalLayer legalise(const Cudnn& cudnn, const FusedLayer& layer, const PlanTarget& target, PlanOptions options) {
    LegalLayer legal;
    if (std::string fault = fault_of(layer); !fault.empty()) {
        legal.refusals.push_back({"cuDNN", std::move(fault)});
        return legal;
    }
    options.math = layer.math;
    std::optional<LegalLayer> last_resort;
    for (LayerForm& form : layer_forms(layer)) {
        PlanSearch search = plans_of(cudnn, form, target, options);
        if (search.plans.empty()) {
            legal.refusals.push_back({form.name, std::move(search.reason)});
            continue;
        }
        const bool slow = is_slow(layer, form, search.plans.front());
        const std::string name = form.name;
        LegalLayer found{std::move(form), std::move(search.plans), legal.refusals};
        if (!slow) return found;
        if (!last_resort) last_resort = std::move(found);
        legal.refusals.push_back({name, "cuDNN proposes its engine 0 for it, which is slow"});
    }
    return last_resort ? std::move(*last_resort) : std::move(legal);
}

}  // namespace seq::cuda
