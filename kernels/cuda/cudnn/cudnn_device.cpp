#include "kernels/cuda/cudnn/cudnn_device.hpp"

#include <fmt/format.h>

#include "kernels/cuda/runtime/capture_scope.hpp"

namespace seq::cuda {
namespace {

/// The same for layers that have the same forms alone: two may have one graph, of which one has to be given zeros.
std::string key_of(const FusedLayer& layer) {
    const LayerForm whole = layer_forms(layer).front();
    return fmt::format("{} | residual {}, bias {}, zeros {}, activation {} | {} | {}", whole.name, whole.residual,
                       whole.bias, whole.zero_bias, whole.activation, text_of(whole.graph), name_of(layer.math));
}

}  // namespace

CudnnDevice::CudnnDevice(const Cudnn& cudnn, const DeviceRuntime& runtime, const RuntimeApi& api, int device)
    : cudnn_(cudnn), runtime_(runtime), api_(api), device_(device) {}

CudnnDevice::CudnnDevice(const Cudnn& cudnn, const DeviceRuntime& runtime, DeviceProperties properties)
    : cudnn_(cudnn), runtime_(runtime), properties_(std::move(properties)) {}

CudnnDevice::~CudnnDevice() {
    std::optional<CurrentDevice> current;
    if (api_ && (handle_ != nullptr || !layers_.empty())) current.emplace(*api_, device_, std::nothrow);
    const DeviceWideScope scope;
    layers_.clear();
    if (handle_ != nullptr) cudnn_.destroy(handle_);
}

void CudnnDevice::open() const {
    if (handle_ == nullptr) {
        const DeviceWideScope scope;
        check(cudnn_, cudnn_.create(&handle_), "making a handle");
    }
    if (!properties_) properties_ = DeviceProperties::of_device(cudnn_, device_);
}

void CudnnDevice::plan_with(const std::function<void(const PlanTarget&)>& plan) const {
    if (!api_) return plan({&*properties_, nullptr});
    const CurrentDevice current(*api_, device_);
    open();
    plan({&*properties_, handle_});
}

std::shared_ptr<const LegalLayer> CudnnDevice::legalise(const FusedLayer& layer, const std::string& variant,
                                                        const Builds* builds) const {
    const std::string key = key_of(layer);
    const std::lock_guard lock(mutex_);
    const auto favourite = variant.empty() ? favourites_.find(key) : favourites_.end();
    const auto known = layers_.find({key, favourite != favourites_.end() ? favourite->second : variant});
    if (known != layers_.end()) return known->second;
    std::shared_ptr<LegalLayer> found;
    plan_with([&](const PlanTarget& target) {
        PlanOptions options;
        options.builds = builds;
        found = std::make_shared<LegalLayer>(variant.empty() ? cuda::legalise(cudnn_, layer, target, options)
                                                             : find_variant(cudnn_, layer, variant, target, options));
    });
    if (!variant.empty() || !found->form) return layers_[{key, variant}] = std::move(found);
    const std::string& name = favourites_[key] = variant_of(*found->form, found->plans.front());
    return layers_[{key, name}] = std::move(found);
}

void CudnnDevice::execute(cudnnHandle_t handle, const Plan& plan, const Descriptor& pack) const {
    const std::lock_guard lock(run_mutex_);
    std::optional<CurrentDevice> current;
    if (api_) current.emplace(*api_, device_);
    check(cudnn_, cudnn_.execute(handle, plan.descriptor().raw(), pack.raw()), "running a plan");
}

Error CudnnDevice::error_of(const CudnnError& error, std::string_view what) const {
    if (!api_) return cuda::error_of(error, what, nullptr);
    const CurrentDevice current(*api_, device_);
    return cuda::error_of(error, what, &*api_);
}

Error CudnnDevice::error_of_planning(const CudnnError& error) const {
    if (!api_) return cuda::error_of_planning(error, nullptr);
    const CurrentDevice current(*api_, device_);
    return cuda::error_of_planning(error, &*api_);
}

void CudnnDevice::release_unused() const {
    const std::lock_guard lock(mutex_);
    std::optional<CurrentDevice> current;
    if (api_) current.emplace(*api_, device_);
    const DeviceWideScope scope;  // code that was compiled for plans is unloaded
    std::erase_if(layers_,
                  [](const auto& entry) { return entry.second.use_count() == 1 && entry.second->form.has_value(); });
}

FormPlan CudnnDevice::take_favourite(const std::string& key) const {
    const auto favourite = favourites_.find(key);
    if (favourite == favourites_.end()) return {};
    const auto layer = layers_.find({key, favourite->second});
    if (layer == layers_.end() || layer->second.use_count() > 1) return {};
    FormPlan taken{layer->second->form->name, std::move(layer->second->plans.front())};
    layers_.erase(layer);
    return taken;
}

Variants CudnnDevice::variants(const FusedLayer& layer, const Builds* builds) const {
    const std::string key = key_of(layer);
    const std::lock_guard lock(mutex_);
    if (const auto found = variants_.find(key); found != variants_.end()) return {found->second};
    std::vector<LegalLayer> forms;
    PlanOptions options;
    options.builds = builds;
    Variants all{{}};
    options.short_of_memory = &all.short_of_memory;
    plan_with(
        [&](const PlanTarget& target) { forms = legal_forms(cudnn_, layer, target, options, take_favourite(key)); });
    for (LegalLayer& legal : forms) {
        for (Plan& plan : legal.plans) {
            all.names.push_back(variant_of(*legal.form, plan));
            auto one = std::make_shared<LegalLayer>();
            one->form = legal.form;
            one->plans.push_back(std::move(plan));
            one->refusals = legal.refusals;
            layers_[{key, all.names.back()}] = std::move(one);
        }
    }
    if (!all.short_of_memory) variants_[key] = all.names;
    return all;
}

}  // namespace seq::cuda
