#define SEQ_VERSION "1.0"

#include "kernels/cuda/build_identity.hpp"

#include <doctest/doctest.h>

#include <string_view>

namespace seq::tests {
namespace {

TEST_CASE("builds whose standard libraries lay types out otherwise have other identities") {
    constexpr std::string_view usual = SEQ_BUILD_IDENTITY;
    CHECK(usual == cuda::build_identity);
    CHECK(usual.starts_with("seq 1.0, interface "));
    CHECK(usual.ends_with(", debug mode off"));
    // NOLINTBEGIN: what a compiler's options define
#pragma push_macro("_GLIBCXX_USE_CXX11_ABI")
#undef _GLIBCXX_USE_CXX11_ABI
#define _GLIBCXX_USE_CXX11_ABI 2
    CHECK(usual != SEQ_BUILD_IDENTITY);
#pragma pop_macro("_GLIBCXX_USE_CXX11_ABI")
    CHECK(usual == SEQ_BUILD_IDENTITY);
#pragma push_macro("_GLIBCXX_DEBUG")
#undef _GLIBCXX_DEBUG
#define _GLIBCXX_DEBUG 2
    CHECK(usual != SEQ_BUILD_IDENTITY);
    CHECK(std::string_view(SEQ_BUILD_IDENTITY).ends_with(", debug mode on"));
#pragma pop_macro("_GLIBCXX_DEBUG")
    CHECK(usual == SEQ_BUILD_IDENTITY);
#pragma push_macro("__SIZEOF_POINTER__")
#undef __SIZEOF_POINTER__
#define __SIZEOF_POINTER__ 4
    CHECK(usual != SEQ_BUILD_IDENTITY);
#pragma pop_macro("__SIZEOF_POINTER__")
    CHECK(usual == SEQ_BUILD_IDENTITY);
    // NOLINTEND
}

}  // namespace
}  // namespace seq::tests
