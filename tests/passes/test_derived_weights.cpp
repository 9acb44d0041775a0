#include <doctest/doctest.h>

#include <cmath>
#include <cstring>

#include "graph/convert_tensor.hpp"
#include "graph/passes/derived_weights.hpp"
#include "graph/passes/pipeline.hpp"
#include "graph/text.hpp"
#include "graph/verify.hpp"
#include "kernels/reference/reference.hpp"
#include "tests/passes/evaluate.hpp"

using namespace seq;

namespace {

constexpr const char* normed_twice = R"(graph (%x: f32[N, 3, 8, 8]) {
  %c = Conv2d(%x) {out_channels=4, kernel_size=3, bias=false} @c
  %b = BatchNorm2d(%c) @b
  %d = Conv2d(%b) {out_channels=6, kernel_size=1, groups=2} @d
  %e = BatchNorm2d(%d) @e
  return %e
})";

Graph folded(const Graph& graph) {
    Graph copy = graph.clone();
    PassContext context(reference::evaluator());
    run_passes(copy, *select_passes("batch_norm_folding"), context);
    return copy;
}

std::vector<float> read(const WeightSource& source, std::string_view name) {
    const WeightSource::Entry* entry = source.find(name);
    REQUIRE(entry != nullptr);
    Tensor tensor(entry->dtype, entry->sizes);
    source.read(*entry, {tensor.view().as<std::byte>(), tensor.byte_count()});
    return {tensor.data<float>().begin(), tensor.data<float>().end()};
}

/// Another source without some of its entries, or with its floats in f16.
class Altered final : public WeightSource {
   public:
    Altered(std::shared_ptr<const WeightSource> base, std::string_view without, bool half)
        : base_(std::move(base)), half_(half) {
        for (Entry entry : base_->entries()) {
            if (half) entry.dtype = DType::f16;
            if (entry.name != without) entries_.push_back(std::move(entry));
        }
    }
    const std::vector<Entry>& entries() const override { return entries_; }
    const Entry* find(std::string_view name) const override {
        for (const Entry& entry : entries_) {
            if (entry.name == name) return &entry;
        }
        return nullptr;
    }
    void read(const Entry& entry, std::span<std::byte> out) const override {
        if (!half_) return base_->read(entry, out);
        const Entry& original = *base_->find(entry.name);
        const Tensor wide(original.dtype, original.sizes);
        base_->read(original, {wide.view().as<std::byte>(), wide.byte_count()});
        REQUIRE(convert(wide.view(), TensorView::dense(out.data(), DType::f16, entry.sizes)));
    }
    bool read_part(const Entry& entry, std::uint64_t offset, std::span<std::byte> out) const override {
        if (half_) return false;
        const Tensor whole(entry.dtype, entry.sizes);
        read(entry, {whole.view().as<std::byte>(), whole.byte_count()});
        if (!out.empty()) std::memcpy(out.data(), whole.view().as<std::byte>() + offset, out.size());
        return true;
    }
    std::string description() const override { return "altered"; }

   private:
    std::shared_ptr<const WeightSource> base_;
    bool half_;
    std::vector<Entry> entries_;
};

}  // namespace

TEST_CASE("folded weights are what the formula says") {
    const Graph graph = parse_graph(normed_twice);
    Graph rewritten = folded(graph);
    const auto base = std::make_shared<NamedNumbers>(graph);
    const DerivedWeights derived(base, extract_weights(rewritten), reference::evaluator());
    CHECK(verify(rewritten).empty());
    CHECK(rewritten.node_count() == 2);
    const auto weight = read(*base, "c.weight");
    const auto gamma = read(*base, "b.weight");
    const auto beta = read(*base, "b.bias");
    const auto mean = read(*base, "b.running_mean");
    const auto variance = read(*base, "b.running_var");
    const auto found = read(derived, "c.weight.b");
    const auto bias = read(derived, "c.bias.b");
    REQUIRE(found.size() == weight.size());
    for (std::size_t channel = 0; channel < 4; ++channel) {
        const double scale = gamma[channel] / std::sqrt(variance[channel] + 1e-5);
        CHECK(bias[channel] == doctest::Approx(beta[channel] - mean[channel] * scale).epsilon(1e-6));
        for (std::size_t i = channel * 27; i < channel * 27 + 27; ++i)
            CHECK(found[i] == doctest::Approx(weight[i] * scale).epsilon(1e-6));
    }
}

TEST_CASE("the original weights are there as well, and what a missing one is needed for is missing") {
    const Graph graph = parse_graph(normed_twice);
    Graph rewritten = folded(graph);
    const Graph derivation = extract_weights(rewritten);
    const auto base = std::make_shared<NamedNumbers>(graph);
    const DerivedWeights derived(base, derivation.clone(), reference::evaluator());
    CHECK(derived.entries().size() == base->entries().size() + 4);
    CHECK(read(derived, "d.weight") == read(*base, "d.weight"));
    CHECK(derived.find("nothing") == nullptr);
    CHECK(derived.description() == base->description());
    const DerivedWeights lacking(std::make_shared<Altered>(base, "b.running_var", false), derivation.clone(),
                                 reference::evaluator());
    CHECK(lacking.find("c.weight.b") == nullptr);
    CHECK(lacking.find("d.weight.e") != nullptr);
    const DerivedWeights without(nullptr, derivation.clone(), reference::evaluator());
    CHECK(without.entries().empty());
}

