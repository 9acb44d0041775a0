#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "graph/ops/concat.hpp"
#include "graph/ops/shuffle.hpp"
#include "graph/ops/split.hpp"
#include "kernels/cpu/channel_shuffle/rows.hpp"
#include "kernels/cpu/geometry.hpp"
#include "kernels/cpu/group_request.hpp"
#include "kernels/cpu/isa.hpp"
#include "kernels/cpu/kernels.hpp"
#include "kernels/cpu/parallel.hpp"
#include "kernels/cpu/task_ranges.hpp"

namespace seq::cpu {
namespace {

using channel_shuffle::Group;
using channel_shuffle::Groups;
using channel_shuffle::Part;

/// What is joined at most.
constexpr std::size_t max_inputs = 16;
/// Parts of a worker's pixels, which others may take from it.
constexpr std::int64_t tasks_per_worker = 4;

std::int64_t channels_of(const Value& value) { return value.type.shape[1].value(); }

/// The nodes by what they do; nullptr where there is none.
struct Roles {
    const Node* join = nullptr;
    const Node* shuffle = nullptr;
    const Node* cut = nullptr;
};

Roles roles_of(std::span<const Node* const> nodes) {
    Roles roles;
    for (const Node* node : nodes) {
        if (node->op.is<ops::Concat>()) roles.join = node;
        if (node->op.is<ops::ChannelShuffle>()) roles.shuffle = node;
        if (node->op.is<ops::Split>()) roles.cut = node;
    }
    return roles;
}

std::span<Value* const> sources_of(const Roles& roles) {
    return roles.join != nullptr ? roles.join->data() : roles.shuffle->data();
}

/// Each group of the shuffle with the position of its source; none where one lies in more than one source.
std::vector<Group> groups_of(const Roles& roles) {
    const std::int64_t count = roles.shuffle->op.as<ops::ChannelShuffle>()->groups;
    const std::int64_t size = channels_of(*roles.shuffle->output()) / count;
    std::vector<Group> groups;
    int input = 0;
    std::int64_t start = 0;  // of the source among all channels
    for (const Value* source : sources_of(roles)) {
        const std::int64_t channels = channels_of(*source);
        for (std::int64_t first = static_cast<std::int64_t>(groups.size()) * size;
             first >= start && first + size <= start + channels; first += size)
            groups.push_back({input, first - start, channels});
        start += channels;
        ++input;
    }
    return static_cast<std::int64_t>(groups.size()) == count ? groups : std::vector<Group>{};
}

bool is_over_channels(const Node& node, std::int64_t dim) {
    const std::int64_t rank = node.input()->type.shape.rank();
    return (dim < 0 ? dim + rank : dim) == 1;
}

bool is_join(const Node& node) {
    const auto* concat = node.op.as<ops::Concat>();
    const auto data = node.data();
    return concat != nullptr && node.epilogue.empty() && data.size() <= max_inputs &&
           is_over_channels(node, concat->dim) &&
           std::none_of(data.begin(), data.end(), [](const Value* value) { return value->is_constant_like(); });
}

bool is_shuffle(const Node& node) {
    const int rank = node.input()->type.shape.rank();
    return node.op.is<ops::ChannelShuffle>() && node.epilogue.empty() && rank <= 5 &&
           node.output()->type.dtype == DType::f32 && !node.input()->is_constant_like();
}

bool is_cut(const Node& node) {
    const auto* split = node.op.as<ops::Split>();
    return split != nullptr && node.epilogue.empty() && is_over_channels(node, split->dim);
}

class PreparedShuffle final : public PreparedKernel {
   public:
    PreparedShuffle() { ignores_nonfinite = true; }
    void run(const RunContext& context) const override {
        std::array<const float*, max_inputs> inputs{};
        for (std::size_t i = 0; i < sources.size(); ++i)
            inputs[i] = static_cast<const float*>(context.inputs[sources[i]]);
        planes ? copy_planes(inputs.data(), context) : shuffle_pixels(inputs.data(), context);
    }

    std::int64_t batch = 0, pixels = 0, channels = 0;
    std::int64_t workers = 1;
    bool planes = false;  ///< whether the layout is plain
    std::vector<Group> groups;
    std::vector<Part> parts;   ///< as the outputs
    std::vector<int> sources;  ///< for each Group::input, which of the kernel's inputs it is
    channel_shuffle::RowFunction rows = nullptr;

