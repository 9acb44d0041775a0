#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <future>
#include <memory>
#include <nlohmann/json.hpp>
#include <utility>

#include "tools/seqc/commands.hpp"
#include "tools/seqc/console.hpp"
#include "tools/seqc/data.hpp"
#include "tools/seqc/model.hpp"
#include "tools/seqc/plan_model.hpp"
#include "tools/seqc/progress.hpp"
#include "tools/seqc/status.hpp"
#include "tools/seqc/table.hpp"

namespace seqc {
namespace {

using Clock = std::chrono::steady_clock;

const Clock::time_point process_start = Clock::now();

double milliseconds_since(Clock::time_point start) {
    return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

std::int64_t peak_bytes() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return static_cast<std::int64_t>(usage.ru_maxrss) * 1024;
}

struct Measurement {
    std::vector<double> milliseconds;  // sorted
    double runs_per_s = 0;             // of all sessions together

    double percentile(double fraction) const {
        const auto last = static_cast<double>(milliseconds.size() - 1);
        return milliseconds[static_cast<std::size_t>(fraction * last + 0.5)];
    }
};

/// How many samples one run computes: the first dimension of the first input.
std::int64_t samples_per_run(const NamedTensors& inputs) {
    if (inputs.tensors.empty() || inputs.tensors[0].sizes().empty()) return 1;
    return inputs.tensors[0].sizes()[0];
}

/// A model that is ready to run, and its first result.
struct Loaded {
    Loaded(seq::Executable ready, const seq::Bindings& bindings)
        : executable(std::move(ready)), session(executable.session()) {
        executable.plan(bindings);  // which refuses what does not fit, before the inputs are made
        inputs = random_inputs(executable.inputs(), bindings, 1);
        for (const seq::Port& port : executable.outputs()) {
            outputs.names.push_back(port.name);
            outputs.tensors.emplace_back(port.type.dtype, session.output_sizes(port.name, inputs.views()));
        }
        session.run(inputs.views(), outputs.views());
    }

    seq::Executable executable;
    seq::Session session;
    NamedTensors inputs;
    NamedTensors outputs;
};

/// Runs a session until `end`, and at least once; what each run took goes to `times`.
template <class Progressed>
void run_until(seq::Session& session, const NamedTensors& inputs, const NamedTensors& outputs, Clock::time_point end,
               std::vector<double>& times, const Progressed& progressed) {
    const auto input_views = inputs.views();
    const auto output_views = outputs.views();
    do {
        const Clock::time_point began = Clock::now();
        session.run(input_views, output_views);
        times.push_back(milliseconds_since(began));
        progressed();
    } while (Clock::now() < end);
}

/// Each session runs in a thread of its own, with outputs of its own.
class Sessions {
   public:
    Sessions(Loaded& loaded, int count) : loaded_(loaded), times_(static_cast<std::size_t>(count)) {
        for (int i = 1; i < count; ++i) {
            sessions_.push_back(loaded.executable.session());
            NamedTensors& outputs = outputs_.emplace_back();
            outputs.names = loaded.outputs.names;
            for (const seq::Tensor& tensor : loaded.outputs.tensors)
                outputs.tensors.emplace_back(tensor.dtype(), tensor.sizes());
        }
    }

    /// In all threads at once; returns the seconds until the last was done.
    template <class Progressed>
    double run(double seconds, const Progressed& progressed) {
        for (auto& times : times_) times.clear();
        const Clock::time_point start = Clock::now();
        const auto end = start + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
        std::vector<std::future<void>> others;
        for (std::size_t i = 0; i < sessions_.size(); ++i)
            others.push_back(std::async(std::launch::async, [this, i, end] {
                run_until(sessions_[i], loaded_.inputs, outputs_[i], end, times_[i + 1], [] {});
            }));
        run_until(loaded_.session, loaded_.inputs, loaded_.outputs, end, times_[0],
                  [&] { progressed(milliseconds_since(start) / 1000 / seconds); });
        for (std::future<void>& other : others) other.get();
        return milliseconds_since(start) / 1000;
    }

    std::vector<double> sorted_times() const {
        std::vector<double> all;
        for (const auto& times : times_) all.insert(all.end(), times.begin(), times.end());
        std::sort(all.begin(), all.end());
        return all;
    }

