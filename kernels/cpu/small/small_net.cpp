#include <fmt/format.h>

#include <algorithm>

#include "graph/tensor.hpp"
#include "kernels/cpu/cpu.hpp"
#include "kernels/cpu/isa.hpp"
#include "kernels/cpu/kernels.hpp"
#include "kernels/cpu/packing.hpp"
#include "kernels/cpu/parallel.hpp"
#include "kernels/cpu/small/small_net.hpp"
#include "kernels/cpu/small/team.hpp"

namespace seq::cpu {
namespace {

using namespace small;

/// What is larger is better cut into steps, each with the kernel that is fastest for it.
constexpr double most_multiply_adds = 10e6;  // of one picture
constexpr std::int64_t most_weight_floats = std::int64_t{1} << 20;

bool is_transformed(const Stage& stage) { return stage.multiply && stage.multiply->transformed; }

class PreparedSmallNet final : public PreparedKernel {
   public:
    explicit PreparedSmallNet(Net made) : net(std::move(made)) {
        const std::size_t own = static_cast<std::size_t>(net.own_floats * net.workers) * sizeof(float);
        const std::size_t shared = static_cast<std::size_t>(net.shared_floats) * sizeof(float);
        scratch_bytes = own + shared + (net.group == 0 ? Team::bytes(net.stages.size(), net.workers) : 0);
        while (flat_from < net.stages.size() && !net.stages[flat_from].flat) ++flat_from;
        ignores_nonfinite = std::none_of(net.stages.begin(), net.stages.end(), is_transformed);
        serial = net.workers == 1;
        input_layouts = {Layout::plain()};
        output_layouts = {Layout::plain()};
    }

    void run(const RunContext& context) const override {
        Bases bases;
        bases.input = static_cast<const float*>(context.inputs[0]);
        bases.output = static_cast<float*>(context.outputs[0]);
        bases.own = reinterpret_cast<float*>(context.scratch);
        bases.shared = bases.own + net.own_floats * net.workers;
        bases.weights = static_cast<const float*>(weights.data);
        bases.nonfinite = context.nonfinite;
        if (net.workers == 1) {
            for (std::int64_t first = 0; first < net.batch; first += net.group) run_group(bases, first);
        } else if (net.group > 0) {
            run_groups(bases);
        } else {
            run_shared(bases);
        }
    }

    Net net;
    PackedWeights weights;

   private:
    void run_group(Bases& bases, std::int64_t first) const {
        const std::int64_t count = std::min(net.group, net.batch - first);
        bases.first = first;
        for (std::int64_t picture = first; flat_from > 0 && picture < first + count;) {
            const std::int64_t chunk = bases.nonfinite || first + count - picture < net.chunk ? 1 : net.chunk;
            bases.in_chunk = picture;
            run_pictures(bases, picture, chunk);
            picture += chunk;
        }
        for (std::size_t s = flat_from; s < net.stages.size(); ++s)
            run_rows(net, s, bases, first, count, 0, panels(net.stages[s]));
    }

    /// The stages that are not flat: of a chunk, those in Winograd's form at once, and all between them picture by
    /// picture.
    void run_pictures(Bases& bases, std::int64_t first, std::int64_t count) const {
        const auto together = [&](std::size_t s) { return count > 1 && is_transformed(net.stages[s]); };
        for (std::size_t begin = 0, end = 0; begin < flat_from; begin = end) {
            if (together(begin)) {
                run_chunk(net, begin, bases, first);
                end = begin + 1;
                continue;
            }
            while (end < flat_from && !together(end)) ++end;
            for (std::int64_t picture = first; picture < first + count; ++picture) {
                for (std::size_t s = begin; s < end; ++s) run_lines(net, s, bases, picture, 0, lines(s));
            }
        }
    }

