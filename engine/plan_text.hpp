#pragma once

#include <string>

#include "engine/plan.hpp"

namespace seq {

/// The steps that run, one a line: kernel, what it reads and writes and where that lies, the layers that it came from.
std::string steps_text(const Plan& plan);

/// The plan's graph with sizes bound, which reads back, and its steps as comments.
std::string print(const Plan& plan);

}  // namespace seq