   private:
    Loaded& loaded_;
    std::vector<seq::Session> sessions_;
    std::vector<NamedTensors> outputs_;
    std::vector<std::vector<double>> times_;
};

Measurement measure(Loaded& loaded, const Arguments& arguments) {
    Progress progress("measuring");
    Sessions sessions(loaded, arguments.sessions);
    sessions.run(arguments.duration / 10, [](double) {});
    const double seconds = sessions.run(arguments.duration, [&](double part) { progress.update(part); });
    Measurement result{sessions.sorted_times(), 0};
    result.runs_per_s = static_cast<double>(result.milliseconds.size()) / seconds;
    return result;
}

void print_measurement(const Measurement& measured, const Loaded& loaded, double load_ms, double tuning_ms,
                       const Arguments& arguments) {
    const double median = measured.percentile(0.5);
    const double samples_per_s = static_cast<double>(samples_per_run(loaded.inputs)) * measured.runs_per_s;
    const int threads = loaded.executable.options().threads;
    const std::string dtype(name_of(loaded.executable.options().dtype));
    const std::string device = device_text(loaded.executable.device());
    if (arguments.json()) {
        const nlohmann::ordered_json object{
            {"median_ms", median},
            {"p90_ms", measured.percentile(0.9)},
            {"p99_ms", measured.percentile(0.99)},
            {"min_ms", measured.milliseconds.front()},
            {"runs", measured.milliseconds.size()},
            {"samples_per_s", samples_per_s},
            {"load_ms", load_ms},
            {"tuning_ms", tuning_ms},
            {"peak_bytes", peak_bytes()},
            {"threads", threads},
            {"sessions", arguments.sessions},
            {"device", device},
            {"dtype", dtype},
        };
        print(object.dump() + "\n");
        return;
    }
    print(fmt::format("latency     median {:.4g} ms, p90 {:.4g} ms, p99 {:.4g} ms, min {:.4g} ms over {} runs\n",
                      median, measured.percentile(0.9), measured.percentile(0.99), measured.milliseconds.front(),
                      measured.milliseconds.size()));
    print(fmt::format("throughput  {:.4g} samples/s\n", samples_per_s));
    print(fmt::format("load        {:.4g} ms from process start to the first result\n", load_ms));
    if (tuning_ms > 0) print(fmt::format("tuning      {:.4g} ms after that\n", tuning_ms));
    print(fmt::format("memory      {} resident at the peak\n", bytes_text(static_cast<double>(peak_bytes()))));
    print(fmt::format("on          {}, {}{}, {}\n", device, counted(static_cast<std::size_t>(threads), "thread"),
                      arguments.sessions == 1 ? "" : fmt::format(", {} sessions at once", arguments.sessions), dtype));
}

int bench_plan(const Arguments& arguments) {
    seq::Executable executable = open_plan(arguments);
    const seq::Bindings bindings = plan_bindings(arguments, executable);
    Loaded loaded(std::move(executable), bindings);
    const double load_ms = milliseconds_since(process_start);
    const Measurement measured = measure(loaded, arguments);
    print_measurement(measured, loaded, load_ms, 0, arguments);
    return ok;
}

}  // namespace

/// The first result comes from a model that is compiled without tuning, as it would where a program starts; what is
/// measured is tuned.
int run_bench(const Arguments& arguments) {
    if (names_plan(arguments)) return bench_plan(arguments);
    const auto model = load_model(arguments, MissingWeights::random);
    if (!model) return failed;
    seq::CompileOptions options = compile_options(arguments, *model, seq::Tune::fast);
    const seq::Tune tune = std::exchange(options.tune, seq::Tune::none);
    std::unique_ptr<Loaded> loaded;
    const seq::Bindings bindings = bindings_for(arguments, model->graph());
    loaded = std::make_unique<Loaded>(compile_model(*model, options), bindings);
    const Clock::time_point loading_end = Clock::now();
    const double load_ms = milliseconds_since(process_start);
    if (tune != seq::Tune::none) {
        const Progress progress("tuning");
        loaded.reset();
        options.tune = tune;
        loaded = std::make_unique<Loaded>(compile_model(*model, options), bindings);
    }
    const double tuning_ms = tune == seq::Tune::none ? 0 : milliseconds_since(loading_end);
    const Measurement measured = measure(*loaded, arguments);
    print_measurement(measured, *loaded, load_ms, tuning_ms, arguments);
    return ok;
}

}  // namespace seqc
