// Counts what a run allocates and makes, by standing in front of the C library's and oneDNN's functions. What oneDNN
// allocates while it runs a primitive (for the list of its arguments, above all) is counted apart. The sanitizers bring
// allocators of their own, so there the test has nothing to count.
#if !defined(SEQ_SANITIZED) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)

#include <dlfcn.h>
#include <doctest/doctest.h>
#include <execinfo.h>
#include <pthread.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <deque>
#include <limits>
#include <set>
#include <thread>

#include "engine/plan.hpp"
#include "engine/selection/enumerate.hpp"
#include "engine/selection/stopwatch.hpp"
#include "engine/selection/trial_weights.hpp"
#include "kernels/cpu/cpu.hpp"
#include "tests/engine/support.hpp"

extern "C" {
void* __libc_malloc(std::size_t bytes);
void* __libc_calloc(std::size_t count, std::size_t bytes);
void* __libc_realloc(void* old, std::size_t bytes);
void* __libc_memalign(std::size_t alignment, std::size_t bytes);
}

namespace {

std::atomic<bool> counting{false};
std::atomic<int> ours{0};
std::atomic<int> onednns{0};
std::atomic<int> primitives{0};
std::atomic<int> threads_made{0};

const void* library_of(const void* code) {
    Dl_info info;
    return dladdr(code, &info) == 0 ? nullptr : info.dli_fbase;
}

/// Whether one of the functions that called this is oneDNN's, on whichever thread.
bool is_in_onednn() {
    static const void* const onednn = library_of(dlsym(RTLD_NEXT, "dnnl_primitive_execute"));
    void* callers[64];
    const int depth = backtrace(callers, 64);
    return std::any_of(callers, callers + depth, [](const void* caller) { return library_of(caller) == onednn; });
}

void count() {
    thread_local bool looking = false;
    if (looking || !counting.load(std::memory_order_relaxed)) return;
    looking = true;  // the look itself may allocate
    (is_in_onednn() ? onednns : ours).fetch_add(1, std::memory_order_relaxed);
    looking = false;
}

}  // namespace

extern "C" {

void* malloc(std::size_t bytes) {
    count();
    return __libc_malloc(bytes);
}
void* calloc(std::size_t number, std::size_t bytes) {
    count();
    return __libc_calloc(number, bytes);
}
void* realloc(void* old, std::size_t bytes) {
    count();
    return __libc_realloc(old, bytes);
}
void* aligned_alloc(std::size_t alignment, std::size_t bytes) {
    count();
    return __libc_memalign(alignment, bytes);
}
void* memalign(std::size_t alignment, std::size_t bytes) {
    count();
    return __libc_memalign(alignment, bytes);
}
int posix_memalign(void** out, std::size_t alignment, std::size_t bytes) {
    count();
    *out = __libc_memalign(alignment, bytes);
    return *out == nullptr ? 12 : 0;
}
int pthread_create(pthread_t* thread, const pthread_attr_t* attributes, void* (*start)(void*), void* argument) {
    static const auto next = reinterpret_cast<decltype(&pthread_create)>(dlsym(RTLD_NEXT, "pthread_create"));
    threads_made.fetch_add(1, std::memory_order_relaxed);
    return next(thread, attributes, start, argument);
}
int dnnl_primitive_create(void** primitive, const void* description) {
    using Create = int (*)(void**, const void*);
    static const auto next = reinterpret_cast<Create>(dlsym(RTLD_NEXT, "dnnl_primitive_create"));
    primitives.fetch_add(1, std::memory_order_relaxed);
    return next(primitive, description);
}
}

namespace seq::tests {
namespace {

void start_counting() {
    ours = onednns = primitives = threads_made = 0;
    counting = true;
}

/// A model with inputs, outputs and a session that has run.
struct Subject {
    Subject(const Executable& executable, std::vector<NamedArray> given)
        : session(executable.session()), inputs(std::move(given)) {
        for (const Port& port : executable.outputs())
            outputs.push_back({port.name, Tensor(port.type.dtype, session.output_sizes(port.name, views(inputs)))});
        warm_up();
    }
    void warm_up() {
        for (int i = 0; i < 3; ++i) session.run(views(inputs), views(outputs));
    }

