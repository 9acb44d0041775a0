#include "tools/seqc/cli.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <CLI/CLI.hpp>
#include <cmath>
#include <cstdio>
#include <exception>
#include <functional>
#include <new>

#include "frontend/suggest.hpp"
#include "graph/diagnostic.hpp"
#include "tools/seqc/commands.hpp"
#include "tools/seqc/console.hpp"
#include "tools/seqc/status.hpp"

namespace seqc {
namespace {

constexpr const char* description =
    "seqc checks, explains and runs neural networks.\n"
    "\n"
    "  seqc check   model.json                        every problem in the model, in one go\n"
    "  seqc fix     model.json --in-place             mend what can be mended for certain\n"
    "  seqc summary model.json                        the layer table\n"
    "  seqc run     model.json --input x.npy --output y.npy\n"
    "\n"
    "A model is a seq/1 file (JSON); '-' reads it from standard input.";

constexpr const char* footer =
    "Exit status: 0 all is well; 1 the model, its data or a file has an error; 2 the command line is wrong;\n"
    "3 what was asked for is not available on this machine. 'seqc COMMAND --help' says more of a command.";

using Command = int (*)(const Arguments&);

/// Takes the texts that are wholly a seed; the library's own conversion wraps those past 64 bits around.
std::string seed_problem(const std::string& text) {
    std::uint64_t seed = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seed);
    if (error == std::errc() && end == text.data() + text.size()) return {};
    return fmt::format("takes an integer from 0 to 2^64 - 1, but gets '{}'", text);
}

/// Refuses NaN too, which passes the library's own check of a range.
std::string finite_problem(const std::string& text) {
    double value = 0;
    if (CLI::detail::lexical_cast(text, value) && std::isfinite(value)) return {};
    return fmt::format("takes a finite number, but gets '{}'", text);
}

std::string positive_problem(const std::string& text) {
    double value = 0;
    if (CLI::detail::lexical_cast(text, value) && std::isfinite(value) && value > 0) return {};
    return fmt::format("takes a positive number, but gets '{}'", text);
}

/// The options of every command.
void add_common(CLI::App& app, Arguments& arguments) {
    app.add_option("--set", arguments.settings, "give a symbol its value; may be repeated")
        ->type_name("SYMBOL=INT")
        ->take_all();
    app.add_option("--format", arguments.format, "how results are printed")
        ->check(CLI::IsMember({"text", "json"}))
        ->capture_default_str();
    app.add_option("--color", arguments.color, "colour in what is printed")
        ->check(CLI::IsMember({"auto", "always", "never"}))
        ->capture_default_str();
    app.add_flag("-q,--quiet", arguments.quiet, "print results and errors alone");
}

void add_spec(CLI::App& app, Arguments& arguments) {
    app.add_option("SPEC", arguments.spec, "the model file, or - for standard input")->required();
    app.add_option("--shape", arguments.shapes, "give an input another shape, as in x=32,3,64,64; may be repeated")
        ->type_name("NAME=DIMS")
        ->take_all()
        ->allow_extra_args(false);
}

void add_weights(CLI::App& app, Arguments& arguments) {
    app.add_option("--weights", arguments.weights, "read the weights from this file (.safetensors or .npz)")
        ->type_name("FILE");
    app.add_option("--random-weights", arguments.random_weights, "use random weights made from this seed")
        ->type_name("SEED")
        ->check(seed_problem);
}

void add_compute(CLI::App& app, Arguments& arguments) {
    add_weights(app, arguments);
    app.add_option("--device", arguments.device, "where to compute")
        ->check(CLI::IsMember({"cpu", "cuda"}))
        ->capture_default_str();
    app.add_option("--dtype", arguments.dtype, "how to compute; inputs and outputs keep their dtype")
        ->check(CLI::IsMember({"f32", "tf32", "bf16", "f16"}))
        ->capture_default_str();
    app.add_option("--numerics", arguments.numerics, "strict: no reordering of sums beyond the reference's")
        ->check(CLI::IsMember({"strict", "default", "fast"}))
        ->capture_default_str();
    app.add_option("--passes", arguments.passes, "which passes run: all, none, or names separated by commas")
        ->type_name("all|none|PASS,...")
        ->capture_default_str();
    app.add_option("--threads", arguments.threads, "how many threads compute; 0: all that the process may use")
        ->check(CLI::Range(0, 1024))
        ->capture_default_str();
}

void add_data(CLI::App& app, Arguments& arguments) {
    app.add_option("--input", arguments.inputs,
                   "an input: .npy, .npz, .png or .jpg; 'x=' may be left out for the only one")
        ->type_name("[NAME=]FILE")
        ->take_all()
        ->allow_extra_args(false);
    app.add_option("--output", arguments.outputs, "where an output goes; 'y=' may be left out for the only one")
        ->type_name("[NAME=]FILE")
        ->take_all()
        ->allow_extra_args(false);
    app.add_option("--scale", arguments.scale, "pictures: multiplies each pixel, 1/255 by default")
        ->delimiter(',')
        ->expected(1, 4)
        ->check(finite_problem);
    app.add_option("--mean", arguments.mean, "pictures: subtracted from each channel, as in 0.485,0.456,0.406")
        ->delimiter(',')
        ->expected(1, 4)
        ->check(finite_problem);
    app.add_option("--std", arguments.deviation, "pictures: each channel is divided by it")
        ->delimiter(',')
        ->expected(1, 4)
        ->check(finite_problem);
    app.add_option("--top", arguments.top, "print the largest N values of each row of the outputs")
        ->check(CLI::Range(0, 1000));
}

struct Parser {
    CLI::App app{description, "seqc"};
    Arguments arguments;
    Command command = nullptr;

