#include "tools/seqc/console.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace seqc {
namespace {

struct Console {
    std::string color = "auto";
    bool quiet = false;
    bool broken = false;
    int error = 0;
};

Console console;

bool color_on(int descriptor) {
    if (console.color != "auto") return console.color == "always";
    return std::getenv("NO_COLOR") == nullptr && isatty(descriptor) != 0;
}

void print_labelled(const char* label, const char* color, std::string_view message) {
    const bool colored = color_on_errors();
    print_errors(fmt::format("{}{}{}: {}\n", colored ? color : "", label, colored ? "\033[0m" : "", message));
}

}  // namespace

void set_console(const std::string& color, bool quiet) {
    console.color = color;
    console.quiet = quiet;
}

bool is_quiet() { return console.quiet; }
bool color_on_output() { return color_on(STDOUT_FILENO); }
bool color_on_errors() { return color_on(STDERR_FILENO); }

void print(std::string_view text) {
    if (std::fwrite(text.data(), 1, text.size(), stdout) == text.size() || console.broken) return;
    console.broken = true;
    console.error = errno;
}

bool flush_output() {
    if (std::fflush(stdout) != 0 && !console.broken) {
        console.broken = true;
        console.error = errno;
    }
    if (!console.broken) return true;
    print_error(fmt::format("standard output: {}", std::strerror(console.error)));
    return false;
}

void print_errors(std::string_view text) noexcept {
    std::fwrite(text.data(), 1, text.size(), stderr);
    std::fflush(stderr);
}

void print_error(std::string_view message) { print_labelled("error", "\033[1;31m", message); }
void print_error(const seq::Error& error) {
    print_labelled(fmt::format("error[{}]", error.code()).c_str(), "\033[1;31m", error.what());
}

void print_note(std::string_view message) {
    if (!console.quiet) print_labelled("note", "\033[1;36m", message);
}

}  // namespace seqc
