#pragma once

#include <cstdint>

#include "engine/executable.hpp"
#include "engine/plan_file/plan_file.hpp"
#include "tools/seqc/arguments.hpp"

namespace seqc {

/// Whether SPEC is a compiled plan (FILE.seqx) and no model.
bool names_plan(const Arguments& arguments);

/// What becomes of a plan that another version of seq wrote.
enum class OtherVersion : std::uint8_t { compile_model, refuse };

/// Loads the plan that SPEC is. Where it was compiled for another machine or by another seq, it is made anew from its
/// own weights, or compiled from the model beside it, which is said. Throws UsageError for options that were settled
/// when it was compiled, and seq::Error as seq::load_compiled.
seq::Executable open_plan(const Arguments& arguments, OtherVersion other_version = OtherVersion::compile_model);

/// Whether a plan that is stored for some values of the symbols is one for those that are given.
bool agrees(const seq::Bindings& stored, const seq::Bindings& given);

/// The values of the symbols that --set gives. Throws UsageError for a symbol that the plan does not have.
seq::Bindings plan_settings(const Arguments& arguments, const seq::Executable& executable);

/// What the file of the plan that SPEC is says of itself. Throws UsageError for options that change nothing there and
/// for symbols that the plan does not have, and seq::Error as seq::describe_compiled.
seq::PlanFileInfo describe_plan(const Arguments& arguments);

/// The values of the symbols that --set gives, the others as in the first stored plan that agrees with it.
seq::Bindings plan_bindings(const Arguments& arguments, const seq::Executable& executable);

/// "N = 1, T = 8"
std::string settings_text(const seq::Bindings& bindings);

/// Prints what the file of a plan says of itself, whatever machine it is for; of the plans for what --set gives, where
/// it gives something.
void print_plan_summary(const Arguments& arguments);

}  // namespace seqc
