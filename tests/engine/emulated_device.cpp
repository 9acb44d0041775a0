#include "tests/engine/emulated_device.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <map>
#include <mutex>
#include <stdexcept>
#include <utility>
#include <vector>

#include "engine/edge_copy.hpp"
#include "graph/convert_tensor.hpp"
#include "kernels/cpu/cpu.hpp"

namespace seq::tests {
namespace {

/// What the threads do with emulated devices they do one after the other.
class Turn {
   public:
    Turn() : lock_(mutex()) {}

   private:
    static std::recursive_mutex& mutex() {
        static auto& mutex = *new std::recursive_mutex;
        return mutex;
    }
    std::lock_guard<std::recursive_mutex> lock_;
};

/// All memory of emulated devices, by address, and its bytes.
std::map<void*, std::size_t>& memory() {
    static std::map<void*, std::size_t> regions;
    return regions;
}

void protect(int protection) {
    for (const auto& [address, bytes] : memory()) {
        if (mprotect(address, bytes, protection) != 0) throw std::runtime_error("mprotect");
    }
}

/// The device's memory can be touched while one lives.
struct Open {
    Turn turn;
    Open() { protect(PROT_READ | PROT_WRITE); }
    ~Open() { protect(PROT_NONE); }
};

using Work = std::vector<std::function<void()>>;

struct EmulatedGraph final : DeviceGraph {
    Work work;
};

class EmulatedQueue final : public DeviceQueue, public EmulatedWork {
   public:
    EmulatedQueue(std::shared_ptr<EmulatedDevice::Counts> counts, std::shared_ptr<bool> fails,
                  std::shared_ptr<int> disturbed, std::shared_ptr<EmulatedDevice::WorkDone> work,
                  EmulatedDevice::Stream* stream = nullptr)
        : counts_(std::move(counts)),
          fails_(std::move(fails)),
          disturbed_(std::move(disturbed)),
          work_(std::move(work)),
          stream_(stream != nullptr ? *stream : own_) {}

    void submit(std::function<void()> work) {
        if (captured_ != nullptr) return captured_->push_back(std::move(work));
        stream_.submit(std::move(work));
    }

    void copy_to_device(void* device, const void* host, std::size_t bytes) override { copy(device, host, bytes); }
    void copy_to_host(void* host, const void* device, std::size_t bytes) override { copy(host, device, bytes); }
    void copy_on_device(void* to, const void* from, std::size_t bytes) override { copy(to, from, bytes); }

    std::unique_ptr<DeviceGraph> capture(const std::function<void()>& work) override {
        auto graph = std::make_unique<EmulatedGraph>();
        captured_ = &graph->work;
        try {
            work();
        } catch (...) {
            captured_ = nullptr;
            throw;
        }
        captured_ = nullptr;
        require_undisturbed();
        return graph;
    }
    void launch(const DeviceGraph& graph) override {
        const Turn turn;
        ++counts_->launches;
        submit([&work = static_cast<const EmulatedGraph&>(graph).work] {
            for (const auto& piece : work) piece();
        });
    }
    void wait() override {
        const Turn turn;
        if (std::exchange(*fails_, false)) {
            stream_ = {};
            throw Error("device/failed", "the emulated device fails as it was told");
        }
        stream_.wait();
    }
    double microseconds(const std::function<void()>& work) override {
        if (work_->microseconds_each == 0) return DeviceQueue::microseconds(work);
        wait();
        const int before = work_->kernels;
        work();
        wait();
        return work_->microseconds_each * (work_->kernels - before);
    }
    void submit_kernel(std::function<void()> work) override {
        const Turn turn;
        ++counts_->kernels;
        submit([work = std::move(work), done = work_] {
            work();
            ++done->kernels;
        });
    }

   private:
    void require_undisturbed() {
        const Turn turn;
        if (*disturbed_ == 0) {
            ++counts_->captures;
            return;
        }
        --*disturbed_;
        ++counts_->disturbed;
        throw Error("device/capture", "the emulated device's capture is disturbed as it was told");
    }
    void copy(void* to, const void* from, std::size_t bytes) {
        const Turn turn;
        ++(captured_ == nullptr ? counts_->copies : counts_->copies_in_graphs);
        submit([=] { std::memcpy(to, from, bytes); });
    }

    std::shared_ptr<EmulatedDevice::Counts> counts_;
    std::shared_ptr<bool> fails_;
    std::shared_ptr<int> disturbed_;
    std::shared_ptr<EmulatedDevice::WorkDone> work_;
    EmulatedDevice::Stream own_;
    EmulatedDevice::Stream& stream_;
    Work* captured_ = nullptr;
};

/// Hands what a kernel of the CPU does to the queue.
class QueuedKernel final : public PreparedKernel {
   public:
    explicit QueuedKernel(std::unique_ptr<PreparedKernel> kernel) : kernel_(std::move(kernel)) {
        input_layouts = kernel_->input_layouts;
        output_layouts = kernel_->output_layouts;
        in_place = kernel_->in_place;
        plain_weights = kernel_->plain_weights;
        scratch_bytes = kernel_->scratch_bytes;
        ignores_nonfinite = true;
    }
    std::unique_ptr<KernelState> make_state() const override { return kernel_->make_state(); }
    void run(const RunContext& context) const override {
        // What is handed over has the addresses of now, as a kernel of a GPU has.
        std::vector<void*> inputs(context.inputs, context.inputs + input_layouts.size());
        std::vector<void*> outputs(context.outputs, context.outputs + output_layouts.size());
        dynamic_cast<EmulatedWork&>(*context.queue)
            .submit_kernel([this, context, inputs = std::move(inputs), outputs = std::move(outputs)] {
                RunContext own = context;
                own.inputs = inputs.data();
                own.outputs = outputs.data();
                kernel_->run(own);
            });
    }

