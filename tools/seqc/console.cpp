#include "tools/seqc/console.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
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

double seconds() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

void print_labelled(const char* label, const char* color, std::string_view message) {
    const bool colored = color_on_errors();
    fmt::print(stderr, "{}{}{}: {}\n", colored ? color : "", label, colored ? "\033[0m" : "", message);
}

}  // namespace

void set_console(const std::string& color, bool quiet) {
    console.color = color;
    console.quiet = quiet;
}

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

void print_error(std::string_view message) { print_labelled("error", "\033[1;31m", message); }
void print_error(const seq::Error& error) {
    print_labelled(fmt::format("error[{}]", error.code()).c_str(), "\033[1;31m", error.what());
}

void print_note(std::string_view message) {
    if (!console.quiet) print_labelled("note", "\033[1;36m", message);
}

Progress::Progress(std::string label) : label_(std::move(label)), started_(seconds()) {}

Progress::~Progress() {
    if (visible_) fmt::print(stderr, "\r\033[K");
}

void Progress::update(double fraction) {
    constexpr double patience = 2;
    constexpr double interval = 0.1;
    constexpr int width = 30;
    const double now = seconds();
    if (console.quiet || isatty(STDERR_FILENO) == 0 || now - started_ < patience || now - drawn_ < interval) return;
    drawn_ = now;
    visible_ = true;
    const int filled = static_cast<int>(fraction * width);
    const double left = fraction > 0 ? (now - started_) * (1 - fraction) / fraction : 0;
    fmt::print(stderr, "\r{} [{:#<{}}{:.<{}}] {:3.0f}% {:.0f} s left\033[K", label_, "", filled, "", width - filled,
               fraction * 100, left);
    std::fflush(stderr);
}

}  // namespace seqc
