#pragma once

#include "tools/seqc/arguments.hpp"

namespace seqc {

// One for each command: prints its result and returns the exit status. They may throw UsageError and seq::Error.
int run_check(const Arguments& arguments);
int run_fix(const Arguments& arguments);
int run_summary(const Arguments& arguments);
int run_run(const Arguments& arguments);
int run_compile(const Arguments& arguments);
int run_bench(const Arguments& arguments);
int run_dump(const Arguments& arguments);
int run_explain(const Arguments& arguments);
int run_verify(const Arguments& arguments);
int run_devices(const Arguments& arguments);
int run_schema(const Arguments& arguments);

}  // namespace seqc
