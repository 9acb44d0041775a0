#pragma once

namespace seq::cuda {

/// The version of seq and the compiler that built it.
inline constexpr const char* build_identity = "seq " SEQ_VERSION ", " __VERSION__;

}  // namespace seq::cuda
