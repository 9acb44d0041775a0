// A layer of one's own, from outside seq's tree: its fields, its shape rule and its CPU kernel. Once registered it
// works in C++ and in model files alike, is checked, explained and completed as the built-in ones are.

#include <fmt/format.h>

#include <seq/seq.hpp>

/// Multiplies the first `channels` channels of [N, C, ...] by `factor` and by a learned gain for each.
struct ScaleChannels {
    std::optional<std::int64_t> channels{};
    double factor = 1.0;

    static constexpr std::string_view name = "ScaleChannels";
    static constexpr std::string_view doc = "Multiplies each channel by a learned gain and a factor.";

    static void declare(seq::FieldTable<ScaleChannels>& table) {
        table.add("channels", &ScaleChannels::channels).inferred().at_least(1).doc("the size of dimension 1");
        table.add("factor", &ScaleChannels::factor).doc("multiplies every channel");
    }

    void infer(seq::InferContext& context) {
        if (!context.require_rank(0, {2, 3, 4}, "[N, C, ...]") || !context.require_float()) return;
        const seq::Dim& size = context.shape()[1];
        if (!channels && size.is_constant()) channels = size.value();
        if (!channels) {
            context.fault("shape/in-channels",
                          fmt::format("cannot infer channels from {}", context.shape().to_string()), "channels");
            return;
        }
        seq::Fault fault;
        fault.code = "shape/in-channels";
        fault.message = fmt::format("takes {} channels, but gets {}", *channels, size.to_string());
        fault.field = "channels";
        fault.dim = 1;
        if (size.is_constant()) fault.fixes = {{seq::FixIdea::Kind::set_field, {}, {{"channels", size.value()}}}};
        context.require_equal(size, *channels, std::move(fault));
        context.parameter("gain", {*channels});
        context.output(context.input());
    }
};

void scale_channels(const seq::ReferenceCall& call) {
    const ScaleChannels& fields = call.fields<ScaleChannels>();
    const seq::TensorView& x = call.inputs[0];
    const auto* gain = call.parameter("gain")->as<float>();
    const std::int64_t channels = x.shape[1];
    const std::int64_t inner = x.element_count() / (x.shape[0] * channels);
    for (std::int64_t i = 0; i < x.element_count(); ++i) {
        const float factor = static_cast<float>(fields.factor) * gain[i / inner % channels];
        call.outputs[0].as<float>()[i] = x.as<float>()[i] * factor;
    }
}

/// The layer's one parameter, from memory.
class Gains final : public seq::WeightSource {
   public:
    explicit Gains(std::string name) : entries_{{std::move(name), seq::DType::f32, {3}}} {}
    const std::vector<Entry>& entries() const override { return entries_; }
    const Entry* find(std::string_view name) const override {
        return name == entries_[0].name ? entries_.data() : nullptr;
    }
    void read(const Entry&, std::span<std::byte> out) const override {
        const float gains[] = {1, 10, 100};
        std::copy_n(reinterpret_cast<const std::byte*>(gains), out.size(), out.begin());
    }
    std::string description() const override { return "three gains"; }

   private:
    std::vector<Entry> entries_;
};

void run(const char* title, const seq::Graph& graph) {
    seq::CompileOptions options;
    options.weights = std::make_shared<Gains>("scale.gain");
    const seq::Executable executable = seq::compile(graph, options);
    seq::Session session = executable.session();
    seq::Tensor x(seq::DType::f32, {1, 3});
    seq::Tensor y(seq::DType::f32, {1, 3});
    for (float& value : x.data<float>()) value = 1;
    session.run({{"x", x}}, {{"scale", y}});
    fmt::print("{}: {} {} {}\n", title, y.data<float>()[0], y.data<float>()[1], y.data<float>()[2]);
}

int main() {
    try {
        seq::register_kernel<ScaleChannels>(scale_channels);

        const seq::nn::Sequential net{{"scale", seq::nn::Layer<ScaleChannels>{{.factor = 2}}}};
        run("C++ ", net.lower({{"x", {"N", 3}}}));

        const seq::CheckResult checked = seq::check_text(R"({"seq": 1, "inputs": {"x": ["N", 3]},
            "layers": [{"type": "ScaleChannels", "name": "scale", "factor": 2}]})",
                                                         "own.json");
        if (checked.has_error()) throw seq::build_error(checked);
        run("JSON", *checked.graph);

        fmt::print("\nand a wrong one:\n\n");
        const seq::nn::Sequential wrong{{"scale", seq::nn::Layer<ScaleChannels>{{.channels = 4}}}};
        wrong.lower({{"x", {"N", 3}}});
    } catch (const seq::BuildError& error) {
        fmt::print("{}\n", error.what());
        return 0;
    } catch (const std::exception& error) {
        fmt::print(stderr, "error: {}\n", error.what());
        return 1;
    }
    return 1;
}
