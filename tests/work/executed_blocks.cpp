#include "tests/work/executed_blocks.hpp"

namespace {
std::uint64_t blocks = 0;
}

/// Called at the head of each basic block of what is built with -fsanitize-coverage=trace-pc.
extern "C" void __sanitizer_cov_trace_pc() { ++blocks; }

std::uint64_t seq::test::executed_blocks() { return blocks; }
