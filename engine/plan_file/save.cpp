#include <fmt/format.h>
#include <oneapi/tbb/task_arena.h>

#include <map>
#include <span>
#include <string>

#include "engine/compiled_model.hpp"
#include "engine/device_session.hpp"
#include "engine/instance.hpp"
#include "engine/kernels_version.hpp"
#include "engine/plan_file/contents.hpp"
#include "engine/plan_file/plan_file.hpp"
#include "engine/selection/trial_weights.hpp"
#include "graph/convert_tensor.hpp"
#include "graph/text.hpp"

namespace seq {
namespace {

using namespace plan_file;

std::span<const std::byte> bytes_of(const Tensor& tensor) {
    return {tensor.view().as<const std::byte>(), tensor.byte_count()};
}

/// Floats between -1 and 1, and zeros in place of all else, which index embeddings.
Tensor trial_input(const Port& port, const std::vector<std::int64_t>& sizes) {
    Tensor tensor(port.type.dtype, sizes);
    if (!is_float(port.type.dtype)) return tensor;
    Tensor numbers(DType::f32, sizes);
    fill_trial(numbers.view());
    convert(numbers.view(), tensor.view());
    return tensor;
}

class Writer {
   public:
    Writer(CompiledModel& model, const SaveOptions& options) : model_(model), options_(options) {
        meta_.version = kernels_version(model.backend());
        meta_.machine = model.backend().identity();
        meta_.device = model.device().kind;
        meta_.options = model.options();
        meta_.portable = options.portable;
        meta_.source = options.source;
        for (const Port& port : model.inputs()) meta_.inputs.push_back(port.type.dtype);
        for (const Port& port : model.outputs()) meta_.outputs.push_back(port.type.dtype);
    }

    void write(const std::string& path) {
        for (const auto& values : all_values()) add_plan(values);
        if (options_.portable) model_.keep_all(used_);
        meta_.extreme = model_.has_extreme_weights();
        add_weights_and_builds();
        container_.write(path, print_meta(meta_), print(model_.graph()));
    }

   private:
    std::vector<std::vector<std::int64_t>> all_values() const {
        if (model_.symbols().empty()) return {{}};
        if (options_.bindings.empty())
            throw Error("shape/symbolic", "a plan is for values of the model's symbols, and none are given");
        std::vector<std::vector<std::int64_t>> all;
        for (const Bindings& bindings : options_.bindings) all.push_back(values_of(model_.symbols(), bindings));
        return all;
    }

    void add_plan(const std::vector<std::int64_t>& values) {
        CompiledModel::Recorded recorded = model_.record(values, used_);
        const Plan& plan = *recorded.plan;
        std::vector<Tensor> inputs, outputs;
        for (std::size_t i = 0; i < plan.inputs.size(); ++i)
            inputs.push_back(trial_input(model_.inputs()[i], plan.inputs[i].sizes));
        for (std::size_t i = 0; i < plan.outputs.size(); ++i)
            outputs.emplace_back(model_.outputs()[i].type.dtype, plan.outputs[i].sizes);
        const std::vector<TensorView> input_views(inputs.begin(), inputs.end());
        const std::vector<TensorView> output_views(outputs.begin(), outputs.end());
        oneapi::tbb::task_arena arena(model_.options().threads);
        const Backend& backend = model_.backend();
        const auto instance = make_instance(
            recorded.plan, backend.device == nullptr ? nullptr : std::make_shared<DeviceSession>(backend, nullptr),
            false);
        instance->wire(1, input_views, output_views);
        arena.execute([&] { instance->run(nullptr); });
        for (const Step& step : plan.steps) {
            const std::string key = step.kernel->build_key();
            if (key.empty() || builds_.contains(key)) continue;
            if (auto build = step.kernel->build()) builds_[key] = std::move(*build);
        }
        meta_.plans.push_back(std::move(recorded.record));
        meta_.vectors.push_back({add_tensors(std::move(inputs)), add_tensors(std::move(outputs))});
    }

    std::vector<Stretch> add_tensors(std::vector<Tensor> tensors) {
        std::vector<Stretch> stretches;
        for (Tensor& tensor : tensors) {
            stretches.push_back(add(bytes_of(tensor)));
            vectors_.push_back(std::move(tensor));
        }
        return stretches;
    }

    void add_weights_and_builds() {
        for (const auto& [slot, weights] : used_.packed) {
            const auto* data = static_cast<const std::byte*>(weights.data);
            meta_.weights.push_back({slot.first, slot.second, add({data, weights.bytes})});
        }
        for (const auto& [key, bytes] : builds_) meta_.builds.push_back({key, add(std::as_bytes(std::span(bytes)))});
        for (const auto& [name, tensor] : used_.plain) meta_.weights.push_back({name, {}, add(bytes_of(*tensor))});
    }

    Stretch add(std::span<const std::byte> bytes) { return {container_.add(bytes), bytes.size()}; }

    CompiledModel& model_;
    const SaveOptions& options_;
    Meta meta_;
    StoredWeights used_;
    std::vector<Tensor> vectors_;
    /// Each once, however many layers and plans it serves.
    std::map<std::string, std::string> builds_;
    ContainerWriter container_;
};

}  // namespace

void save_compiled(const Executable& executable, const std::string& path, const SaveOptions& options) {
    Writer(executable.model(), options).write(path);
}

}  // namespace seq
