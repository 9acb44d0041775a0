#include "kernels/cuda/runtime/weight_chunks.hpp"

#include <doctest/doctest.h>

#include <cstring>
#include <thread>

#include "kernels/cuda/runtime/cuda_runtime.hpp"
#include "tests/cuda/fake_runtime.hpp"
#include "tests/cuda/fault_of.hpp"

namespace seq::tests {
namespace {

/// A machine to whose GPU weights are uploaded.
struct Uploads {
    FakeRuntime fake;
    cuda::Cudnn cudnn;
    cuda::CudaRuntime runtime{fake.table, cudnn, 0};
};

TEST_CASE("many weights take few allocations, each aligned, and give them back with the last") {
    Uploads machine;
    machine.fake.free_bytes = std::size_t{1} << 30;
    std::vector<std::shared_ptr<const void>> weights;
    std::size_t bytes = 0;
    for (int i = 0; i < 400; ++i) {
        const std::vector<std::byte> host(static_cast<std::size_t>(1 + 997 * i % 60000), std::byte(i));
        weights.push_back(machine.runtime.upload(host.data(), host.size()));
        bytes += host.size();
        CHECK(reinterpret_cast<std::uintptr_t>(weights.back().get()) % 16 == 0);
    }
    CHECK(machine.fake.allocations <= 5);
    for (int i = 0; i < 400; ++i)
        CHECK(static_cast<const std::byte*>(weights[static_cast<std::size_t>(i)].get())[0] == std::byte(i));
    std::size_t held = 0;
    for (const auto& [address, size] : machine.fake.memory) held += size;
    CHECK(held < 2 * bytes + (std::size_t{2} << 20));
    const std::vector<std::byte> large(std::size_t{40} << 20, std::byte(7));
    weights.push_back(machine.runtime.upload(large.data(), large.size()));
    weights.clear();
    CHECK(machine.fake.memory.empty());
}

TEST_CASE("who holds a weight can tell whether others hold it, whatever lies beside it") {
    Uploads machine;
    machine.fake.free_bytes = std::size_t{1} << 30;
    const std::byte host[100] = {};
    const auto first = machine.runtime.upload(host, sizeof host), second = machine.runtime.upload(host, sizeof host);
    CHECK(machine.fake.memory.size() == 1);
    CHECK(first.use_count() == 1);
    const auto also_second = second;
    CHECK(first.use_count() == 1);
    CHECK(second.use_count() == 2);
}

TEST_CASE("where a chunk does not fit, a weight that does is taken alone") {
    Uploads machine;
    machine.fake.free_bytes = 5000;
    const std::vector<std::byte> host(4000, std::byte(3));
    const auto weight = machine.runtime.upload(host.data(), host.size());
    CHECK(machine.fake.memory.size() == 1);
    CHECK(std::memcmp(weight.get(), host.data(), host.size()) == 0);
    const std::vector<std::byte> large(6000, std::byte(3));
    CHECK(fault_of([&] { machine.runtime.upload(large.data(), large.size()); }).first == "device/memory");
}

TEST_CASE("weights are uploaded from several threads") {
    cuda::WeightChunks chunks([](std::size_t bytes) {
        return std::shared_ptr<void>(new std::byte[bytes], [](void* data) { delete[] static_cast<std::byte*>(data); });
    });
    std::vector<std::vector<std::shared_ptr<void>>> pieces(4);
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&, t] {
            for (int i = 0; i < 200; ++i) {
                pieces[static_cast<std::size_t>(t)].push_back(chunks.take(1000));
                std::memset(pieces[static_cast<std::size_t>(t)].back().get(), t, 1000);
            }
        });
    }
    for (std::thread& thread : threads) thread.join();
    for (int t = 0; t < 4; ++t) {
        for (const auto& piece : pieces[static_cast<std::size_t>(t)])
            CHECK(static_cast<const char*>(piece.get())[999] == static_cast<char>(t));
    }
}

}  // namespace
}  // namespace seq::tests
