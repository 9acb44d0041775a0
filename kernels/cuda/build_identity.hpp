#pragma once

#include <seq_plugin_interface.hpp>

namespace seq::cuda {

/// The version of seq, a hash of the headers that the program and the plugin share, and the compiler: where all are the
/// same, both sides mean the same by what they hand each other.
inline constexpr const char* build_identity = "seq " SEQ_VERSION ", interface " SEQ_PLUGIN_INTERFACE ", " __VERSION__;

}  // namespace seq::cuda
