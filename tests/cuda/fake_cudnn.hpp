#pragma once

#include <atomic>
#include <cstddef>
#include <cstring>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "kernels/cuda/cudnn/graph_spec.hpp"
#include "kernels/cuda/libraries.hpp"

namespace seq::tests {

/// An attribute as it was set: its type, count and bytes.
struct FakeAttribute {
    cudnnBackendAttributeType_t type = CUDNN_TYPE_INT64;
    std::int64_t count = 0;
    std::vector<std::byte> bytes;
};

struct FakeDescriptor {
    cudnnBackendDescriptorType_t type = CUDNN_BACKEND_TENSOR_DESCRIPTOR;
    std::map<cudnnBackendAttributeName_t, FakeAttribute> attributes;
    bool finalized = false;

    bool has(cudnnBackendAttributeName_t name) const { return attributes.contains(name); }
    template <class T>
    T get(cudnnBackendAttributeName_t name) const {
        T value{};
        std::memcpy(&value, attributes.at(name).bytes.data(), sizeof(T));
        return value;
    }
    const FakeDescriptor& part(cudnnBackendAttributeName_t name) const { return *get<const FakeDescriptor*>(name); }
    /// All values of an attribute.
    template <class T>
    std::vector<T> all(cudnnBackendAttributeName_t name) const {
        const FakeAttribute& attribute = attributes.at(name);
        std::vector<T> values(static_cast<std::size_t>(attribute.count));
        std::memcpy(values.data(), attribute.bytes.data(), attribute.bytes.size());
        return values;
    }
    std::vector<const FakeDescriptor*> parts(cudnnBackendAttributeName_t name) const {
        return all<const FakeDescriptor*>(name);
    }
};

struct FakeEngine {
    std::int64_t number = 0;
    std::vector<cudnnBackendNumericalNote_t> numerical_notes;
    std::vector<cudnnBackendBehaviorNote_t> behavior_notes;
    std::int64_t workspace = 0;
};

/// What a plan was run with.
struct FakeRun {
    cudnnHandle_t handle = nullptr;
    cuda::GraphSpec graph;
    std::map<cuda::TensorId, void*> pointers;
    void* workspace = nullptr;
};

/// A cuDNN that remembers what it was told. One at a time: the functions of the table find it as `FakeCudnn::current`.
/// Several threads may make descriptors.
class FakeCudnn {
   public:
    FakeCudnn();
    ~FakeCudnn();
    FakeCudnn(const FakeCudnn&) = delete;

    static FakeCudnn* current;
    cuda::Cudnn table;
    /// What heuristic mode A and the fallback propose.
    std::vector<FakeEngine> mode_a{{.number = 1}}, fallback;
    /// What finalising answers, and the text that comes with anything but success.
    std::function<cudnnStatus_t(const FakeDescriptor&)> on_finalize;
    std::string error_text;
    /// What running a plan does.
    std::function<cudnnStatus_t(const FakeRun&)> on_execute;
    /// The call of this number, from 0 on, of all that can fail, fails with `failure`; -1: none.
    int failing_call = -1;
    cudnnStatus_t failure = CUDNN_STATUS_INTERNAL_ERROR;

    std::atomic<int> calls = 0;
    std::size_t created = 0;
    std::set<FakeDescriptor*> alive;
    int handles = 0;  ///< that are there
    std::size_t version = 91900;
    /// Plans that were compiled at run time, that were restored from their JSON, and that it was written of. Those that
    /// any fake wrote are restored by every other of the same version.
    int compiled = 0, restored = 0, serialised = 0;
    /// Plans that are there.
    std::size_t plans() const;
    /// The operations, by their pointwise modes or "conv", "convT", "matmul", "pool" and "norm", of each graph that was
    /// finalised.
    std::vector<std::string> graphs;
};

/// The graph, as it was told, and the numbers of its constants left out.
cuda::GraphSpec spec_of(const FakeDescriptor& graph);
/// "conv add relu": the operations of a finalised graph.
std::string operations_of(const FakeDescriptor& graph);
/// The same of the graph that a plan is for.
std::string operations_of_plan(const FakeDescriptor& plan);
/// The number of its engine.
std::int64_t engine_number_of_plan(const FakeDescriptor& plan);

}  // namespace seq::tests