    CLI::App* add(const char* name, const char* help, Command run) {
        CLI::App* sub = app.add_subcommand(name, help);
        sub->callback([this, run] { command = run; });
        add_common(*sub, arguments);
        return sub;
    }

    std::vector<std::string> commands() const {
        std::vector<std::string> names;
        for (const CLI::App* sub : app.get_subcommands([](const CLI::App*) { return true; }))
            names.push_back(sub->get_name());
        return names;
    }

    Parser() {
        app.footer(footer);
        app.require_subcommand(1);
        app.set_version_flag("--version", "seqc " SEQ_VERSION);
        app.get_formatter()->column_width(34);

        CLI::App* check = add("check", "print every problem in the model; silent where there is none", run_check);
        add_spec(*check, arguments);
        add_weights(*check, arguments);

        CLI::App* fix = add("fix", "apply the fixes that are certain and keep the file's formatting", run_fix);
        add_spec(*fix, arguments);
        add_weights(*fix, arguments);
        CLI::Option* out =
            fix->add_option("-o", arguments.output_file, "write the mended model here (default: standard output)");
        fix->add_flag("--in-place", arguments.in_place, "write it over the model file")->excludes(out);

        CLI::App* summary =
            add("summary", "print the layer table: shapes, parameters, MACs, fusions, memory", run_summary);
        add_spec(*summary, arguments);
        add_compute(*summary, arguments);

        CLI::App* run = add("run", "run the model on files", run_run);
        add_spec(*run, arguments);
        add_compute(*run, arguments);
        add_data(*run, arguments);

        CLI::App* bench = add("bench", "measure latency and throughput", run_bench);
        add_spec(*bench, arguments);
        add_compute(*bench, arguments);
        bench->add_option("--duration", arguments.duration, "seconds to measure")
            ->check(CLI::Range(0.01, 3600.0))
            ->check(positive_problem)
            ->capture_default_str();

        CLI::App* dump = add("dump", "print the graph as text, which reads back", run_dump);
        add_spec(*dump, arguments);
        add_compute(*dump, arguments);
        dump->add_option("--stage", arguments.stage,
                         "graph: as written; fused: after the passes; plan: the steps that run")
            ->check(CLI::IsMember({"graph", "fused", "plan"}))
            ->capture_default_str();
        dump->add_option("-o", arguments.output_file, "write it to this file");

        CLI::App* explain =
            add("explain", "what became of a layer: fused into what, which kernel, why not another", run_explain);
        add_spec(*explain, arguments);
        explain->add_option("LAYER", arguments.layer,
                            "the layer's path, such as features.3; all layers where left out");
        add_compute(*explain, arguments);

        CLI::App* verify =
            add("verify", "compare the graph after each pass, and the plan, with the plain reference", run_verify);
        add_spec(*verify, arguments);
        add_compute(*verify, arguments);
        verify
            ->add_option("--tolerance", arguments.tolerance,
                         "the largest difference, relative to the largest magnitude (default 1e-4)")
            ->check(positive_problem);

        add("devices", "say what this machine can run on, and if not, why not", run_devices);
        add("schema", "print the JSON Schema of model files, for editors", run_schema);
    }
};

/// The word that was meant, where the first one is no command.
void suggest_command(const std::vector<std::string>& commands, const char* word) {
    const std::vector<std::string_view> views(commands.begin(), commands.end());
    const auto guesses = seq::nearest(word, views);
    print_error(fmt::format("there is no command '{}'{}", word, seq::did_you_mean(guesses)));
    print_note("'seqc --help' lists the commands");
}

int run_guarded(const Parser& parser) {
    try {
        const int status = parser.command(parser.arguments);
        return flush_output() ? status : failed;
    } catch (const UsageError& error) {
        print_error(error.what());
        return usage;
    } catch (const seq::Error& error) {
        print_error(error);
        return error.code() == "device/unavailable" ? unavailable : failed;
    } catch (const std::bad_alloc&) {
        print_error("out of memory");
    } catch (const std::exception& error) {
        print_error(error.what());
    }
    return failed;
}

}  // namespace

int run_command_line(int argc, char** argv) {
    Parser parser;
    try {
        parser.app.parse(argc, argv);
    } catch (const CLI::Success& help) {
        parser.app.exit(help);
        return flush_output() ? ok : failed;
    } catch (const CLI::ParseError& error) {
        const std::vector<std::string> commands = parser.commands();
        const std::string word = argc >= 2 ? argv[1] : "-";
        const bool known = std::find(commands.begin(), commands.end(), word) != commands.end();
        if (!known && word[0] != '-') {
            suggest_command(commands, argv[1]);
        } else {
            print_error(error.what());
            print_note(known ? fmt::format("'seqc {} --help' shows its options", argv[1])
                             : "'seqc --help' shows the commands");
        }
        return usage;
    }
    set_console(parser.arguments.color, parser.arguments.quiet);
    return run_guarded(parser);
}

}  // namespace seqc
