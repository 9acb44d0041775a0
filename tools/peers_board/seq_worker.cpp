// The worker of tools/peers for seq: one network loaded, which times slices when it is told to.
//
//     seq_worker SPEC.json|PLAN.seqx X.npy BATCH THREADS [none|fast|full [TIMINGS.json [f32|bf16]]]
//
// It knows one line more than worker.py: `save PATH` writes the compiled plan, and `saved` is the answer.
//
//     seq_worker f32|bf16
//
// says why it cannot compute in that here, and exits with 1; with 0 where it can.

#include <fmt/format.h>

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <seq/seq.hpp>
#include <string>
#include <vector>

#include "tools/peers_board/worker.hpp"

namespace {

class Net {
   public:
    Net(const std::string& spec, const std::string& x, std::int64_t batch, const seq::CompileOptions& options)
        : batch_(batch),
          executable_(open(spec, batch, options)),
          session_(executable_.session()),
          x_(seq::read_npy(x)) {
        inputs_.emplace_back(executable_.inputs().front().name, x_.view());
        std::vector<seq::NamedTensor> outputs;
        for (const seq::Port& output : executable_.outputs()) {
            y_.emplace_back(output.type.dtype, session_.output_sizes(output.name, inputs_));
            outputs.emplace_back(output.name, y_.back().view());
        }
        run_.emplace(session_.bind(inputs_, outputs));
    }

    void run() { run_->run(); }
    void save(const std::string& path) const {
        seq::SaveOptions options;
        options.bindings = {{{"N", batch_}}};
        seq::save_compiled(executable_, path, options);
    }
    const std::vector<seq::Tensor>& answers() const { return y_; }

   private:
    static seq::Executable open(const std::string& path, std::int64_t batch, const seq::CompileOptions& options) {
        if (!seq::is_compiled(path)) return compile(path, batch, options);
        seq::LoadOptions load;
        load.threads = options.threads;
        return seq::load_compiled(path, load);
    }

    static seq::Executable compile(const std::string& spec, std::int64_t batch, seq::CompileOptions options) {
        options.weights = seq::load_weights(std::filesystem::path(spec).replace_extension(".safetensors").string());
        seq::CheckOptions checks;
        checks.bindings = {{"N", batch}};
        checks.weights = options.weights;
        return seq::compile(seq::load_model(spec, checks), options);
    }

    std::int64_t batch_;
    seq::Executable executable_;
    seq::Session session_;
    seq::Tensor x_;
    std::vector<seq::Tensor> y_;
    std::vector<seq::NamedTensor> inputs_;
    std::optional<seq::BoundRun> run_;
};

seq::CompileOptions options_of(int argc, char** argv) {
    seq::CompileOptions options;
    options.threads = std::stoi(argv[4]);
    const std::string tune = argc > 5 ? argv[5] : "none";
    options.tune = tune == "fast" ? seq::Tune::fast : tune == "full" ? seq::Tune::full : seq::Tune::none;
    if (argc > 6) options.timing_cache = argv[6];
    if (argc > 7) options.dtype = seq::parse_math_mode(argv[7]).value();
    return options;
}

int require(const std::string& dtype) {
    seq::CompileOptions options;
    options.dtype = seq::parse_math_mode(dtype).value();
    try {
        seq::require_available(options);
    } catch (const seq::Error& error) {
        fmt::print(stderr, "{}\n", error.what());
        return 1;
    }
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc == 2 && seq::parse_math_mode(argv[1])) return require(argv[1]);
    if (argc < 5) {
        fmt::print(
            stderr,
            "usage: seq_worker SPEC.json|PLAN.seqx X.npy BATCH THREADS [none|fast|full [TIMINGS.json [f32|bf16]]]\n"
            "       seq_worker f32|bf16\n");
        return 2;
    }
    return peers::work("seq_worker",
                       [&] { return Net(argv[1], argv[2], std::stoll(argv[3]), options_of(argc, argv)); });
}
