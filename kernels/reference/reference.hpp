#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "graph/ir.hpp"

namespace seq {

/// One application of an op to dense row-major data. All float tensors of a call are of one dtype, f32 or f64.
struct ReferenceCall {
    const Op& op;
    std::span<const TensorView> inputs;  ///< the data inputs
    std::span<const TensorView> parameters;
    std::span<const std::string> parameter_names;
    std::span<const TensorView> outputs;

    /// nullptr where the op has no parameter of that name (no bias).
    const TensorView* parameter(std::string_view name) const {
        for (std::size_t i = 0; i < parameter_names.size(); ++i) {
            if (parameter_names[i] == name) return &parameters[i];
        }
        return nullptr;
    }
    template <OpStruct T>
    const T& fields() const {
        return *op.as<T>();
    }
};

/// Plain loops that compute an op. An elementwise op's output may be its input's buffer.
using ReferenceFunction = void (*)(const ReferenceCall& call);

/// The plain kernel of every op, and those that users register for their own.
class ReferenceTable {
   public:
    static ReferenceTable& instance();
    void add(std::string_view op, ReferenceFunction function);
    /// nullptr where the op has none.
    ReferenceFunction find(std::string_view op) const;

   private:
    ReferenceTable();
};

/// Registers `function` as the CPU kernel of a user's own op.
template <OpStruct T>
void register_kernel(ReferenceFunction function) {
    register_op<T>();
    ReferenceTable::instance().add(T::name, function);
}

namespace reference {

/// Whether every op of the node, its epilogue included, has a plain kernel; `missing` takes the name of one that has
/// not.
bool supports(const Node& node, std::string* missing = nullptr);

/// Runs a node, its epilogue included. `inputs` are indexed as node.inputs, all dense; allocates nothing.
void run(const Node& node, std::span<const TensorView> inputs, std::span<const TensorView> outputs);

/// Evaluates nodes whose inputs are known; for constant folding. Computes in f64 and rounds once at the end.
Evaluator evaluator();

// One for each family of ops: adds its plain kernels.
void add_convolution(ReferenceTable& table);
void add_conv_transpose(ReferenceTable& table);
void add_pool(ReferenceTable& table);
void add_norm(ReferenceTable& table);
void add_linear(ReferenceTable& table);
void add_activation(ReferenceTable& table);
void add_softmax(ReferenceTable& table);
void add_reshape(ReferenceTable& table);
void add_pad(ReferenceTable& table);
void add_upsample(ReferenceTable& table);
void add_shuffle(ReferenceTable& table);
void add_embedding(ReferenceTable& table);
void add_arithmetic(ReferenceTable& table);
void add_join(ReferenceTable& table);  ///< Concat, Split, Slice
void add_reduce(ReferenceTable& table);
void add_matmul(ReferenceTable& table);

/// Calls `body` with a float or a double, as the tensors of the call are.
template <class F>
void dispatch_float(DType dtype, F&& body) {
    if (dtype == DType::f64) {
        body(double{});
    } else {
        body(float{});
    }
}

}  // namespace reference
}  // namespace seq
