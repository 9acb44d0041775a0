#include "engine/cache_folder.hpp"

#include <cstdlib>

namespace seq {
namespace {

std::string variable(const char* name) {
    const char* const text = std::getenv(name);
    return text == nullptr ? "" : text;
}

}  // namespace

std::string cache_folder() {
    if (const std::string cache = variable("XDG_CACHE_HOME"); !cache.empty()) return cache + "/seq";
    if (const std::string home = variable("HOME"); !home.empty()) return home + "/.cache/seq";
    return {};
}

}  // namespace seq
