// The worker of tools/peers for seq: one network loaded, which times slices when it is told to. worker.py is the same
// for the other peers, and says what goes over the lines.
//
//     seq_worker SPEC.json|PLAN.seqx X.npy BATCH THREADS [none|fast|full [TIMINGS.json]]
//
// It knows one line more: `save PATH` writes the compiled plan, and `saved` is the answer.

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <optional>
#include <seq/seq.hpp>
#include <string>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

// As worker.py has them.
constexpr std::int64_t sample_ns = 50'000;
constexpr std::int64_t long_run_ns = 20'000'000;
constexpr double warm_up = 0.2;

std::int64_t nanoseconds_since(Clock::time_point start) {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - start).count();
}

std::int64_t peak_kib() {
    std::ifstream status("/proc/self/status");
    for (std::string word; status >> word;) {
        std::int64_t value = 0;
        if (word == "VmHWM:" && status >> value) return value;
    }
    return 0;
}

class Net {
   public:
    Net(const std::string& spec, const std::string& x, std::int64_t batch, const seq::CompileOptions& options)
        : executable_(open(spec, batch, options)), session_(executable_.session()), x_(seq::read_npy(x)) {
        inputs_.emplace_back(executable_.inputs().front().name, x_.view());
        const seq::Port& output = executable_.outputs().front();
        y_ = seq::Tensor(output.type.dtype, session_.output_sizes(output.name, inputs_));
        run_.emplace(session_.bind(inputs_, std::vector<seq::NamedTensor>{{output.name, y_.view()}}));
    }

    void run() { run_->run(); }
    void save(const std::string& path, std::int64_t batch) const {
        seq::SaveOptions options;
        options.bindings = {{{"N", batch}}};
        seq::save_compiled(executable_, path, options);
    }
    const seq::Tensor& answer() const { return y_; }

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

    seq::Executable executable_;
    seq::Session session_;
    seq::Tensor x_;
    seq::Tensor y_;
    std::vector<seq::NamedTensor> inputs_;
    std::optional<seq::BoundRun> run_;
};

std::int64_t sample(Net& net, std::int64_t repeats) {
    const auto start = Clock::now();
    for (std::int64_t i = 0; i < repeats; ++i) net.run();
    return nanoseconds_since(start);
}

std::int64_t choose_repeats(Net& net) {
    if (sample(net, 1) >= long_run_ns) return 1;
    std::int64_t repeats = 1;
    while (true) {
        const std::int64_t took = std::min({sample(net, repeats), sample(net, repeats), sample(net, repeats)});
        if (took >= sample_ns) return repeats;
        const double factor =
            1.1 * static_cast<double>(sample_ns) / static_cast<double>(std::max<std::int64_t>(took, 1));
        repeats = std::max(2 * repeats, static_cast<std::int64_t>(static_cast<double>(repeats) * factor));
    }
}

std::vector<std::int64_t> time_slice(Net& net, std::int64_t repeats, double milliseconds) {
    const auto warm_start = Clock::now();
    sample(net, 1);
    while (static_cast<double>(nanoseconds_since(warm_start)) < milliseconds * warm_up * 1e6) sample(net, repeats);
    std::vector<std::int64_t> times;
    const auto start = Clock::now();
    do times.push_back(sample(net, repeats));
    while (static_cast<double>(nanoseconds_since(start)) < milliseconds * 1e6);
    return times;
}

void say(const std::string& line) {
    fmt::print("{}\n", line);
    std::fflush(stdout);
}

void serve(Net& net, std::int64_t batch) {
    std::int64_t repeats = 0;
    for (std::string line; std::getline(std::cin, line);) {
        const std::size_t space = std::min(line.find(' '), line.size());
        const std::string word = line.substr(0, space);
        const std::string value = line.substr(std::min(space + 1, line.size()));
        if (word == "time") {
            if (repeats == 0) repeats = choose_repeats(net);
            say(fmt::format("times {} {}", repeats, fmt::join(time_slice(net, repeats, std::stod(value)), " ")));
        } else if (word == "write") {
            seq::write_npy(value, net.answer());
            say("written");
        } else if (word == "save") {
            net.save(value, batch);
            say("saved");
        }
    }
}

seq::CompileOptions options_of(int argc, char** argv) {
    seq::CompileOptions options;
    options.threads = std::stoi(argv[4]);
    const std::string tune = argc > 5 ? argv[5] : "none";
    options.tune = tune == "fast" ? seq::Tune::fast : tune == "full" ? seq::Tune::full : seq::Tune::none;
    if (argc > 6) options.timing_cache = argv[6];
    return options;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 5) {
        fmt::print(stderr,
                   "usage: seq_worker SPEC.json|PLAN.seqx X.npy BATCH THREADS [none|fast|full [TIMINGS.json]]\n");
        return 2;
    }
    try {
        const std::int64_t base_kib = peak_kib();
        const auto start = Clock::now();
        Net net(argv[1], argv[2], std::stoll(argv[3]), options_of(argc, argv));
        net.run();
        say(fmt::format("ready {:.3f} {}", static_cast<double>(nanoseconds_since(start)) / 1e6, base_kib));
        serve(net, std::stoll(argv[3]));
        return 0;
    } catch (const std::exception& error) {
        fmt::print(stderr, "seq_worker: {}\n", error.what());
        return 1;
    }
}
