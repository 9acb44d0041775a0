#pragma once

#include <string>

namespace seq {

/// What is kept between processes: "$XDG_CACHE_HOME/seq" or "~/.cache/seq"; empty where neither variable is set.
std::string cache_folder();

}  // namespace seq