    void run_groups(const Bases& bases) const {
        const std::int64_t groups = (net.batch + net.group - 1) / net.group;
        share_tasks(net.workers, groups, [&](std::int64_t worker, const auto& next) {
            Bases mine = bases;
            mine.own += worker * net.own_floats;
            for (std::int64_t group = next(); group >= 0; group = next()) run_group(mine, group * net.group);
        });
    }

    void run_shared(const Bases& bases) const {
        Team team(reinterpret_cast<std::byte*>(bases.shared + net.shared_floats), net.stages.size(), net.workers);
        parallel_for(net.workers, 1, [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t worker = begin; worker < end; ++worker) {
                Bases mine = bases;
                mine.own += worker * net.own_floats;
                for (std::size_t s = 0; s < net.stages.size(); ++s)
                    share_stage(team, s, static_cast<int>(worker), mine);
            }
        });
    }

    void share_stage(Team& team, std::size_t s, int worker, Bases& bases) const {
        if (s >= flat_from) {
            team.share(s, worker, panels(net.stages[s]),
                       [&](std::int64_t panel) { run_rows(net, s, bases, 0, net.batch, panel, panel + 1); });
            return;
        }
        if (is_transformed(net.stages[s])) {
            const auto& strips = net.stages[s].multiply->transformed->strips;
            const auto parts = static_cast<std::int64_t>(strips.size());
            team.share(s, worker, net.batch * parts, [&](std::int64_t task) {
                run_strip(net, s, bases, task / parts, strips[static_cast<std::size_t>(task % parts)]);
            });
            return;
        }
        const std::int64_t tasks_per_worker = 2;
        const std::int64_t parts = std::clamp<std::int64_t>(net.workers * tasks_per_worker / net.batch, 1, lines(s));
        team.share(s, worker, net.batch * parts, [&](std::int64_t task) {
            const std::int64_t part = task % parts;
            run_lines(net, s, bases, task / parts, part * lines(s) / parts, (part + 1) * lines(s) / parts);
        });
    }

    std::int64_t lines(std::size_t s) const { return net.areas[static_cast<std::size_t>(net.stages[s].out)].height; }

    std::size_t flat_from = 0;  ///< the first flat stage
};

/// A name for all that the packed block depends on.
std::string key_of(const Net& net) {
    std::string key = fmt::format("small net {}", net.lanes());
    for (const Stage& stage : net.stages) {
        if (!stage.multiply) continue;
        const Multiply& multiply = *stage.multiply;
        key += fmt::format("; {} {} {}{}", multiply.weight->name, multiply.bias ? multiply.bias->name : "-",
                           multiply.outputs,
                           multiply.transformed   ? " transformed"
                           : multiply.dot_row > 0 ? " dots"
                                                  : "");
        for (const Run& run : multiply.runs) key += fmt::format(" {}", run.count);
    }
    return key;
}

/// False where the weights hold what padding with zeros would spread: NaN, Inf or numbers near overflow.
bool fill_packed(const Net& net, bool spreads, WeightProvider& provider, float* packed) {
    bool extreme = false;
    for (const Stage& stage : net.stages) {
        if (!stage.multiply) continue;
        const Multiply& multiply = *stage.multiply;
        const TensorView weight = provider.view(*multiply.weight);
        extreme = extreme || has_extreme(weight);
        pack_weights(net, multiply, weight.as<float>(), packed);
        pack_bias(net, multiply, multiply.bias ? provider.view(*multiply.bias).as<float>() : nullptr, packed);
    }
    return !(extreme && spreads);
}

PackedWeights pack(const Net& net, bool spreads, WeightProvider& provider) {
    bool usable = false;
    PackedWeights packed =
        keep_floats(net.packed_floats, [&](float* floats) { usable = fill_packed(net, spreads, provider, floats); });
    return usable ? packed : PackedWeights{};
}

/// Whether all numbers are known (a model without weights can be planned, yet not run).
bool available(const Net& net, const WeightProvider& provider) {
    return std::all_of(net.stages.begin(), net.stages.end(), [&](const Stage& stage) {
        if (!stage.multiply) return true;
        const Value* bias = stage.multiply->bias;
        return provider.available(*stage.multiply->weight) && (bias == nullptr || provider.available(*bias));
    });
}

/// "own avx512, 2 workers, Winograd in 1 of 4 products"
std::string describe(const Net& net, Isa isa) {
    std::string text = fmt::format("own {}, {} worker{}", name_of(isa), net.workers, net.workers == 1 ? "" : "s");
    const auto count = [&](auto holds) { return std::count_if(net.stages.begin(), net.stages.end(), holds); };
    const auto transformed = count(is_transformed);
    if (transformed == 0) return text;
    const auto products = count([](const Stage& stage) { return stage.multiply.has_value(); });
    return text + fmt::format(", Winograd in {} of {} products", transformed, products);
}

const Value& first_weight(const Net& net) {
    const auto found = std::find_if(net.stages.begin(), net.stages.end(), [](const Stage& s) { return s.multiply; });
    return *found->multiply->weight;
}

class SmallNet final : public GroupKernel {
   public:
    std::string_view name() const override { return "cpu.small_net"; }

