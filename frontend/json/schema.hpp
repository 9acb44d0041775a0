#pragma once

#include <string>

namespace seq::json {

/// A JSON Schema (draft 2020-12) of seq/1 with every layer type of the op table, for editors to complete and check.
std::string schema_text();

}  // namespace seq::json
