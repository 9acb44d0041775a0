#pragma once

#include <seq_plugin_interface.hpp>
#include <string>
#include <string_view>

/// The version of seq, a hash of the headers that the program and the plugin share, the compiler, and what else the
/// layout of the standard library's types depends on: by the name of its macro where that is not defined.
#define SEQ_BUILD_IDENTITY \
    (SEQ_IS_DEBUG_MODE ? SEQ_IDENTITY_OF_MACROS ", debug mode on" : SEQ_IDENTITY_OF_MACROS ", debug mode off")
#define SEQ_IDENTITY_OF_MACROS                                                                                  \
    "seq " SEQ_VERSION ", interface " SEQ_PLUGIN_INTERFACE ", " __VERSION__ ", pointers of " SEQ_TEXT_OF_MACRO( \
        __SIZEOF_POINTER__) " bytes, library ABI " SEQ_TEXT_OF_MACRO(_GLIBCXX_USE_CXX11_ABI)
#define SEQ_IS_DEBUG_MODE (std::string_view(SEQ_TEXT_OF_MACRO(_GLIBCXX_DEBUG)) != "_GLIBCXX_DEBUG")
#define SEQ_TEXT_OF_MACRO(macro) SEQ_TEXT_OF(macro)
#define SEQ_TEXT_OF(tokens) #tokens

namespace seq::cuda {

/// Where it is the same, both sides mean the same by what they hand each other.
inline constexpr const char* build_identity = SEQ_BUILD_IDENTITY;

}  // namespace seq::cuda
