#include "tests/cuda/fake_cudnn.hpp"

#include <algorithm>
#include <cstring>
#include <mutex>
#include <stdexcept>

namespace seq::tests {
namespace {

FakeDescriptor& of(cudnnBackendDescriptor_t descriptor) { return *static_cast<FakeDescriptor*>(descriptor); }

bool fails() { return FakeCudnn::current->calls++ == FakeCudnn::current->failing_call; }

cudnnStatus_t create(cudnnBackendDescriptorType_t type, cudnnBackendDescriptor_t* descriptor) {
    FakeCudnn& fake = *FakeCudnn::current;
    if (fails()) return fake.failure;
    auto* made = new FakeDescriptor{.type = type};
    fake.alive.insert(made);
    ++fake.created;
    *descriptor = made;
    return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t destroy(cudnnBackendDescriptor_t descriptor) {
    if (FakeCudnn::current->alive.erase(&of(descriptor)) == 0) return CUDNN_STATUS_BAD_PARAM;
    delete &of(descriptor);
    return CUDNN_STATUS_SUCCESS;
}

std::size_t size_of(cudnnBackendAttributeType_t type) {
    switch (type) {
        case CUDNN_TYPE_CHAR:
        case CUDNN_TYPE_BOOLEAN: return 1;
        case CUDNN_TYPE_INT64:
        case CUDNN_TYPE_DOUBLE:
        case CUDNN_TYPE_HANDLE:
        case CUDNN_TYPE_VOID_PTR:
        case CUDNN_TYPE_BACKEND_DESCRIPTOR: return 8;
        default: return 4;
    }
}

cudnnStatus_t set(cudnnBackendDescriptor_t descriptor, cudnnBackendAttributeName_t name,
                  cudnnBackendAttributeType_t type, std::int64_t count, const void* elements) {
    if (fails()) return FakeCudnn::current->failure;
    if (of(descriptor).finalized) return CUDNN_STATUS_BAD_PARAM;
    const auto* bytes = static_cast<const std::byte*>(elements);
    of(descriptor).attributes[name] = {type, count, {bytes, bytes + static_cast<std::size_t>(count) * size_of(type)}};
    return CUDNN_STATUS_SUCCESS;
}

template <class T>
cudnnStatus_t answer(const std::vector<T>& values, std::int64_t wanted, std::int64_t* count, void* elements) {
    const auto all = static_cast<std::int64_t>(values.size());
    *count = elements == nullptr ? all : std::min(all, wanted);
    if (elements != nullptr) std::copy_n(values.begin(), *count, static_cast<T*>(elements));
    return CUDNN_STATUS_SUCCESS;
}

/// The engines stand for themselves in the configurations and engine descriptors that cuDNN fills.
constexpr auto engine_mark = CUDNN_ATTR_ENGINE_LAYOUT_INFO;

const FakeEngine& engine_of(const FakeDescriptor& descriptor) {
    return *descriptor.get<const FakeEngine*>(engine_mark);
}

void mark(FakeDescriptor& descriptor, cudnnBackendAttributeName_t name, const void* pointer) {
    const auto* bytes = reinterpret_cast<const std::byte*>(&pointer);
    descriptor.attributes[name] = {CUDNN_TYPE_VOID_PTR, 1, {bytes, bytes + sizeof(pointer)}};
}

cudnnStatus_t propose(const FakeDescriptor& heuristic, std::int64_t* count, void* elements) {
    const FakeCudnn& fake = *FakeCudnn::current;
    const auto mode = heuristic.get<cudnnBackendHeurMode_t>(CUDNN_ATTR_ENGINEHEUR_MODE);
    const auto& engines = mode == CUDNN_HEUR_MODE_A ? fake.mode_a : fake.fallback;
    *count = static_cast<std::int64_t>(engines.size());
    if (elements == nullptr) return CUDNN_STATUS_SUCCESS;
    for (std::size_t i = 0; i < engines.size(); ++i) {
        FakeDescriptor& config = of(static_cast<cudnnBackendDescriptor_t*>(elements)[i]);
        mark(config, engine_mark, &engines[i]);
        mark(config, CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, &heuristic.part(CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH));
    }
    return CUDNN_STATUS_SUCCESS;
}

/// A plan as fakes write it.
struct StoredFakePlan {
    cuda::GraphSpec graph;
    FakeEngine engine;
};

/// All that were written, by their JSON.
std::map<std::string, StoredFakePlan>& stored_plans() {
    static std::map<std::string, StoredFakePlan> plans;
    return plans;
}

constexpr auto json_attribute = CUDNN_ATTR_EXECUTION_PLAN_JSON_REPRESENTATION;

const FakeDescriptor& graph_of_plan(const FakeDescriptor& plan) {
    return plan.part(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG).part(CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH);
}

const FakeEngine& engine_of_plan(const FakeDescriptor& plan) {
    return engine_of(plan.part(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG));
}

std::string text_of(const FakeDescriptor& plan, cudnnBackendAttributeName_t name) {
    const std::vector<char> text = plan.all<char>(name);
    return {text.begin(), text.end()};
}

bool is_plan(const FakeDescriptor& descriptor) { return descriptor.type == CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR; }

/// nullptr where it was made from a configuration.
const StoredFakePlan* stored_plan_of(const FakeDescriptor& plan) {
    return plan.has(json_attribute) ? &stored_plans().at(text_of(plan, json_attribute)) : nullptr;
}

cudnnStatus_t serialise(const FakeDescriptor& plan, std::int64_t wanted, std::int64_t* count, void* elements) {
    const StoredFakePlan stored{spec_of(graph_of_plan(plan)), engine_of_plan(plan)};
    const std::string json = "{\"version\": " + std::to_string(FakeCudnn::current->version) +
                             ", \"engine\": " + std::to_string(stored.engine.number) + ", \"graph\": \"" +
                             cuda::text_of(stored.graph) + "\"}";
    stored_plans()[json] = stored;
    return answer(std::vector<char>(json.begin(), json.end()), wanted, count, elements);
}

/// As cuDNN does: some text it refuses, and from some an exception of its own passes through.
cudnnStatus_t finalize_stored(const FakeDescriptor& plan) {
    const std::string json = text_of(plan, json_attribute);
    if (!json.starts_with("{")) throw std::invalid_argument("stoll");
    const std::string version = "{\"version\": " + std::to_string(FakeCudnn::current->version) + ",";
    if (!stored_plans().contains(json) || !json.starts_with(version)) return CUDNN_STATUS_BAD_PARAM;
    ++FakeCudnn::current->restored;
    return CUDNN_STATUS_SUCCESS;
}

/// Of the engines that heuristics propose one is there by its number too, without knobs.
cudnnStatus_t finalize_engine(FakeDescriptor& engine) {
    const FakeCudnn& fake = *FakeCudnn::current;
    const auto number = engine.get<std::int64_t>(CUDNN_ATTR_ENGINE_GLOBAL_INDEX);
    for (const auto* engines : {&fake.mode_a, &fake.fallback}) {
        for (const FakeEngine& one : *engines) {
            if (one.number != number) continue;
            mark(engine, engine_mark, &one);
            return CUDNN_STATUS_SUCCESS;
        }
    }
    return CUDNN_STATUS_NOT_SUPPORTED;
}

cudnnStatus_t finalize_config(FakeDescriptor& config) {
    if (config.has(CUDNN_ATTR_ENGINECFG_KNOB_CHOICES)) return CUDNN_STATUS_BAD_PARAM;
    const FakeDescriptor& engine = config.part(CUDNN_ATTR_ENGINECFG_ENGINE);
    mark(config, engine_mark, &engine_of(engine));
    mark(config, CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, &engine.part(CUDNN_ATTR_ENGINE_OPERATION_GRAPH));
    return CUDNN_STATUS_SUCCESS;
}

bool is_compiled(const FakeEngine& engine) {
    const auto& notes = engine.behavior_notes;
    return std::find(notes.begin(), notes.end(), CUDNN_BEHAVIOR_NOTE_RUNTIME_COMPILATION) != notes.end();
}

/// As cuDNN's windows slide: over the input and its padding, as often as they fit.
cudnnStatus_t finalize_pool(const FakeDescriptor& pool) {
    const FakeDescriptor& window = pool.part(CUDNN_ATTR_OPERATION_RESAMPLE_FWD_DESC);
    const auto numbers = [&](cudnnBackendAttributeName_t name) { return window.all<std::int64_t>(name); };
    const auto sizes = [&](cudnnBackendAttributeName_t name) {
        return pool.part(name).all<std::int64_t>(CUDNN_ATTR_TENSOR_DIMENSIONS);
    };
    const auto x = sizes(CUDNN_ATTR_OPERATION_RESAMPLE_FWD_XDESC), y = sizes(CUDNN_ATTR_OPERATION_RESAMPLE_FWD_YDESC);
    const auto kernel = numbers(CUDNN_ATTR_RESAMPLE_WINDOW_DIMS), stride = numbers(CUDNN_ATTR_RESAMPLE_STRIDES),
               before = numbers(CUDNN_ATTR_RESAMPLE_PRE_PADDINGS), after = numbers(CUDNN_ATTR_RESAMPLE_POST_PADDINGS);
    for (std::size_t d = 0; d < kernel.size(); ++d) {
        if (y[d + 2] != (x[d + 2] + before[d] + after[d] - kernel[d]) / stride[d] + 1) return CUDNN_STATUS_BAD_PARAM;
    }
    return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t finalize_as(FakeDescriptor& descriptor) {
    if (descriptor.type == CUDNN_BACKEND_OPERATION_RESAMPLE_FWD_DESCRIPTOR) return finalize_pool(descriptor);
    if (descriptor.type == CUDNN_BACKEND_ENGINE_DESCRIPTOR) return finalize_engine(descriptor);
    if (descriptor.type == CUDNN_BACKEND_ENGINECFG_DESCRIPTOR) return finalize_config(descriptor);
    if (!is_plan(descriptor)) return CUDNN_STATUS_SUCCESS;
    if (descriptor.has(json_attribute)) return finalize_stored(descriptor);
    if (is_compiled(engine_of_plan(descriptor))) ++FakeCudnn::current->compiled;
    return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t finalize(cudnnBackendDescriptor_t descriptor) {
    FakeCudnn& fake = *FakeCudnn::current;
    if (fails()) return fake.failure;
    FakeDescriptor& finalized = of(descriptor);
    if (finalized.type == CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR) fake.graphs.push_back(operations_of(finalized));
    cudnnStatus_t status = fake.on_finalize ? fake.on_finalize(finalized) : CUDNN_STATUS_SUCCESS;
    if (status == CUDNN_STATUS_SUCCESS) status = finalize_as(finalized);
    finalized.finalized = status == CUDNN_STATUS_SUCCESS;
    return status;
}

cudnnStatus_t get(cudnnBackendDescriptor_t descriptor, cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t,
                  std::int64_t wanted, std::int64_t* count, void* elements) {
    if (fails()) return FakeCudnn::current->failure;
    const FakeDescriptor& asked = of(descriptor);
    switch (name) {
        case CUDNN_ATTR_ENGINEHEUR_RESULTS: return propose(asked, count, elements);
        case CUDNN_ATTR_ENGINECFG_ENGINE:
            mark(of(*static_cast<cudnnBackendDescriptor_t*>(elements)), engine_mark, &engine_of(asked));
            *count = 1;
            return CUDNN_STATUS_SUCCESS;
        case CUDNN_ATTR_ENGINECFG_KNOB_CHOICES: *count = 0; return CUDNN_STATUS_SUCCESS;
        case CUDNN_ATTR_ENGINE_GLOBAL_INDEX:
            return answer(std::vector{engine_of(asked).number}, wanted, count, elements);
        case CUDNN_ATTR_ENGINE_NUMERICAL_NOTE: return answer(engine_of(asked).numerical_notes, wanted, count, elements);
        case CUDNN_ATTR_ENGINE_BEHAVIOR_NOTE: return answer(engine_of(asked).behavior_notes, wanted, count, elements);
        case CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION: {
            constexpr std::string_view json = R"({"deviceName": "a GPU"})";
            return answer(std::vector<char>(json.begin(), json.end()), wanted, count, elements);
        }
        case CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE: {
            const StoredFakePlan* const stored = stored_plan_of(asked);
            const FakeEngine& engine = stored != nullptr ? stored->engine : engine_of_plan(asked);
            return answer(std::vector{engine.workspace}, wanted, count, elements);
        }
        case json_attribute: {
            const StoredFakePlan* const stored = stored_plan_of(asked);
            if (elements != nullptr) ++FakeCudnn::current->serialised;
            if (stored == nullptr) return serialise(asked, wanted, count, elements);
            const std::string json = text_of(asked, json_attribute);
            return answer(std::vector<char>(json.begin(), json.end()), wanted, count, elements);
        }
        default: return CUDNN_STATUS_NOT_SUPPORTED;
    }
}

const char* error_string(cudnnStatus_t status) {
    return status == CUDNN_STATUS_NOT_SUPPORTED ? "CUDNN_STATUS_NOT_SUPPORTED" : "CUDNN_STATUS_OTHER";
}

void last_error(char* message, std::size_t size) {
    std::strncpy(message, FakeCudnn::current->error_text.c_str(), size);
}

cudnnStatus_t execute(cudnnHandle_t handle, cudnnBackendDescriptor_t plan, cudnnBackendDescriptor_t pack) {
    FakeCudnn& fake = *FakeCudnn::current;
    if (fails()) return fake.failure;
    if (!of(plan).finalized || !of(pack).finalized) return CUDNN_STATUS_BAD_PARAM;
    const StoredFakePlan* const stored = stored_plan_of(of(plan));
    FakeRun run{handle,
                stored != nullptr ? stored->graph : spec_of(graph_of_plan(of(plan))),
                {},
                of(pack).get<void*>(CUDNN_ATTR_VARIANT_PACK_WORKSPACE)};
    const auto ids = of(pack).all<std::int64_t>(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS);
    const auto pointers = of(pack).all<void*>(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS);
    for (std::size_t i = 0; i < ids.size(); ++i) run.pointers[ids[i]] = pointers.at(i);
    return fake.on_execute ? fake.on_execute(run) : CUDNN_STATUS_SUCCESS;
}

/// Every handle is another address.
cudnnStatus_t make_handle(cudnnHandle_t* handle) {
    if (fails()) return FakeCudnn::current->failure;
    *handle = reinterpret_cast<cudnnHandle_t>(new char);
    ++FakeCudnn::current->handles;
    return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t destroy_handle(cudnnHandle_t handle) {
    delete reinterpret_cast<char*>(handle);
    --FakeCudnn::current->handles;
    return CUDNN_STATUS_SUCCESS;
}

std::string name_of_operation(const FakeDescriptor& operation) {
    switch (operation.type) {
        case CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR: return "conv";
        case CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR: return "convT";
        case CUDNN_BACKEND_OPERATION_MATMUL_DESCRIPTOR: return "matmul";
        case CUDNN_BACKEND_OPERATION_RESAMPLE_FWD_DESCRIPTOR: return "pool";
        case CUDNN_BACKEND_OPERATION_NORM_FORWARD_DESCRIPTOR: return "norm";
        default: break;
    }
    const auto& function = operation.part(CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR);
    const auto mode = function.get<cudnnPointwiseMode_t>(CUDNN_ATTR_POINTWISE_MODE);
    if (mode != CUDNN_POINTWISE_ADD) return mode == CUDNN_POINTWISE_RELU_FWD ? "relu" : "function";
    // Which tensor is added, by LayerTensor.
    const auto& operand = operation.part(CUDNN_ATTR_OPERATION_POINTWISE_BDESC);
    return operand.get<std::int64_t>(CUDNN_ATTR_TENSOR_UNIQUE_ID) == 3 ? "bias" : "residual";
}

std::mutex& descriptors_mutex() {
    static auto& mutex = *new std::mutex;
    return mutex;
}

/// The function, for one thread at a time.
template <auto function, class... Parameters>
auto in_turn(cudnnStatus_t (*)(Parameters...)) {
    return +[](Parameters... parameters) {
        const std::lock_guard lock(descriptors_mutex());
        return function(parameters...);
    };
}

}  // namespace

FakeCudnn* FakeCudnn::current = nullptr;

FakeCudnn::FakeCudnn() {
    current = this;
    table.version = [] { return current->version; };
    table.cudart_version = [] { return std::size_t{CUDART_VERSION}; };
    table.error_string = error_string;
    table.last_error = last_error;
    table.create_descriptor = in_turn<create>(table.create_descriptor);
    table.destroy_descriptor = in_turn<destroy>(table.destroy_descriptor);
    table.finalize = in_turn<finalize>(table.finalize);
    table.set_attribute = in_turn<set>(table.set_attribute);
    table.get_attribute = in_turn<get>(table.get_attribute);
    table.create = make_handle;
    table.destroy = destroy_handle;
    table.execute = execute;
}

FakeCudnn::~FakeCudnn() {
    for (FakeDescriptor* descriptor : alive) delete descriptor;
    current = nullptr;
}

std::size_t FakeCudnn::plans() const {
    return static_cast<std::size_t>(std::count_if(alive.begin(), alive.end(), [](const FakeDescriptor* descriptor) {
        return is_plan(*descriptor) && descriptor->finalized;
    }));
}

std::string operations_of(const FakeDescriptor& graph) {
    std::string names;
    for (const FakeDescriptor* operation : graph.parts(CUDNN_ATTR_OPERATIONGRAPH_OPS))
        names += (names.empty() ? "" : " ") + name_of_operation(*operation);
    return names;
}

std::string operations_of_plan(const FakeDescriptor& plan) { return operations_of(graph_of_plan(plan)); }

std::int64_t engine_number_of_plan(const FakeDescriptor& plan) { return engine_of_plan(plan).number; }

}  // namespace seq::tests