    Session session;
    std::vector<NamedArray> inputs;
    std::vector<NamedArray> outputs;
};

/// A run by names and one with bound views.
void check_runs(Subject& subject) {
    const auto inputs = views(subject.inputs), outputs = views(subject.outputs);
    start_counting();
    subject.session.run(inputs, outputs);
    counting = false;
    BoundRun bound = subject.session.bind(inputs, outputs);
    counting = true;
    bound.run();
    counting = false;
    INFO("oneDNN made ", onednns.load(), " allocations of its own");
    CHECK(ours.load() == 0);
    CHECK(primitives.load() == 0);
    CHECK(threads_made.load() == 0);
}

/// NaN as the first number of every input of floats. False where there is none.
bool put_nan(std::vector<NamedArray>& inputs) {
    bool put = false;
    for (NamedArray& input : inputs) {
        if (input.tensor.dtype() != DType::f32 || input.tensor.data<float>().empty()) continue;
        input.tensor.data<float>()[0] = std::numeric_limits<float>::quiet_NaN();
        put = true;
    }
    return put;
}

void check_golden_allocations(const std::string& name, int threads) {
    CAPTURE(name);
    CAPTURE(threads);
    Golden golden = load_golden(name);
    CompileOptions options;
    options.weights = golden.weights;
    options.threads = threads;
    Subject subject(compile(golden.graph, options), std::move(golden.inputs));
    check_runs(subject);
    if (!put_nan(subject.inputs)) return;
    subject.warm_up();
    CAPTURE("with NaN");
    check_runs(subject);
}

TEST_CASE("the hooks see allocations, threads and primitives") {
    counting = true;
    ours = 0;
    const int* probe = new int(1);
    counting = false;
    CHECK(ours.load() == 1);
    delete probe;

    threads_made = 0;
    std::thread([] {}).join();
    CHECK(threads_made.load() == 1);

    primitives = 0;
    const Golden golden = load_golden("op_conv3d");
    CompileOptions options;
    options.weights = golden.weights;
    Session session = compile(golden.graph, options).session();
    session.output_sizes("0", views(golden.inputs));
    CHECK(primitives.load() > 0);
}

TEST_CASE("after the first run of a binding, and the first with NaN, our code allocates and makes nothing") {
    for (const std::string& name : golden_names()) {
        for (const int threads : {1, 2}) check_golden_allocations(name, threads);
    }
}

/// A kernel with numbers to run on.
class KernelRun {
   public:
    KernelRun(const Unit& unit, const Candidate& candidate, const PreparedKernel& kernel, TrialWeights& weights)
        : kernel_(kernel), scratch_(kernel.scratch_bytes, {}), state_(kernel.make_state()) {
        for (std::size_t i = 0; i < unit.inputs.size(); ++i) {
            const Value& value = *unit.inputs[i];
            sources_.push_back(value.is_constant_like() ? weights.keep(value)->view().data
                                                        : numbers(place(value, candidate.inputs[i])));
        }
        for (std::size_t i = 0; i < unit.outputs().size(); ++i)
            targets_.push_back(numbers(place(*unit.outputs()[i], candidate.outputs[i])));
        context_.inputs = sources_.data();
        context_.outputs = targets_.data();
        context_.scratch = static_cast<std::byte*>(scratch_.data.get());
        context_.state = state_.get();
    }
    void run() const { kernel_.run(context_); }

   private:
    void* numbers(const Placed& placed) {
        const TrialBuffer& buffer =
            buffers_.emplace_back(static_cast<std::size_t>(placed.byte_count()), MemoryBudget());
        fill_trial(TensorView::dense(buffer.data.get(), placed.dtype,
                                     std::array{placed.byte_count() / std::int64_t(size_of(placed.dtype))}));
        return buffer.data.get();
    }

    const PreparedKernel& kernel_;
    TrialBuffer scratch_;
    std::unique_ptr<KernelState> state_;
    std::deque<TrialBuffer> buffers_;
    std::vector<void*> sources_, targets_;
    RunContext context_;
};

std::vector<Unit> units_of(const Graph& graph, const ComputeOptions& options) {
    std::vector<Unit> units;
    for (const Group& group : find_groups(graph, *cpu_backend().groups, options)) units.push_back(group_unit(group));
    for (const Node* node = graph.first_node(); node != nullptr; node = node->next) {
        if (!is_view(*node)) units.push_back(node_unit(*node));
    }
    return units;
}

/// Of each kernel that runs one of the model's nodes or groups, in each layout. Adds the kernels' names.
void check_kernels(const Graph& graph, int threads, std::set<std::string>& names) {
    ComputeOptions options;
    options.isa = cpu_backend().isa;
    options.threads = threads;
    for (const Unit& unit : units_of(graph, options)) {
        TrialWeights weights;
        enumerate(unit, cpu_backend(), options, weights, [&](Candidate candidate, const PreparedKernel& kernel) {
            const KernelRun trial(unit, candidate, kernel, weights);
            for (int i = 0; i < 3; ++i) trial.run();
            start_counting();
            trial.run();
            counting = false;
            CAPTURE(threads);
            CHECK_MESSAGE(ours.load() == 0, candidate.kernel << " (" << candidate.description << ")");
            names.insert(candidate.kernel);
        });
    }
}

const char* const models_for_own_kernels[] = {
    R"("x": [3, 24, 401]}, "layers": [{"type": "Conv1d", "out_channels": 40, "kernel_size": 5, "padding": 2}, "ReLU",
        {"type": "Conv1d", "out_channels": 33, "kernel_size": 3, "stride": 2}, "BatchNorm1d"])",
    R"("x": [2, 24, 17, 19]}, "layers": [{"type": "Conv2d", "out_channels": 40, "kernel_size": 3, "padding": 1}, "ReLU",
        {"type": "Conv2d", "out_channels": 72, "kernel_size": 1}, "ReLU6",
        {"type": "Conv2d", "out_channels": 72, "kernel_size": 3, "padding": 1, "groups": 72}, "ReLU6",
        {"type": "Conv2d", "out_channels": 24, "kernel_size": 1},
        {"type": "Conv2d", "out_channels": 32, "kernel_size": 5, "stride": 2}, "SiLU",
        {"type": "Conv2d", "out_channels": 32, "kernel_size": 3, "groups": 8}, "ReLU",
        {"type": "ConvTranspose2d", "out_channels": 16, "kernel_size": 2, "stride": 2}, {"type": "MaxPool2d", "kernel_size": 2}])",
    R"("x": [2, 24, 7, 9]}, "layers": [{"type": "ConvTranspose2d", "out_channels": 40, "kernel_size": 4, "stride": 2, "padding": 1},
        "ReLU", {"type": "ConvTranspose2d", "out_channels": 40, "kernel_size": 3, "padding": 1, "groups": 40}, "SiLU"])",
    R"("x": [1, 3, 33, 31]}, "layers": [{"type": "Conv2d", "out_channels": 32, "kernel_size": 7, "stride": 2, "padding": 3},
        "ReLU", {"type": "AvgPool2d", "kernel_size": 2}])",
    R"("x": [1, 10]}, "layers": [{"type": "Linear", "out_features": 50}, "Tanh", {"type": "Linear", "out_features": 2}])",
    R"("x": [2, 784]}, "layers": [{"type": "Linear", "out_features": 512}, "ReLU", {"type": "Linear", "out_features": 10}])"};

