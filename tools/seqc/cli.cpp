#include "tools/seqc/cli.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <exception>
#include <new>
#include <sstream>
#include <stdexcept>

#include "graph/diagnostic.hpp"
#include "tools/seqc/commands.hpp"
#include "tools/seqc/console.hpp"
#include "tools/seqc/examples.hpp"
#include "tools/seqc/options.hpp"
#include "tools/seqc/plan_model.hpp"
#include "tools/seqc/status.hpp"
#include "tools/seqc/usage.hpp"

namespace seqc {
namespace {

constexpr const char* description =
    "seqc checks, explains and runs neural networks.\n"
    "\n"
    "  seqc check   model.json                        every problem in the model, in one go\n"
    "  seqc fix     model.json --in-place             mend what can be mended for certain\n"
    "  seqc summary model.json                        the layer table\n"
    "  seqc run     model.json --input x.npy --output y.npy\n"
    "  seqc compile model.json -o model.seqx          all of the work once; run and bench then take model.seqx\n"
    "\n"
    "A model is a seq/1 file (JSON); '-' reads it from standard input.";

constexpr const char* footer =
    "Exit status: 0 all is well; 1 the model, its data or a file has an error; 2 the command line is wrong;\n"
    "3 what was asked for is not available on this machine. 'seqc COMMAND --help' says more of a command; the\n"
    "options above may stand before a command or after it. check and fix compute nothing: of the options of how to,\n"
    "they look at --device and --dtype alone, whether this machine has them.";

constexpr int max_sessions = 256;

using Command = int (*)(const Arguments&);

struct Parser {
    CLI::App app{description, "seqc"};
    Arguments arguments;
    Command command = nullptr;
    std::string command_name;
    bool takes_plans = false;

    CLI::App* add(const char* name, const char* help, Command run, bool plans = false) {
        CLI::App* sub = app.add_subcommand(name, help);
        sub->callback([this, sub, name, run, plans] {
            command = run;
            command_name = name;
            takes_plans = plans;
            for (const CLI::App* owner : {&app, sub}) {
                for (const CLI::Option* option : owner->get_options()) {
                    if (option->count() > 0) arguments.given.insert(option->get_name());
                }
            }
        });
        sub->footer(std::string(examples_of(name)) + footer);
        add_common(*sub, arguments);
        return sub;
    }

