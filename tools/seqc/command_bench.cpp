#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
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

    double percentile(double fraction) const {
        const auto last = static_cast<double>(milliseconds.size() - 1);
        return milliseconds[static_cast<std::size_t>(fraction * last + 0.5)];
    }
};

Measurement measure(seq::Session& session, const NamedTensors& inputs, const NamedTensors& outputs, double duration) {
    const auto input_views = inputs.views();
    const auto output_views = outputs.views();
    Measurement result;
    Progress progress("measuring");
    const Clock::time_point warm_up = Clock::now();
    do session.run(input_views, output_views);
    while (milliseconds_since(warm_up) < duration * 100);
    const Clock::time_point start = Clock::now();
    while (result.milliseconds.empty() || milliseconds_since(start) < duration * 1000) {
        const Clock::time_point began = Clock::now();
        session.run(input_views, output_views);
        result.milliseconds.push_back(milliseconds_since(began));
        progress.update(milliseconds_since(start) / (duration * 1000));
    }
    std::sort(result.milliseconds.begin(), result.milliseconds.end());
    return result;
}

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

void print_measurement(const Measurement& measured, const Loaded& loaded, double load_ms, double tuning_ms,
                       const Arguments& arguments) {
    const double median = measured.percentile(0.5);
    const double samples_per_s = static_cast<double>(samples_per_run(loaded.inputs)) * 1000 / median;
    const int threads = loaded.executable.options().threads;
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
            {"device", arguments.device},
            {"dtype", arguments.dtype},
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
    print(fmt::format("on          {}, {} thread{}, {}\n", arguments.device, threads, threads == 1 ? "" : "s",
                      arguments.dtype));
}

int bench_plan(const Arguments& arguments) {
    seq::Executable executable = open_plan(arguments);
    const seq::Bindings bindings = plan_bindings(arguments, executable);
    Loaded loaded(std::move(executable), bindings);
    const double load_ms = milliseconds_since(process_start);
    const Measurement measured = measure(loaded.session, loaded.inputs, loaded.outputs, arguments.duration);
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
        loaded.reset();
        options.tune = tune;
        loaded = std::make_unique<Loaded>(compile_model(*model, options), bindings);
    }
    const double tuning_ms = tune == seq::Tune::none ? 0 : milliseconds_since(loading_end);
    const Measurement measured = measure(loaded->session, loaded->inputs, loaded->outputs, arguments.duration);
    print_measurement(measured, *loaded, load_ms, tuning_ms, arguments);
    return ok;
}

}  // namespace seqc
