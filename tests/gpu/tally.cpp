#include "tests/gpu/tally.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>

namespace seq::tests {
namespace {

const auto process_start = std::chrono::steady_clock::now();

constexpr std::size_t most_failures = 40;

/// None where it does not run under tools/gpu_check.
const char* seconds_text() { return std::getenv("SEQ_GPU_SECONDS"); }

/// One write, since several processes append to the file.
void append(const nlohmann::ordered_json& line) {
    const char* const path = std::getenv("SEQ_GPU_RESULTS");
    if (path == nullptr) return;
    std::ofstream file(path, std::ios::app);
    const std::string text = line.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
    file.write(text.data(), static_cast<std::streamsize>(text.size()));
}

}  // namespace

bool is_time_left() {
    const char* const text = seconds_text();
    return text == nullptr ||
           std::chrono::steady_clock::now() - process_start < std::chrono::duration<double>(std::atof(text));
}

Tally::Tally(std::string what, MathMode math, double allowed)
    : what_(std::move(what)), math_(math), allowed_(allowed) {}

Tally::~Tally() {
    nlohmann::ordered_json line{{"test", what_},        {"dtype", name_of(math_)}, {"checked", checked_},
                                {"allowed", allowed_},  {"worst", worst_},         {"worst_of", worst_name_},
                                {"left_out", left_out_}};
    // JSON has no infinity.
    if (!(worst_ <= std::numeric_limits<double>::max())) line["worst"] = nullptr;
    line["failed"] = failed_;
    if (!notes_.empty()) line["notes"] = notes_;
    append(line);
    MESSAGE(what_, ", ", std::string(name_of(math_)), ": ", checked_, " checked, worst ", worst_, " of ", allowed_,
            " (", worst_name_, "), ", failed_.size(), " failed, ", left_out_, " left out");
}

void Tally::compare(const std::string& name, double distance) {
    if (!(distance <= worst_)) {
        worst_ = distance;
        worst_name_ = name;
    }
    require(distance <= allowed_, name, fmt::format("off by {:.3g}, and {:.3g} is allowed", distance, allowed_));
}

void Tally::require(bool holds, const std::string& name, const std::string& what) {
    ++checked_;
    CHECK_MESSAGE(holds, what_ << ", " << std::string(name_of(math_)) << ", " << name << ": " << what);
    if (holds) return;
    tell("failed", name);
    if (failed_.size() < most_failures) failed_.push_back(name + ": " + what);
}

void Tally::tell(const char* what, const std::string& name) const {
    if (seconds_text() == nullptr) return;
    std::cout << fmt::format("tests_gpu: {} {}, {}, {}", what, what_, name_of(math_), name) << std::endl;
}

}  // namespace seq::tests
