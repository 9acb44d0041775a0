#include "engine/selection/group_choice.hpp"

#include <doctest/doctest.h>

#include "graph/ops/batch_norm.hpp"
#include "graph/ops/convolution.hpp"
#include "graph/ops/shuffle.hpp"
#include "graph/ops/split.hpp"
#include "kernels/cpu/cpu.hpp"

namespace seq::tests {
namespace {

const Layout last = Layout::channels_last(), blocked = Layout::blocked(16);

Candidate candidate(const Layout& layout, std::size_t inputs, double time, std::size_t outputs = 1) {
    const std::vector<Layout> results(outputs, layout);
    Candidate made{"some.kernel", "", {layout, layout}, std::vector<Layout>(inputs), results, time, time};
    made.inputs[0] = layout;
    return made;
}

ops::BatchNorm2d norm() {
    ops::BatchNorm2d norm;
    norm.num_features = 32;
    return norm;
}

ops::Conv2d pointwise() {
    ops::Conv2d conv;
    conv.in_channels = 32;
    conv.out_channels = 48;
    conv.kernel_size = 1;
    return conv;
}

/// Two nodes, one after the other, with times that nobody measured.
class Pair {
   public:
    explicit Pair(Op first_op = norm(), Op second_op = pointwise()) {
        Value* x = graph_.add_input("x", {DType::f32, Shape(std::vector<Dim>{1, 32, 8, 8})});
        const Node& first = add(std::move(first_op), x);
        const Node& second = add(std::move(second_op), first.output());
        graph_.set_outputs({second.output()}, {"y"});
        group_ = {nullptr, {&first, &second}, {x}};
        options_.threads = 2;
    }

    void together(const Layout& layout, double time) {
        put(group_unit(group_), {candidate(layout, 1, time, group_.nodes.back()->outputs.size())});
    }
    void apart(const Layout& layout, double each) {
        for (const Node* node : group_.nodes) {
            const Unit unit = node_unit(*node);
            put(unit, {candidate(layout, unit.inputs.size(), each, node->outputs.size())});
        }
    }
    void reorder(const std::string& sizes, const Layout& from, const Layout& to, double time) {
        tuning_.cache.add("reorder f32[" + sizes + "] " + from.to_string() + " -> " + to.to_string() +
                              " threads=2 weights=" + name_of(WeightHome::core),
                          {candidate(from, 1, time)});
    }
    WeighedGroup weigh() {
        Measurements measurements(graph_, cpu_backend(), options_, tuning_, WeightHome::core, 1);
        return GroupChoice(measurements, false, options_.threads).weigh(group_);
    }
    bool pays() { return weigh().pays; }

   private:
    const Node& add(Op op, Value* input) {
        NodeSpec spec;
        spec.op = std::move(op);
        spec.name = spec.parameter_prefix = "layer" + std::to_string(graph_.node_count());
        spec.inputs = {input};
        return *graph_.add(std::move(spec));
    }
    void put(const Unit& unit, std::vector<Candidate> candidates) {
        tuning_.cache.add(key_of(unit, options_) + " weights=" + name_of(WeightHome::core), std::move(candidates));
    }

    Graph graph_;
    Group group_;
    ComputeOptions options_;
    Tuning tuning_;
};

TEST_CASE("a group pays where it takes less than its nodes do apart in its layouts") {
    Pair pair;
    pair.apart(last, 4);
    pair.together(last, 10);
    CHECK(!pair.pays());
    pair.together(last, 7.9);
    CHECK(pair.pays());
}

TEST_CASE("what lies between nodes apart counts, though each by itself finds it in its own cache") {
    Pair pair;
    pair.apart(last, 4);
    pair.together(last, 8.1);  // 8 KB in between, at 25 bytes a nanosecond for each thread: 0.16
    CHECK(pair.pays());
}

TEST_CASE("reorders that nodes apart would need count") {
    Pair pair;
    pair.apart(blocked, 4);
    pair.reorder("1,32,8,8", last, blocked, 3);
    pair.reorder("1,48,8,8", blocked, last, 2);
    pair.together(last, 14);
    CHECK(!pair.pays());
    pair.together(last, 12.9);
    CHECK(pair.pays());
}

TEST_CASE("reorders of everything that a group gives count") {
    Pair pair(ops::ChannelShuffle{2}, ops::Split{IntList{8, 24}});
    pair.apart(blocked, 4);
    pair.reorder("1,32,8,8", last, blocked, 3);
    pair.reorder("1,8,8,8", blocked, last, 2);
    pair.reorder("1,24,8,8", blocked, last, 5);
    pair.together(last, 19);
    CHECK(!pair.pays());
    pair.together(last, 18);
    CHECK(pair.pays());
    const WeighedGroup weighed = pair.weigh();
    const Apart& apart = weighed.apart.at(0).value();
    CHECK(apart.kernels == 8);
    CHECK(apart.reorders == 10);
}

TEST_CASE("what a group was weighed against is told in parts, and which candidates it counts") {
    Pair pair;
    pair.apart(last, 4);
    pair.reorder("1,32,8,8", blocked, last, 3);
    pair.reorder("1,48,8,8", last, blocked, 2);
    pair.together(blocked, 14);
    const WeighedGroup weighed = pair.weigh();
    CHECK(!weighed.pays);
    REQUIRE(weighed.together.size() == 1);
    CHECK(weighed.together[0].warm == 14);
    REQUIRE(weighed.nodes.size() == 2);
    CHECK(weighed.nodes[1][0].warm == 4);
    const Apart& apart = weighed.apart.at(0).value();
    CHECK(apart.kernels == 8);
    CHECK(apart.reorders == 5);
    CHECK(apart.between == doctest::Approx(32 * 8 * 8 * 4 / 50e3));
    CHECK(apart.sum == doctest::Approx(13 + apart.between));
    CHECK(apart.candidates == std::vector<std::size_t>{0, 0});
}

}  // namespace
}  // namespace seq::tests
