#pragma once

#include <map>

#include "kernels/cuda/cudnn/cudnn_queue.hpp"
#include "kernels/cuda/cudnn/kernels.hpp"
#include "tests/cuda/fake_cudnn.hpp"

namespace seq::tests {

/// The host as a device, aligned as a GPU is.
class HostRuntime final : public DeviceRuntime {
   public:
    std::size_t cache_bytes() const override { return 0; }
    std::shared_ptr<void> allocate(std::size_t bytes) const override;
    std::shared_ptr<void> allocate_staging(std::size_t bytes) const override { return allocate(bytes); }
    std::shared_ptr<const void> upload(const void* host, std::size_t bytes) const override;
    std::unique_ptr<DeviceQueue> make_queue() const override;
    std::unique_ptr<DeviceQueue> make_queue_on(void*) const override { return make_queue(); }
};

/// A node with random data, which cuDNN's kernels run on a fake cuDNN that computes graphs on the host.
class LayerCase {
   public:
    struct Post {
        Op op;
        std::vector<std::vector<std::int64_t>> operands{};
        int position = 0;
        bool constant = false;  ///< operands are weights
    };
    /// `constants`: the data inputs that are weights.
    LayerCase(Op op, std::vector<std::vector<std::int64_t>> inputs, std::vector<Post> epilogue = {},
              std::vector<std::size_t> constants = {});

    KernelRequest request(MathMode math = MathMode::f32) const;
    const Node& node() const { return *node_; }
    Tensor& data(int input) { return *data_.at(static_cast<std::size_t>(input)); }

    /// What the kernel that takes the node made of it; null where all refuse, with the reasons in `refusal`.
    std::unique_ptr<PreparedKernel> prepare(MathMode math = MathMode::f32);
    /// Of the kernel that takes the node.
    std::vector<std::string> variants() const;
    /// Runs it and compares with the reference.
    void check(const PreparedKernel& kernel, MathMode math = MathMode::f32);
    /// Both, and that `form` did it.
    void check(const std::string& form, MathMode math = MathMode::f32);
    /// Has cuDNN refuse every graph whose operations are not these.
    void take_only(const std::string& operations);
    /// Checks what is made of the node then, which is something.
    std::unique_ptr<PreparedKernel> check_with_only(const std::string& operations, MathMode math);

    /// How data input 0 comes, and how the result is wanted.
    std::optional<Layout> offered{}, offered_output{};
    std::string variant;
    /// As ComputeOptions has it.
    bool estimate = false;
    FakeCudnn fake;
    std::string refusal;
    /// In the order in which plans ran.
    std::vector<FakeRun> runs;

   private:
    Graph graph_;
    Node* node_ = nullptr;
    std::vector<std::shared_ptr<Tensor>> data_;  ///< as node_->inputs, plain f32
    HostRuntime runtime_;
    cuda::CudnnDevice device_;
    std::vector<std::unique_ptr<const Kernel>> kernels_;
};

}  // namespace seq::tests
