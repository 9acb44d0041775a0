#include "kernels/reference/reference.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <mutex>
#include <shared_mutex>

namespace seq {
namespace {

struct Functions {
    std::shared_mutex mutex;
    std::map<std::string, ReferenceFunction, std::less<>> by_op;
};

Functions& functions() {
    static Functions functions;
    return functions;
}

}  // namespace

ReferenceTable::ReferenceTable() {
    reference::add_convolution(*this);
    reference::add_conv_transpose(*this);
    reference::add_pool(*this);
    reference::add_norm(*this);
    reference::add_linear(*this);
    reference::add_activation(*this);
    reference::add_softmax(*this);
    reference::add_reshape(*this);
    reference::add_pad(*this);
    reference::add_upsample(*this);
    reference::add_shuffle(*this);
    reference::add_embedding(*this);
    reference::add_arithmetic(*this);
    reference::add_join(*this);
    reference::add_reduce(*this);
    reference::add_matmul(*this);
}

ReferenceTable& ReferenceTable::instance() {
    static ReferenceTable table;
    return table;
}

void ReferenceTable::add(std::string_view op, ReferenceFunction function) {
    std::unique_lock lock(functions().mutex);
    functions().by_op[std::string(op)] = function;
}

ReferenceFunction ReferenceTable::find(std::string_view op) const {
    std::shared_lock lock(functions().mutex);
    const auto found = functions().by_op.find(op);
    return found == functions().by_op.end() ? nullptr : found->second;
}

namespace reference {
namespace {

constexpr std::size_t max_post_operands = 8;

/// Applies one post-op in place to the running result.
void run_post_op(const PostOp& post, std::span<const TensorView> inputs, const TensorView& result) {
    const auto first = static_cast<std::size_t>(post.first_operand);
    const auto count = static_cast<std::size_t>(post.operand_count);
    const std::span<const TensorView> operands = inputs.subspan(first, count);
    const ReferenceFunction function = ReferenceTable::instance().find(post.op.name());
    static const std::string weight = "weight";
    if (post.op.type().arity.max == 1) {
        const std::span<const std::string> names(&weight, std::min<std::size_t>(count, 1));
        function({post.op, {&result, 1}, operands, names, {&result, 1}});
        return;
    }
    std::array<TensorView, max_post_operands> data;
    const auto position = static_cast<std::size_t>(post.position);
    for (std::size_t i = 0; i <= count; ++i) data[i] = i == position ? result : operands[i < position ? i : i - 1];
    function({post.op, {data.data(), count + 1}, {}, {}, {&result, 1}});
}

}  // namespace

bool supports(const Node& node, std::string* missing) {
    const auto known = [&](const Op& op) {
        if (ReferenceTable::instance().find(op.name()) != nullptr) return true;
        if (missing != nullptr) *missing = op.name();
        return false;
    };
    if (!known(node.op)) return false;
    return std::all_of(node.epilogue.begin(), node.epilogue.end(), [&](const PostOp& post) {
        return known(post.op) && static_cast<std::size_t>(post.operand_count) < max_post_operands;
    });
}

void run(const Node& node, std::span<const TensorView> inputs, std::span<const TensorView> outputs) {
    const auto data = static_cast<std::size_t>(node.data_count);
    const std::size_t parameters = node.parameter_names.size();
    const ReferenceFunction function = ReferenceTable::instance().find(node.op.name());
    function({node.op, inputs.first(data), inputs.subspan(data, parameters), node.parameter_names, outputs});
    for (const PostOp& post : node.epilogue) run_post_op(post, inputs, outputs.front());
}

}  // namespace reference
}  // namespace seq
