// Counts what a run allocates and makes, by standing in front of the C library's and oneDNN's functions. The sanitizers
// bring allocators of their own, so there the test has nothing to count.
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)

#include <dlfcn.h>
#include <doctest/doctest.h>
#include <pthread.h>

#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <thread>

#include "engine/plan.hpp"
#include "tests/engine/support.hpp"

extern "C" {
void* __libc_malloc(std::size_t bytes);
void* __libc_calloc(std::size_t count, std::size_t bytes);
void* __libc_realloc(void* old, std::size_t bytes);
void* __libc_memalign(std::size_t alignment, std::size_t bytes);
}

namespace {

enum class Counting { off, ours, onednn };
std::atomic<Counting> counting{Counting::off};
std::atomic<int> ours{0};
std::atomic<int> onednns{0};
std::atomic<int> primitives{0};
std::atomic<int> threads_made{0};

void count() {
    const Counting mode = counting.load(std::memory_order_relaxed);
    if (mode == Counting::ours) ours.fetch_add(1, std::memory_order_relaxed);
    if (mode == Counting::onednn) onednns.fetch_add(1, std::memory_order_relaxed);
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

/// Counts what happens inside oneDNN's kernels apart.
class Watch final : public Session::StepObserver {
   public:
    explicit Watch(Session& session) : plan_(session.plan()) {}
    void before(std::size_t step) override {
        const bool onednn =
            plan_->steps[step].kernel_name.starts_with("onednn") || plan_->steps[step].kernel_name == "reorder";
        if (onednn) ++onednn_calls;
        counting = onednn ? Counting::onednn : Counting::ours;
    }
    void after(std::size_t) override { counting = Counting::ours; }
    int onednn_calls = 0;

   private:
    std::shared_ptr<const Plan> plan_;
};

void check_allocations(const Golden& golden, int threads) {
    CAPTURE(golden.name);
    CAPTURE(threads);
    CompileOptions options;
    options.weights = golden.weights;
    options.threads = threads;
    const Executable executable = compile(golden.graph, options);
    Session session = executable.session();
    std::vector<NamedArray> outputs;
    for (const Port& port : executable.outputs())
        outputs.push_back({port.name, Tensor(port.type.dtype, session.output_sizes(port.name, views(golden.inputs)))});
    const auto input_views = views(golden.inputs);
    const auto output_views = views(outputs);
    for (int i = 0; i < 3; ++i) session.run(input_views, output_views);
    Watch watch(session);
    session.observe(&watch);
    ours = onednns = primitives = threads_made = 0;
    counting = Counting::ours;
    session.run(input_views, output_views);
    counting = Counting::off;
    BoundRun bound = session.bind(input_views, output_views);
    counting = Counting::ours;
    bound.run();
    counting = Counting::off;
    session.observe(nullptr);
    INFO("oneDNN made ", onednns.load(), " allocations of its own in ", watch.onednn_calls, " calls");
    CHECK(ours.load() == 0);
    CHECK(primitives.load() == 0);
    CHECK(threads_made.load() == 0);
}

TEST_CASE("the hooks see allocations, threads and primitives") {
    counting = Counting::ours;
    ours = 0;
    const int* probe = new int(1);
    counting = Counting::off;
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

TEST_CASE(
    "after the first run of a binding nothing is allocated, no thread and no primitive made in our code, by names or bound") {
    for (const std::string& name : golden_names()) check_allocations(load_golden(name), 1);
    for (const std::string& name : golden_names()) check_allocations(load_golden(name), 2);
}

}  // namespace
}  // namespace seq::tests

#endif