    Parser() {
        app.footer(footer);
        app.require_subcommand(1);
        app.get_formatter()->column_width(34);
        add_common(app, arguments);

        CLI::App* check = add("check", "print every problem in the model; silent where there is none", run_check);
        add_spec(*check, arguments);

        CLI::App* fix = add("fix", "apply the fixes that are certain and keep the file's formatting", run_fix);
        add_spec(*fix, arguments);
        CLI::Option* out =
            add_file(*fix, "-o", arguments.output_file, "write the mended model here (default: standard output)");
        fix->add_flag("--in-place", arguments.in_place, "write it over the model file")->excludes(out);

        CLI::App* summary =
            add("summary", "print the layer table: shapes, parameters, MACs, fusions, memory", run_summary, true);
        add_spec(*summary, arguments);

        CLI::App* run = add("run", "run the model, or a compiled plan, on files", run_run, true);
        add_spec(*run, arguments);
        add_trust(*run, arguments);
        add_data(*run, arguments);

        CLI::App* compile =
            add("compile", "do all of the work once: a file that run and bench load in milliseconds", run_compile);
        add_spec(*compile, arguments);
        add_plan_output(*compile, arguments);
        compile->add_flag("--portable", arguments.portable,
                          "take the plain weights along: on another CPU, or for other sizes, plans are made from them");

        CLI::App* bench = add("bench", "measure latency and throughput", run_bench, true);
        add_spec(*bench, arguments);
        add_trust(*bench, arguments);
        bench->add_option("--duration", arguments.duration, "seconds to measure")
            ->type_name("SECONDS")
            ->check(number_in(0.01, 3600))
            ->capture_default_str();
        bench
            ->add_option("--sessions", arguments.sessions,
                         "how many sessions run at once, each from a thread of its own; throughput is of all")
            ->check(integer_in(1, max_sessions))
            ->capture_default_str();

        CLI::App* dump = add("dump", "print the graph as text, which reads back", run_dump, true);
        add_spec(*dump, arguments);
        add_trust(*dump, arguments);
        add_choice(*dump, "--stage", arguments.stage, {"graph", "fused", "plan"},
                   "graph: as written; fused: after the passes; plan: the steps that run");
        add_file(*dump, "-o", arguments.output_file, "write it to this file");

        CLI::App* explain =
            add("explain", "what became of a layer: fused into what, which kernel, why not another", run_explain);
        add_spec(*explain, arguments);
        explain->add_option("LAYER", arguments.layer,
                            "the layer's path, such as features.3, or a container's, for all layers inside; all of the "
                            "model where left out");

        CLI::App* verify =
            add("verify",
                "compare the graph after each pass, and the plan, with the plain reference; of a compiled "
                "plan, run its test vectors again",
                run_verify, true);
        add_spec(*verify, arguments);
        add_trust(*verify, arguments);
        verify
            ->add_option("--tolerance", arguments.tolerance,
                         "the largest difference, relative to the largest magnitude (default 1e-4); NaN and "
                         "infinity agree with themselves alone")
            ->check(positive_problem);

        add("devices", "say what this machine can run on, and if not, why not", run_devices);
        add("schema", "print the JSON Schema of model files, for editors", run_schema);
    }
};

bool computes(const std::string& command) {
    return command != "check" && command != "fix" && command != "devices" && command != "schema";
}

/// Refuses what would do nothing, of options that all commands take or that are for plans.
void refuse_idle(const Parser& parser) {
    const Arguments& arguments = parser.arguments;
    for (const char* option : {"--set", "--weights", "--random-weights"}) {
        if (arguments.spec.empty() && arguments.gives(option))
            throw UsageError(
                fmt::format("'seqc {}' reads no model, to which {} could be given", parser.command_name, option));
    }
    if (arguments.trust_code && !names_plan(arguments))
        throw UsageError(
            fmt::format("--trust-code is about code in a compiled plan, and {} is none: what it needs is "
                        "compiled here",
                        arguments.spec));
    if (!computes(parser.command_name)) return;
    const bool on_gpu = parse_device(arguments.device)->kind == seq::DeviceKind::cuda;
    if (on_gpu && arguments.memory_limit > 0 && parser.command_name != "verify")  // which runs the reference too
        throw UsageError(no_limit_on_gpus);
    if (arguments.numerics == "fast" && !names_plan(arguments))
        print_note("--numerics fast computes as default does: no kernel of this version makes use of it");
}

void check_together(const Parser& parser) {
    const Arguments& arguments = parser.arguments;
    if (!parser.takes_plans && names_plan(arguments))
        throw UsageError(
            fmt::format("'seqc {}' reads a model, and {} is a compiled plan, which run, bench, verify, "
                        "summary and dump take",
                        parser.command_name, arguments.spec));
    if (!arguments.weights.empty() && arguments.random_weights)
        throw UsageError("--weights and --random-weights exclude each other");
    if (arguments.numerics == "strict" && arguments.dtype != "f32")
        throw UsageError(fmt::format("--numerics strict computes in f32 and excludes --dtype {}", arguments.dtype));
    refuse_idle(parser);
}

/// A tensor that does not fit says its sizes.
seq::Error memory_error(const std::string& what) {
    if (what.find("memory") != std::string::npos) return seq::Error("shape/limit", what);
    return seq::Error("memory/exhausted", "there is not as much memory as this takes");
}

int run_guarded(const Parser& parser) {
    try {
        check_together(parser);
        const int status = parser.command(parser.arguments);
        return flush_output() ? status : failed;
    } catch (const UsageError& error) {
        print_error(error.what());
        return usage;
    } catch (const seq::Error& error) {
        print_error(error);
        return error.code().ends_with("/unavailable") ? unavailable : failed;
    } catch (const std::bad_alloc& error) {
        print_error(memory_error(error.what()));
    } catch (const std::length_error& error) {
        print_error(seq::Error("shape/limit", error.what()));
    } catch (const std::exception& error) {
        print_error(error.what());
    }
    return failed;
}

}  // namespace

int run_command_line(int argc, char** argv) {
    try {
        Parser parser;
        try {
            parser.app.parse(argc, argv);
        } catch (const CLI::Success& help) {
            const std::string word = unknown_command(parser.app);
            if (!word.empty()) {
                explain_command(parser.app, word);
                return usage;
            }
            std::ostringstream text;
            parser.app.exit(help, text, text);
            print(text.str());
            return flush_output() ? ok : failed;
        } catch (const CLI::ParseError& error) {
            explain_usage(parser.app, error);
            return usage;
        }
        set_console(parser.arguments.color, parser.arguments.quiet);
        return run_guarded(parser);
    } catch (...) {  // no memory is left to say even that
        return failed;
    }
}

}  // namespace seqc