TEST_CASE("products of a parameter and factors are read by parts, and nothing else is") {
    const Graph graph = parse_graph(normed_twice);
    Graph rewritten = folded(graph);
    const Graph derivation = extract_weights(rewritten);
    const auto base = std::make_shared<Altered>(std::make_shared<NamedNumbers>(graph), "", false);
    const DerivedWeights derived(base, derivation.clone(), reference::evaluator());
    for (const char* name : {"c.weight.b", "d.weight.e", "c.weight"}) {
        CAPTURE(name);
        const auto whole = read(derived, name);
        const WeightSource::Entry& entry = *derived.find(name);
        for (const std::size_t first : {std::size_t{0}, std::size_t{1}, whole.size() / 2 + 1}) {
            std::vector<float> part(whole.size() - first);
            REQUIRE(derived.read_part(entry, first * sizeof(float), std::as_writable_bytes(std::span(part))));
            CHECK(part == std::vector<float>(whole.begin() + static_cast<std::ptrdiff_t>(first), whole.end()));
        }
    }
    CHECK_FALSE(derived.read_part(*derived.find("c.bias.b"), 0, {}));
    const DerivedWeights half(std::make_shared<Altered>(base, "", true), derivation.clone(), reference::evaluator());
    CHECK_FALSE(half.read_part(*half.find("c.weight.b"), 0, {}));
}

TEST_CASE("weights of another float type are converted") {
    const Graph graph = parse_graph(normed_twice);
    Graph rewritten = folded(graph);
    const auto base = std::make_shared<NamedNumbers>(graph);
    const Graph derivation = extract_weights(rewritten);
    const DerivedWeights exact(base, derivation.clone(), reference::evaluator());
    const DerivedWeights half(std::make_shared<Altered>(base, "", true), derivation.clone(), reference::evaluator());
    for (const char* name : {"c.weight.b", "c.bias.b", "d.weight.e", "d.bias.e"}) {
        const auto a = read(exact, name);
        const auto b = read(half, name);
        for (std::size_t i = 0; i < a.size(); ++i) CHECK(b[i] == doctest::Approx(a[i]).epsilon(0.01));
    }
}

TEST_CASE("extraction keeps names apart and outputs in place") {
    Graph graph = parse_graph(R"(graph (%x: f32[N, 4]) {
      param %w: f32[4]
      param %s: f32[4]
      %s~2 = Mul(%w) {other=2}
      %t = Mul(%s~2, %s)
      %u = Add(%t) {other=1}
      %y = Add(%x, %t)
      %z = Mul(%y, %s~2)
      return %z, %u })");
    const auto base = std::make_shared<NamedNumbers>(graph);
    const auto expected = evaluate(graph, {{"N", 3}}, *base);
    const Graph derivation = extract_weights(graph);
    CHECK(derivation.output_names() == std::vector<std::string>{"s.1", "t"});
    CHECK(graph.find_value("u")->kind == ValueKind::result);
    CHECK(print(parse_graph(print(graph))) == print(graph));
    const DerivedWeights derived(base, derivation.clone(), reference::evaluator());
    CHECK(largest_difference(evaluate(graph, {{"N", 3}}, derived), expected) == 0);
}

TEST_CASE("a graph without weight-only nodes stays as it is") {
    Graph graph = parse_graph(normed_twice);
    const std::string before = print(graph);
    const Graph derivation = extract_weights(graph);
    CHECK(derivation.node_count() == 0);
    CHECK(print(graph) == before);
}

TEST_CASE("a long chain of derived weights does not overflow the stack") {
    std::string text =
        "graph (%x: f32[N, 4]) {\n  param %w: f32[3, 4]\n  const %k: f32[3, 1] = [1, -1, 1]\n  %w0 = Mul(%w, %k)\n";
    constexpr int count = 50000;
    for (int i = 1; i < count; ++i) {
        const std::string previous = "%w" + std::to_string(i - 1);
        text += "  %w" + std::to_string(i) + " = " +
                (i % 3 == 0 ? "Add(" + previous + ") {other=0}" : "Mul(" + previous + ", %k)") + "\n";
    }
    text += "  %y = Linear(%x; weight=%w" + std::to_string(count - 1) + ") {out_features=3, bias=false}\n  return %y }";
    Graph graph = parse_graph(text);
    const auto base = std::make_shared<NamedNumbers>(graph);
    const DerivedWeights derived(base, extract_weights(graph), reference::evaluator());
    const auto original = read(*base, "w");
    const auto found = read(derived, graph.parameters().front()->name);
    for (std::size_t i = 0; i < found.size(); ++i) CHECK(std::abs(found[i]) == std::abs(original[i]));
}
