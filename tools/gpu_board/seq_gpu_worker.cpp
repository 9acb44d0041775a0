// The worker of tools/gpu_check for seq: one network with seeded weights on a GPU, its tensors in the GPU's memory.
//
//     seq_gpu_worker SPEC.json X.npy BATCH DTYPE none|fast|full TIMINGS.json [cuda|cpu]
//
// Beside `time MS` and `write FILE` of peers_board/worker.py it knows
//
//     flow MS       as `time`, but runs are handed over back to back, and waited for at the end of a sample
//     gpu COUNT     `gpu MICROSECONDS`: how long the GPU is busy with one run, the median of so many
//     plan          `plan JSON`: the steps, each with its layer, kernel and description; why its runs are not captured
//     weights FILE  writes the weights as safetensors; `written`

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <seq/seq.hpp>
#include <string>
#include <vector>

#include "engine/plan.hpp"
#include "kernels/device.hpp"
#include "tools/gpu_board/device_tensor.hpp"
#include "tools/gpu_board/seeded_weights.hpp"
#include "tools/peers_board/worker.hpp"

namespace {

/// cudaStreamPerThread of CUDA's runtime: a stream that is there without being made.
void* const callers_stream = reinterpret_cast<void*>(std::uintptr_t{2});

seq::Graph load(const std::string& spec, std::int64_t batch) {
    seq::CheckOptions checks;
    checks.bindings = {{"N", batch}};
    return seq::load_model(spec, checks);
}

class Net {
   public:
    Net(const std::string& spec, const std::string& x, std::int64_t batch, seq::CompileOptions options)
        : graph_(load(spec, batch)),
          weights_(seq::seeded_weights(spec, 0)),
          device_(seq::backend_of(options.device).device),
          executable_(compile(options)),
          session_(executable_.session({.stream = device_ != nullptr ? callers_stream : nullptr})),
          x_(device_, seq::read_npy(x)) {
        if (device_ != nullptr) queue_ = device_->make_queue_on(callers_stream);
        const std::vector<seq::NamedTensor> inputs{{executable_.inputs().front().name, x_.view()}};
        const seq::Port& output = executable_.outputs().front();
        y_.emplace(device_, seq::Tensor(output.type.dtype, session_.output_sizes(output.name, inputs)));
        run_.emplace(session_.bind(inputs, std::vector<seq::NamedTensor>{{output.name, y_->view()}}));
        run();  // at once; the next one is captured
    }

    void hand_over() { run_->run(); }
    void wait() {
        if (queue_ != nullptr) queue_->wait();
    }
    void run() {
        hand_over();
        wait();
    }

    double gpu_microseconds(int count) {
        if (queue_ == nullptr) return 0;
        std::vector<double> times;
        for (int i = 0; i < count; ++i) times.push_back(queue_->microseconds([this] { hand_over(); }));
        std::sort(times.begin(), times.end());
        return times[times.size() / 2];
    }

    seq::Tensor answer() const { return y_->read(); }

    /// What standard input may say beyond peers::serve's words.
    void obey(const std::string& word, const std::string& value);

    nlohmann::ordered_json plan() const {
        nlohmann::ordered_json steps = nlohmann::ordered_json::array();
        const auto plan = session_.plan();
        for (const seq::Step& step : plan->steps) {
            const seq::Node* node = step.nodes.empty() ? nullptr : step.nodes.back();
            const std::string layer = node == nullptr || node->outputs.empty() ? "" : node->output()->name;
            steps.push_back({layer, step.kernel_name, step.kernel->description});
        }
        return {{"steps", plan->steps.size()},
                {"arena_bytes", plan->arena_bytes},
                {"scratch_bytes", plan->scratch_bytes},
                {"not_captured", session_.not_captured()},
                {"kernels", std::move(steps)}};
    }

    void write_weights(const std::string& path) const {
        nlohmann::ordered_json header;
        std::uint64_t offset = 0;
        for (const auto& entry : weights_->entries()) {
            std::uint64_t bytes = sizeof(float);
            for (const std::int64_t size : entry.sizes) bytes *= static_cast<std::uint64_t>(size);
            header[entry.name] = {{"dtype", "F32"}, {"shape", entry.sizes}, {"data_offsets", {offset, offset + bytes}}};
            offset += bytes;
        }
        std::string text = header.dump();
        text.resize((text.size() + 7) / 8 * 8, ' ');
        const std::uint64_t length = text.size();
        std::ofstream file(path, std::ios::binary);
        file.write(reinterpret_cast<const char*>(&length), sizeof length);
        file.write(text.data(), static_cast<std::streamsize>(text.size()));
        for (const auto& entry : weights_->entries()) {
            weights_->stream(entry, [&](std::span<const std::byte> piece) {
                file.write(reinterpret_cast<const char*>(piece.data()), static_cast<std::streamsize>(piece.size()));
            });
        }
        if (!file.flush()) throw std::runtime_error("cannot write " + path);
    }

   private:
    seq::Executable compile(seq::CompileOptions options) const {
        options.weights = weights_;
        return seq::compile(graph_, options);
    }

    seq::Graph graph_;
    std::shared_ptr<const seq::WeightSource> weights_;
    const seq::DeviceRuntime* device_;
    seq::Executable executable_;
    seq::Session session_;
    seq::DeviceTensor x_;
    std::optional<seq::DeviceTensor> y_;
    std::unique_ptr<seq::DeviceQueue> queue_;
    std::optional<seq::BoundRun> run_;
    std::int64_t flow_repeats_ = 0;
};

/// The net, whose runs are not waited for one by one.
struct Flowing {
    Net& net;
    void run() { net.hand_over(); }
    void finish() { net.wait(); }
};

constexpr std::int64_t flow_sample_ns = 10'000'000;

void Net::obey(const std::string& word, const std::string& value) {
    if (word == "flow") {
        Flowing flowing{*this};
        if (flow_repeats_ == 0) flow_repeats_ = peers::choose_repeats(flowing, flow_sample_ns);
        peers::say_times(flow_repeats_, peers::time_slice(flowing, flow_repeats_, std::stod(value)));
    } else if (word == "gpu") {
        peers::say(fmt::format("gpu {:.3f}", gpu_microseconds(std::stoi(value))));
    } else if (word == "plan") {
        peers::say("plan " + plan().dump());
    } else if (word == "weights") {
        write_weights(value);
        peers::say("written");
    }
}

seq::CompileOptions options_of(int argc, char** argv) {
    seq::CompileOptions options;
    options.device = argc > 7 && std::string(argv[7]) == "cpu" ? seq::Device::cpu() : seq::Device::cuda();
    options.dtype = seq::parse_math_mode(argv[4]).value();
    const std::string tune = argv[5];
    options.tune = tune == "fast" ? seq::Tune::fast : tune == "full" ? seq::Tune::full : seq::Tune::none;
    options.timing_cache = argv[6];
    return options;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 7) {
        fmt::print(stderr,
                   "usage: seq_gpu_worker SPEC.json X.npy BATCH f32|tf32|f16|bf16 none|fast|full TIMINGS.json "
                   "[cuda|cpu]\n");
        return 2;
    }
    return peers::work("seq_gpu_worker",
                       [&] { return Net(argv[1], argv[2], std::stoll(argv[3]), options_of(argc, argv)); });
}