    std::vector<const Node*> match(const Graph& graph, const Node& first, const ComputeOptions& options) const override;

    std::unique_ptr<PreparedKernel> prepare(const GroupRequest& request, WeightProvider& provider,
                                            std::string& refusal) const override {
        return prepare_small_net(request, provider, Workers::as_worth, refusal);
    }
};

/// Layouts are no question where the chain meets other steps: there it has the caller's tensors, or rows.
bool is_edge(const Value& value) { return value.type.shape.rank() == 2; }

std::vector<const Node*> SmallNet::match(const Graph&, const Node& first, const ComputeOptions& options) const {
    if (options.numerics == Numerics::strict || first.data_count != 1) return {};
    const Value& input = *first.input();
    if (input.kind != ValueKind::input && !(input.kind == ValueKind::result && is_edge(input))) return {};
    if (!input.type.shape.sizes()) return {};
    Builder builder(input, options);
    std::vector<const Node*> nodes;
    std::size_t best = 0;
    for (const Node* node = &first; node != nullptr && builder.append(*node);) {
        if (builder.multiply_adds() > most_multiply_adds || builder.weight_floats() > most_weight_floats) break;
        nodes.push_back(node);
        const Value& output = *node->output();
        if (builder.has_product() && (output.output_uses > 0 || is_edge(output))) best = nodes.size();
        if (output.output_uses > 0 || output.uses.size() != 1) break;
        node = output.uses.front().node;
        if (node->data_count != 1 || node->input() != &output) break;
    }
    nodes.resize(best);
    return nodes;
}

}  // namespace

namespace small {

std::unique_ptr<PreparedKernel> prepare_small_net(const GroupRequest& request, WeightProvider& provider,
                                                  Workers workers, std::string& refusal) {
    Builder builder(*request.values[0], request.options);
    for (const Node* node : request.nodes) builder.append(*node);
    const bool spreads = builder.spreads();
    auto kernel = std::make_unique<PreparedSmallNet>(builder.finish(workers));
    const Net& net = kernel->net;
    if (available(net, provider)) {
        kernel->weights = provider.packed(
            first_weight(net), key_of(net), [&](const TensorView&) { return pack(net, spreads, provider); },
            static_cast<std::size_t>(net.packed_floats) * sizeof(float));
        if (kernel->weights.data == nullptr) {
            refusal = "the weights hold NaN, Inf or numbers near overflow";
            return nullptr;
        }
    }
    kernel->packed_bytes = kernel->weights.bytes;
    kernel->description = describe(net, usable_isa(request.options));
    return kernel;
}

}  // namespace small

const GroupKernel& small_net_kernel() {
    static const SmallNet kernel;
    return kernel;
}

}  // namespace seq::cpu