TEST_CASE("nor does any kernel that a plan may have, in any layout") {
    std::set<std::string> names;
    for (const char* model : models_for_own_kernels) {
        const Executable executable = build(graph_of(R"({"seq": 1, "inputs": {)" + std::string(model) + "}"));
        for (const int threads : {1, 2}) check_kernels(executable.graph(), threads, names);
    }
    if (cpu_backend().isa == Isa::scalar) return;
    for (const char* name :
         {"cpu.direct", "cpu.grouped", "cpu.few_channels", "cpu.pointwise", "cpu.depthwise", "cpu.transposed"})
        CHECK_MESSAGE(names.contains(name), name);
}

const char* const sliced_model = R"({"seq": 1, "inputs": {"x": [8, 3, 5, 12, 12]}, "layers": [
    {"type": "Conv3d", "out_channels": 16, "kernel_size": 3, "padding": 1}, "ReLU",
    {"type": "MaxPool3d", "kernel_size": 2}, {"type": "Conv3d", "out_channels": 9, "kernel_size": 2}, "ReLU",
    {"type": "Flatten"}, {"type": "Linear", "name": "fc", "out_features": 5}]})";

NamedArray ramp(std::initializer_list<std::int64_t> sizes) { return {"x", filled(sizes, 0.3f)}; }

TEST_CASE("nor does it where a batch is computed in slices") {
    const Graph graph = graph_of(sliced_model);
    for (const int threads : {1, 2}) {
        const ScratchFile cache("slices.json");
        const CompileOptions options = measuring(cache.path, threads);
        build(graph, options).plan();
        for (const Slicing& slicing : {Slicing{1, false, 0}, Slicing{4, false, 0}, Slicing{1, true, 0},
                                       Slicing{4, true, 0}, Slicing{1, false, 2}}) {
            if (slicing.apart && threads == 1) continue;
            CAPTURE(threads);
            CAPTURE(slicing.to_string());
            CHECK(choose_slicing(cache.path, slicing) == 1);
            std::vector<NamedArray> inputs;
            inputs.push_back(ramp({8, 3, 5, 12, 12}));
            Subject subject(build(graph, options), std::move(inputs));
            CHECK(subject.session.plan()->slice != nullptr);
            check_runs(subject);
            if (slicing.apart) continue;  // whichever thread first gets a slice with NaN makes its own buffers then
            put_nan(subject.inputs);
            subject.warm_up();
            CAPTURE("with NaN");
            check_runs(subject);
        }
    }
}

TEST_CASE("what keeps NaN where a fused activation of oneDNN's would lose it is made by the first run that has some") {
    const Graph graph = graph_of(R"({"seq": 1, "inputs": {"x": [1, 5, 6, 7, 8]}, "layers": [
        {"type": "Conv3d", "out_channels": 9, "kernel_size": 3}, "ReLU"]})");
    for (const MathMode dtype : {MathMode::f32, MathMode::bf16}) {
        CAPTURE(name_of(dtype));
        if (dtype == MathMode::bf16 && !cpu_backend().lacks(MathMode::bf16).empty()) continue;
        CompileOptions options;
        options.dtype = dtype;
        std::vector<NamedArray> inputs;
        inputs.push_back(ramp({1, 5, 6, 7, 8}));
        Subject subject(build(graph, options), std::move(inputs));
        put_nan(subject.inputs);
        start_counting();
        subject.session.run(views(subject.inputs), views(subject.outputs));
        counting = false;
        CHECK(primitives.load() > 0);
        subject.warm_up();
        check_runs(subject);
    }
}

}  // namespace
}  // namespace seq::tests

#endif
