#pragma once

#include <map>
#include <string>
#include <vector>

#include "kernels/cuda/own/host_queue.hpp"
#include "kernels/kernel.hpp"
#include "tests/node_case.hpp"

namespace seq::test {

/// Does what is handed to it at once.
class ImmediateQueue : public cuda::own::HostQueue {
   public:
    void submit(std::function<void()> work) override { work(); }
    void copy_to_device(void* device, const void* host, std::size_t bytes) override;
    void copy_to_host(void* host, const void* device, std::size_t bytes) override;
    void copy_on_device(void* to, const void* from, std::size_t bytes) override;
    std::unique_ptr<DeviceGraph> capture(const std::function<void()>&) override { return nullptr; }
    void launch(const DeviceGraph&) override {}
    void wait() override {}
};

/// A node on random data, what the reference makes of it, and what our CUDA kernels do, on the host.
class OwnCase {
   public:
    using Post = PostOpCase;
    /// `constants`: the data inputs that are weights.
    OwnCase(Op op, std::vector<std::vector<std::int64_t>> inputs, std::vector<Post> epilogue = {},
            std::vector<DType> dtypes = {}, std::vector<std::size_t> constants = {});

    /// Puts these numbers into float input `input`, over and over at odd distances.
    void put(const std::vector<float>& values, std::size_t input = 0);
    /// Runs every kernel that takes the node, with its data plain and channels_last, kept in f32 and rounded, and
    /// compares. `own`: what a rounded result may be off, of itself. Returns the names of the kernels that ran.
    std::vector<std::string> run(double tolerance = 1e-5, double own = 0x1p-8);

   private:
    struct Offer {
        Layout order;
        Kept kept = Kept::own;
    };
    std::vector<Tensor> expected(Kept kept) const;
    KernelRequest request_for(const Offer& offer) const;
    bool run_one(const Kernel& kernel, const Offer& offer, double tolerance, double own);
    void check_in_place(const PreparedKernel& kernel, const KernelRequest& request, const std::vector<void*>& inputs,
                        const std::vector<Tensor>& wanted, double tolerance, double own);

    Graph graph_;
    Node* node_ = nullptr;
    std::vector<std::shared_ptr<Tensor>> data_;  ///< as node_->inputs
};

/// Checks that every kernel agrees with the reference and that one that is named `kernel` ran.
void check_own(const std::string& kernel, Op op, std::vector<std::vector<std::int64_t>> inputs,
               std::vector<OwnCase::Post> epilogue = {}, std::vector<DType> dtypes = {});

}  // namespace seq::test
