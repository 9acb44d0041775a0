#pragma once

#include <string>

#include "graph/diagnostic.hpp"

namespace seq {

/// A diagnostic as one JSON object on one line, without the line's end. What is not known is null.
std::string to_json(const Diagnostic& diagnostic);

/// RFC 6902.
std::string patch_json(const Fix& fix);

/// {"L": [[30, 33], [40, null, 4]]}: closed intervals, with a step where it is not 1, null where there is no end.
std::string intervals_json(const std::map<std::string, std::vector<Interval>>& values);

}  // namespace seq
