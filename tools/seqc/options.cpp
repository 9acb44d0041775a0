#include "tools/seqc/options.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <CLI/CLI.hpp>
#include <cmath>
#include <filesystem>
#include <functional>
#include <limits>

#include "engine/plan_file/plan_file.hpp"
#include "engine/selection/timing_cache.hpp"
#include "frontend/suggest.hpp"
#include "graph/passes/pipeline.hpp"

namespace seqc {
namespace {

namespace fs = std::filesystem;

constexpr int max_threads = 1024;
constexpr int max_top = 1000;
constexpr std::size_t max_channels = 4;

template <class Integer>
bool reads_whole(const std::string& text, Integer& value) {
    const char* const end = text.data() + text.size();
    const auto [read, error] = std::from_chars(text.data(), end, value);
    return error == std::errc() && read == end;
}

/// Takes the texts that are wholly a seed; the library's own conversion wraps those past 64 bits around.
std::string seed_problem(const std::string& text) {
    std::uint64_t seed = 0;
    if (reads_whole(text, seed)) return {};
    return fmt::format("takes an integer from 0 to 2^64 - 1, but gets '{}'", text);
}

bool finite(const std::string& text, double& value) {
    return CLI::detail::lexical_cast(text, value) && std::isfinite(value);
}

std::string device_problem(const std::string& text) {
    if (parse_device(text)) return {};
    return fmt::format("takes cpu, cuda, or cuda:N for the GPU of number N, but gets '{}'", text);
}

std::string empty_problem(const std::string& text) { return text.empty() ? "takes the name of a file" : ""; }

/// Takes a file of that kind, an empty one, and a name that nothing has yet.
template <class IsOfKind>
auto file_to_replace(const char* kind, IsOfKind is_of_kind) {
    return [kind, is_of_kind](const std::string& path) -> std::string {
        if (path.empty()) return empty_problem(path);
        std::error_code failure;
        const auto status = fs::status(path, failure);
        if (!fs::exists(status)) return {};
        if (fs::is_regular_file(status) && (fs::is_empty(path, failure) || is_of_kind(path))) return {};
        return fmt::format("{} is there and is no {}; it is left alone: name another file", path, kind);
    };
}

std::string timing_cache_problem(const std::string& path) {
    return file_to_replace("timing cache", [](const auto& p) { return !seq::TimingCache::holds_other(p); })(path);
}

std::string plan_output_problem(const std::string& path) {
    if (path == "-") return "takes the name of a file: a plan is mapped, which a pipe cannot be";
    return file_to_replace("compiled plan", seq::is_compiled)(path);
}

std::string passes_problem(const std::string& text) {
    std::string problem;
    if (seq::select_passes(text, &problem)) return {};
    std::vector<std::string_view> known{"all", "none"};
    for (const seq::Pass& pass : seq::all_passes()) known.push_back(pass.name);
    const std::vector<std::string> names = CLI::detail::split(text, ',');
    for (const std::string& name : names) {
        const auto near = seq::nearest(name, known);
        if (near.empty() || near.front() == name) continue;
        return fmt::format("there is no pass '{}'{}", name, seq::did_you_mean(near));
    }
    for (const std::string& name : names) {
        if (names.size() > 1 && (name == "all" || name == "none"))
            return fmt::format("takes '{}' alone, but gets '{}'", name, text);
    }
    return problem;
}

/// "1500", "64K", "4G"; 0 where it is none of these.
std::size_t read_bytes(std::string text) {
    constexpr std::string_view suffixes = "KMGT";
    const std::size_t suffix = text.empty() ? std::string_view::npos : suffixes.find(text.back());
    const int shift = suffix == std::string_view::npos ? 0 : 10 * static_cast<int>(suffix + 1);
    if (shift > 0) text.pop_back();
    std::size_t bytes = 0;
    if (!reads_whole(text, bytes) || bytes > std::numeric_limits<std::size_t>::max() >> shift) return 0;
    return bytes << shift;
}

/// An option that may be repeated, before the command and after it, and takes one text each time.
void add_repeated(CLI::App& app, const char* name, std::vector<std::string>& texts, const char* type,
                  const char* help) {
    const auto append = [&texts](const std::vector<std::string>& more) {
        texts.insert(texts.end(), more.begin(), more.end());
    };
    app.add_option_function<std::vector<std::string>>(name, append, help)
        ->type_name(type)
        ->take_all()
        ->allow_extra_args(false);
}

/// One number, or one for each channel of a picture.
void add_channels(CLI::App& app, const char* name, std::vector<double>& numbers, std::size_t most, const char* help) {
    const auto read = [name, most, &numbers](const std::string& text) {
        for (const std::string& part : CLI::detail::split(text, ',')) {
            if (!finite(part, numbers.emplace_back()) || numbers.size() > most)
                throw CLI::ValidationError(
                    name,
                    fmt::format("takes {}, but gets '{}'",
                                most == 1 ? "a finite number" : "up to 4 finite numbers such as 0.5,0.5,0.5", text));
        }
    };
    app.add_option_function<std::string>(name, read, help)->type_name(most == 1 ? "FLOAT" : "FLOAT,...");
}

void add_compute(CLI::App& app, Arguments& arguments) {
    app.add_option("--device", arguments.device, "where to compute")
        ->type_name("cpu|cuda|cuda:N")
        ->check(device_problem)
        ->capture_default_str();
    add_choice(app, "--dtype", arguments.dtype, {"f32", "tf32", "bf16", "f16"},
               "how to compute; inputs and outputs keep their dtype");
    add_choice(app, "--numerics", arguments.numerics, {"strict", "default", "fast"},
               "strict: no reordering of sums beyond the reference's; fast: so far as default");
    app.add_option("--passes", arguments.passes, "which passes run: all, none, or names separated by commas")
        ->type_name("all|none|PASS,...")
        ->check(passes_problem)
        ->capture_default_str();
    add_choice(app, "--tune", arguments.tune, {"none", "fast", "full"},
               "none: kernels are chosen by estimates; fast: by measuring each layer once; full: for longer. "
               "bench, compile and explain: fast, all else: none");
    app.add_option("--timing-cache", arguments.timing_cache,
                   "where measured times are kept; ~/.cache/seq/timings.json by default")
        ->type_name("FILE")
        ->check(timing_cache_problem);
    app.add_option("--threads", arguments.threads, "how many threads compute; 0: all that the process may use")
        ->check(integer_in(0, max_threads))
        ->capture_default_str();
    const auto read_limit = [&arguments](const std::string& text) {
        arguments.memory_limit = read_bytes(text);
        if (arguments.memory_limit == 0)
            throw CLI::ValidationError("--memory-limit", fmt::format("takes bytes such as 4G, but gets '{}'", text));
    };
    app.add_option_function<std::string>(
           "--memory-limit", read_limit,
           "refuse what takes more of the host's memory; K, M, G and T are powers of 1024")
        ->type_name("BYTES");
}

}  // namespace

void add_plan_output(CLI::App& app, Arguments& arguments) {
    app.add_option("-o", arguments.output_file,
                   "the file to write, FILE.seqx by custom; it takes the place of a plan alone")
        ->type_name("FILE")
        ->check(plan_output_problem)
        ->required();
}

CLI::Option* add_choice(CLI::App& app, const char* name, std::string& word, std::vector<std::string> words,
                        const char* help) {
    const std::string type = fmt::format("{}", fmt::join(words, "|"));
    const auto problem = [words = std::move(words)](const std::string& text) -> std::string {
        if (std::find(words.begin(), words.end(), text) != words.end()) return {};
        return fmt::format("takes {} or {}, but gets '{}'", fmt::join(words.begin(), words.end() - 1, ", "),
                           words.back(), text);
    };
    CLI::Option* option = app.add_option(name, word, help)->type_name(type)->check(problem);
    return word.empty() ? option : option->capture_default_str();
}

CLI::Option* add_file(CLI::App& app, const char* name, std::string& file, const char* help) {
    return app.add_option(name, file, help)->type_name("FILE")->check(empty_problem);
}

std::function<std::string(const std::string&)> number_in(double least, double most) {
    return [least, most](const std::string& text) -> std::string {
        double value = 0;
        if (finite(text, value) && value >= least && value <= most) return {};
        return fmt::format("takes a number from {} to {}, but gets '{}'", least, most, text);
    };
}

std::function<std::string(const std::string&)> integer_in(int least, int most) {
    return [least, most](const std::string& text) -> std::string {
        int value = 0;
        if (reads_whole(text, value) && value >= least && value <= most) return {};
        return fmt::format("takes an integer from {} to {}, but gets '{}'", least, most, text);
    };
}

std::string positive_problem(const std::string& text) {
    double value = 0;
    if (finite(text, value) && value > 0) return {};
    return fmt::format("takes a positive number, but gets '{}'", text);
}

void add_common(CLI::App& app, Arguments& arguments) {
    add_repeated(app, "--set", arguments.settings, "SYMBOL=INT", "give a symbol its value; may be repeated");
    add_file(app, "--weights", arguments.weights, "read the weights from this file (.safetensors or .npz)");
    app.add_option("--random-weights", arguments.random_weights, "use random weights made from this seed")
        ->type_name("SEED")
        ->check(seed_problem);
    add_compute(app, arguments);
    add_choice(app, "--format", arguments.format, {"text", "json"}, "how results are printed");
    add_choice(app, "--color", arguments.color, {"auto", "always", "never"}, "colour in what is printed");
    app.add_flag("-q,--quiet", arguments.quiet, "print results and errors alone");
    app.set_version_flag("--version", "seqc " SEQ_VERSION);
}

void add_spec(CLI::App& app, Arguments& arguments) {
    app.add_option("SPEC", arguments.spec,
                   "the model file, or - for standard input; where a command takes it, a compiled plan")
        ->check(empty_problem)
        ->required();
    add_repeated(app, "--shape", arguments.shapes, "NAME=DIMS",
                 "give an input another shape, as in x=32,3,64,64; may be repeated");
}

void add_trust(CLI::App& app, Arguments& arguments) {
    app.add_flag("--trust-code", arguments.trust_code,
                 "run what code for a GPU a compiled plan holds, as you would a program of its author's; else it is "
                 "compiled anew");
}

void add_data(CLI::App& app, Arguments& arguments) {
    add_repeated(app, "--input", arguments.inputs, "[NAME=]FILE",
                 "an input: .npy, .npz, .png or .jpg; 'x=' may be left out for the only one");
    add_repeated(app, "--output", arguments.outputs, "[NAME=]FILE",
                 "where an output goes, as .npy or .npz; 'y=' may be left out for the only one");
    add_channels(app, "--scale", arguments.scale, 1, "pictures: multiplies each pixel, 1/255 by default");
    add_channels(app, "--mean", arguments.mean, max_channels,
                 "pictures: subtracted from each channel, as in 0.485,0.456,0.406");
    add_channels(app, "--std", arguments.deviation, max_channels, "pictures: each channel is divided by it");
    app.add_option("--top", arguments.top, "print the largest N values of each row of the outputs")
        ->check(integer_in(0, max_top));
}

}  // namespace seqc
