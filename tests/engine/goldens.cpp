#include <doctest/doctest.h>

#include "graph/passes/pipeline.hpp"
#include "tests/engine/support.hpp"

namespace seq::tests {
namespace {

TEST_CASE("every golden agrees with PyTorch, at 1 and 2 threads, with all passes and with none") {
    const std::vector<std::string> names = golden_names();
    CHECK(names.size() >= 81);
    for (const std::string& name : names) {
        const Golden golden = load_golden(name);
        for (const int threads : {1, 2}) {
            for (const char* passes : {"all", "none"}) {
                CompileOptions options;
                options.threads = threads;
                options.passes = passes;
                check_golden(golden, options);
            }
        }
    }
}

TEST_CASE("networks agree with PyTorch after each pass alone") {
    for (const char* name : {"cifar_cnn", "inception_branches", "module_used_twice", "nested_sequentials",
                             "residual_block", "shared_layer", "split_concat", "varlen_conv1d"}) {
        const Golden golden = load_golden(name);
        for (const Pass& pass : all_passes()) {
            CompileOptions options;
            options.passes = pass.name;
            check_golden(golden, options);
        }
    }
}

TEST_CASE("networks agree with PyTorch under strict numerics") {
    for (const char* name : {"cifar_cnn", "residual_block", "module_used_twice"}) {
        CompileOptions options;
        options.numerics = Numerics::strict;
        check_golden(load_golden(name), options);
    }
}

TEST_CASE("every layer with every option agrees with PyTorch, with all passes and with none") {
    const std::vector<std::string> families = more_families();
    CHECK(families.size() >= 16);
    for (const std::string& family : families) {
        const std::vector<Golden> goldens = load_more_goldens(family);
        CHECK_MESSAGE(!goldens.empty(), family);
        for (const Golden& golden : goldens) {
            for (const char* passes : {"all", "none"}) {
                CompileOptions options;
                options.passes = passes;
                check_golden(golden, options);
            }
        }
    }
}

}  // namespace
}  // namespace seq::tests