   private:
    std::unique_ptr<PreparedKernel> kernel_;
};

const Kernel& reference_kernel() { return *cpu_backend().kernels->back(); }

class EmulatedKernel final : public Kernel {
   public:
    std::string_view name() const override { return "emulated.reference"; }
    Support supports(const KernelRequest& request) const override { return reference_kernel().supports(request); }
    std::unique_ptr<PreparedKernel> prepare(const KernelRequest& request, WeightProvider& weights,
                                            std::string& refusal) const override {
        auto kernel = reference_kernel().prepare(request, weights, refusal);
        return kernel == nullptr ? nullptr : std::make_unique<QueuedKernel>(std::move(kernel));
    }
};

std::unique_ptr<PreparedKernel> make_reorder(const Placed& from, const Placed& to, const ComputeOptions& options) {
    return std::make_unique<QueuedKernel>(cpu_backend().make_reorder(from, to, options));
}

void copy_view(DeviceQueue& queue, const TensorView& from, const TensorView& to) {
    dynamic_cast<EmulatedWork&>(queue).submit_kernel([from, to] {
        const Tensor source(from.dtype, from.sizes()), target(to.dtype, to.sizes());
        copy_elements(from, source);
        if (!convert(source, target)) throw std::logic_error("a view is copied into one of another dtype");
        copy_elements(target, to);
    });
}

}  // namespace

EmulatedDevice::EmulatedDevice() {
    static const EmulatedKernel kernel;
    static const KernelList kernels{&kernel};
    static const GroupKernelList no_groups;
    backend_.name = "emulated";
    backend_.kernels = &kernels;
    backend_.groups = &no_groups;
    backend_.make_reorder = make_reorder;
    backend_.copy_view = copy_view;
    backend_.has_extreme = has_extreme;
    backend_.identity = [] { return std::string("an emulated device"); };
    backend_.lacks = [](MathMode mode) { return std::string(mode == MathMode::f32 ? "" : "it has f32 alone"); };
    backend_.device = this;
}

std::shared_ptr<void> EmulatedDevice::allocate(std::size_t bytes) const {
    if (bytes == 0) return nullptr;
    const Turn turn;
    if (bytes > *limit_ - std::min(*in_use_, *limit_))
        throw Error("device/memory", "the emulated device has no room for that");
    void* const data = mmap(nullptr, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (data == MAP_FAILED) throw Error("device/memory", "the emulated device has no memory left");
    memory()[data] = bytes;
    *in_use_ += bytes;
    ++*allocations_;
    return {data, [bytes, in_use = in_use_, allocations = allocations_](void* address) {
                const Turn last_turn;
                memory().erase(address);
                munmap(address, bytes);
                *in_use -= bytes;
                --*allocations;
            }};
}

std::shared_ptr<void> EmulatedDevice::allocate_staging(std::size_t bytes) const {
    return {std::malloc(bytes == 0 ? 1 : bytes), std::free};
}

std::shared_ptr<const void> EmulatedDevice::upload(const void* host, std::size_t bytes) const {
    std::shared_ptr<void> copy = allocate(bytes);
    const Open open;
    if (bytes > 0) std::memcpy(copy.get(), host, bytes);
    return copy;
}

std::unique_ptr<DeviceQueue> EmulatedDevice::make_queue() const {
    return std::make_unique<EmulatedQueue>(counts_, fails_, disturbed_, work_);
}

std::unique_ptr<DeviceQueue> EmulatedDevice::make_queue_on(void* stream) const {
    return std::make_unique<EmulatedQueue>(counts_, fails_, disturbed_, work_, static_cast<Stream*>(stream));
}

void EmulatedDevice::disturb_captures(int captures) const {
    const Turn turn;
    *disturbed_ = captures;
}

void EmulatedDevice::Stream::wait() {
    const Open open;
    for (const auto& piece : std::exchange(pending_, {})) piece();
}

void EmulatedDevice::read(void* host, const void* device, std::size_t bytes) const {
    const Open open;
    std::memcpy(host, device, bytes);
}

void EmulatedDevice::write(void* device, const void* host, std::size_t bytes) const {
    const Open open;
    std::memcpy(device, host, bytes);
}

OnDevice::OnDevice(const DeviceRuntime& device, const Tensor& tensor)
    : memory(device.upload(tensor.view().data, tensor.byte_count())), view(tensor.view()) {
    view.data = const_cast<void*>(memory.get());
    view.device = Device::cuda();
}

Tensor read(const OnDevice& tensor) {
    const Open open;
    const auto sizes = tensor.view.sizes();
    Tensor copy(tensor.view.dtype, {sizes.begin(), sizes.end()});
    std::memcpy(copy.view().data, tensor.view.data, copy.byte_count());
    return copy;
}

bool is_readable(const void* data) {
    int ends[2];
    if (pipe(ends) != 0) throw std::runtime_error("pipe");
    const bool readable = write(ends[1], data, 1) == 1;  // EFAULT where it is not
    close(ends[0]);
    close(ends[1]);
    return readable;
}

}  // namespace seq::tests
