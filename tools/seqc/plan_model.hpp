#pragma once

#include <cstdint>

#include "engine/executable.hpp"
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

/// The values of the symbols that --set gives, the others as in the first stored plan that agrees with it.
seq::Bindings plan_bindings(const Arguments& arguments, const seq::Executable& executable);

/// "N = 1, T = 8"
std::string settings_text(const seq::Bindings& bindings);

/// What the file of a plan says of itself, whatever machine it is for.
void print_plan_summary(const Arguments& arguments);

}  // namespace seqc
