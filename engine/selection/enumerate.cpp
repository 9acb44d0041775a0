#include "engine/selection/enumerate.hpp"

#include <algorithm>

#include "engine/lowering.hpp"

namespace seq {
namespace {

/// The layouts in which values are offered, the first one alone where the unit has no value with channels. Devices know
/// no blocks.
std::vector<Offer> orders_for(const Unit& unit, Isa isa, bool on_device) {
    const Layout plain = Layout::plain(), last = Layout::channels_last();
    const Layout blocked = Layout::blocked(isa == Isa::avx512 ? 16 : 8);
    const auto has_channels = [](const Value* value) {
        return !value->is_constant_like() && value->type.shape.rank() >= 3 && value->type.shape.rank() <= 5;
    };
    const bool any = std::any_of(unit.inputs.begin(), unit.inputs.end(), has_channels) ||
                     std::any_of(unit.outputs().begin(), unit.outputs().end(), has_channels);
    if (!any) return {{plain, plain}};
    if (on_device) return {{plain, plain}, {last, last}, {plain, last}};
    return {{plain, plain}, {last, last}, {blocked, blocked}, {plain, last}, {plain, blocked}};
}

/// Where numbers may be kept rounded, each order of them both before and after, and f32 after them; in f32 alone what
/// does not multiply matrices, which takes rounded ones there whatever is offered. On devices what multiplies them may
/// round them itself.
std::vector<Offer> offers_for(const Unit& unit, const Kernel* kernel, const ComputeOptions& options, bool on_device) {
    const std::vector<Offer> orders = orders_for(unit, options.isa, on_device);
    const Kept lowered = kept_in(options.dtype);
    if (lowered == Kept::own || kernel == nullptr || !kernel->takes_lowered()) return orders;
    std::vector<Offer> offers;
    for (const Offer& offer : orders) offers.push_back({offer.input.kept(lowered), offer.output.kept(lowered)});
    for (const Offer& offer : orders) {
        if (offer.output.is_plain_order()) offers.push_back({offer.input.kept(lowered), offer.output});
    }
    if (!multiplies_matrices(unit.last().op)) {
        offers.insert(offers.end(), orders.begin(), orders.end());
    } else if (on_device) {
        for (const Offer& offer : orders) offers.push_back({offer.input, offer.output.kept(lowered)});
    }
    return offers;
}

Layout layout_for(const Value& value, const Layout& offered) {
    if (value.is_constant_like()) return Layout::plain();
    const int rank = value.type.shape.rank();
    return rank < 3 || rank > 5 ? Layout::plain().kept(offered.kept_as) : offered;
}

std::vector<Placed> place_all(std::span<const Value* const> values, const Layout& offered) {
    std::vector<Placed> placed;
    for (const Value* value : values) placed.push_back(place(*value, layout_for(*value, offered)));
    return placed;
}

std::vector<Placed> place_outputs(const Unit& unit, const Offer& offer) {
    std::vector<const Value*> outputs(unit.outputs().begin(), unit.outputs().end());
    return place_all(outputs, offer.output);
}

OfferedRequest request_for(const Unit& unit, const Kernel& kernel, const Offer& offer, const Backend& backend,
                           const ComputeOptions& options) {
    return {kernel,
            {unit.last(), place_all(unit.inputs, offer.input), place_outputs(unit, offer), options, offer.variant},
            backend};
}

std::unique_ptr<PreparedKernel> prepare_node(const Unit& unit, const Kernel& kernel, const Offer& offer,
                                             const Backend& backend, const ComputeOptions& options,
                                             WeightProvider& weights, std::string& refusal) {
    const OfferedRequest offered = request_for(unit, kernel, offer, backend, options);
    if (offered.support) return kernel.prepare(offered.request, weights, refusal);
    refusal = offered.support.reason;
    return nullptr;
}

std::unique_ptr<PreparedKernel> prepare_group(const Unit& unit, const Offer& offer, const ComputeOptions& options,
                                              WeightProvider& weights, std::string& refusal) {
    const GroupRequest request{unit.nodes, unit.inputs, place_all(unit.inputs, offer.input), place_outputs(unit, offer),
                               options};
    return unit.group->prepare(request, weights, refusal);
}

}  // namespace

std::unique_ptr<PreparedKernel> prepare(const Unit& unit, const std::string& name, const Offer& offer,
                                        const Backend& backend, const ComputeOptions& options, WeightProvider& weights,
                                        std::string& refusal) {
    if (unit.group != nullptr) return prepare_group(unit, offer, options, weights, refusal);
    for (const Kernel* kernel : *backend.kernels) {
        if (kernel->name() == name) return prepare_node(unit, *kernel, offer, backend, options, weights, refusal);
    }
    refusal = "there is no such kernel";
    return nullptr;
}

namespace {

/// Each of the offers in each of the kernel's variants. Sets `short_of_memory` where that was so for some.
std::vector<Offer> offers_of_variants(const Unit& unit, const Kernel* kernel, const Backend& backend,
                                      const ComputeOptions& options, bool& short_of_memory) {
    const std::vector<Offer> offers = offers_for(unit, kernel, options, backend.device != nullptr);
    if (kernel == nullptr) return offers;
    const OfferedRequest first = request_for(unit, *kernel, offers.front(), backend, options);
    if (!first.support) return offers;
    std::vector<Offer> all;
    const Variants variants = kernel->variants(first.request);
    short_of_memory = short_of_memory || variants.short_of_memory;
    for (const std::string& variant : variants.names) {
        for (const Offer& offer : offers) all.push_back({offer.input, offer.output, variant});
    }
    return all;
}

}  // namespace

bool enumerate(const Unit& unit, const Backend& backend, ComputeOptions options, WeightProvider& weights,
               const Visit& visit) {
    options.estimate = false;
    bool short_of_memory = false;
    std::vector<Candidate> seen;
    const auto try_kernel = [&](const std::string& name, const Kernel* node_kernel) {
        for (const Offer& offer : offers_of_variants(unit, node_kernel, backend, options, short_of_memory)) {
            std::string refusal;
            const auto kernel = prepare(unit, name, offer, backend, options, weights, refusal);
            if (kernel == nullptr) continue;
            Candidate candidate{name, kernel->description, offer, kernel->input_layouts, kernel->output_layouts, 0, 0};
            const bool known = std::any_of(seen.begin(), seen.end(),
                                           [&](const Candidate& other) { return other.is_same_way(candidate); });
            if (known) continue;
            seen.push_back(candidate);
            visit(std::move(candidate), *kernel);
        }
    };
    if (unit.group != nullptr) {
        try_kernel(std::string(unit.group->name()), nullptr);
        return !short_of_memory;
    }
    for (const Kernel* kernel : *backend.kernels) {
        if (kernel != backend.kernels->back() || seen.empty()) try_kernel(std::string(kernel->name()), kernel);
    }
    return !short_of_memory;
}

}  // namespace seq