   private:
    void shuffle_pixels(const float* const* inputs, const RunContext& context) const {
        const Groups of{groups.data(), static_cast<std::int64_t>(groups.size())};
        const std::int64_t count = batch * pixels, tasks = std::min(count, workers * tasks_per_worker);
        run_tasks(tasks, workers, [&](std::int64_t, std::int64_t task) {
            for (std::size_t i = 0; i < parts.size(); ++i)
                rows(of, inputs, parts[i], static_cast<float*>(context.outputs[i]), count * task / tasks,
                     count * (task + 1) / tasks);
        });
    }

    void copy_planes(const float* const* inputs, const RunContext& context) const {
        const auto count = static_cast<std::int64_t>(groups.size());
        const std::int64_t grain = parallel_grain / std::max<std::int64_t>(pixels, 1) + 1;
        parallel_for(batch * channels, grain, [&](std::int64_t first, std::int64_t last) {
            for (std::int64_t plane = first; plane < last; ++plane) {
                const std::int64_t sample = plane / channels, channel = plane % channels;
                std::size_t output = 0;
                while (channel >= parts[output].first + parts[output].count) ++output;
                const Part& part = parts[output];
                const Group& group = groups[static_cast<std::size_t>(channel % count)];
                const float* from =
                    inputs[group.input] + (sample * group.stride + group.first + channel / count) * pixels;
                float* to = static_cast<float*>(context.outputs[output]) +
                            (sample * part.count + channel - part.first) * pixels;
                std::memcpy(to, from, static_cast<std::size_t>(pixels) * sizeof(float));
            }
        });
    }
};

/// A ChannelShuffle with the Concat before it, or the Split after it, or both.
class ChannelShuffle final : public GroupKernel {
   public:
    std::string_view name() const override { return "cpu.channel_shuffle"; }

    std::vector<const Node*> match(const Graph& graph, const Node& first,
                                   const ComputeOptions& options) const override {
        if (usable_isa(options) == Isa::scalar) return {};
        std::vector<const Node*> nodes;
        const Node* node = &first;
        if (is_join(*node)) {
            nodes.push_back(node);
            node = only_user(graph, *node);
        }
        if (node == nullptr || !is_shuffle(*node)) return {};
        nodes.push_back(node);
        if (groups_of(roles_of(nodes)).empty()) return {};
        node = only_user(graph, *node);
        if (node != nullptr && is_cut(*node)) nodes.push_back(node);
        return nodes.size() > 1 ? nodes : std::vector<const Node*>{};
    }

    std::unique_ptr<PreparedKernel> prepare(const GroupRequest& request, WeightProvider&, std::string&) const override {
        const Isa isa = usable_isa(request.options);
        const Roles roles = roles_of(request.nodes);
        auto kernel = std::make_unique<PreparedShuffle>();
        const Sizes sizes = *roles.shuffle->output()->type.shape.sizes();
        kernel->batch = sizes[0];
        kernel->channels = sizes[1];
        kernel->pixels = product(std::span(sizes).subspan(2));
        const bool alone = kernel->batch * kernel->channels * kernel->pixels < parallel_grain;
        kernel->workers = alone ? 1 : std::clamp<std::int64_t>(request.options.threads, 1, TaskRanges::max_workers);
        kernel->groups = groups_of(roles);
        for (const Value* source : sources_of(roles)) kernel->sources.push_back(position_of(request, *source));
        std::int64_t first = 0;
        for (const Value* output : request.nodes.back()->outputs) {
            kernel->parts.push_back({first, channels_of(*output)});
            first += channels_of(*output);
        }
        kernel->rows =
            isa == Isa::avx512 ? channel_shuffle::shuffle_rows_avx512() : channel_shuffle::shuffle_rows_avx2();
        kernel->planes = std::all_of(request.inputs.begin(), request.inputs.end(),
                                     [](const Placed& input) { return input.layout == Layout::plain(); });
        const Layout layout = kernel->planes ? Layout::plain() : Layout::channels_last();
        kernel->input_layouts.assign(request.values.size(), layout);
        kernel->output_layouts.assign(kernel->parts.size(), layout);
        kernel->description = fmt::format("own channels of groups in turn {}", name_of(isa));
        return kernel;
    }
};

}  // namespace

const GroupKernel& channel_shuffle_kernel() {
    static const ChannelShuffle kernel;
    return kernel;
}

}  // namespace seq::cpu
