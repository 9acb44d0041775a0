#include "tools/seqc/progress.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <system_error>

#include "tools/seqc/console.hpp"

namespace seqc {
namespace {

using Clock = std::chrono::steady_clock;

constexpr auto patience = std::chrono::seconds(2);
constexpr auto interval = std::chrono::milliseconds(200);
constexpr int width = 30;

}  // namespace

Progress::Progress(std::string label) : label_(std::move(label)) {
    if (is_quiet() || isatty(STDERR_FILENO) == 0) return;
    try {
        thread_ = std::thread([this] { draw_until_stopped(); });
    } catch (const std::system_error&) {  // then nothing is shown
    }
}

Progress::~Progress() {
    if (!thread_.joinable()) return;
    {
        const std::lock_guard lock(mutex_);
        stopped_ = true;
    }
    stop_.notify_one();
    thread_.join();
}

void Progress::relabel(std::string label) {
    const std::lock_guard lock(mutex_);
    label_ = std::move(label);
}

void Progress::draw_until_stopped() {
    const Clock::time_point started = Clock::now();
    std::unique_lock lock(mutex_);
    bool visible = false;
    while (!stop_.wait_for(lock, visible ? Clock::duration(interval) : Clock::duration(patience),
                           [this] { return stopped_; })) {
        visible = true;
        print_errors(line(std::chrono::duration<double>(Clock::now() - started).count()));
    }
    if (visible) print_errors("\r\033[K");
}

std::string Progress::line(double passed) const {
    const double fraction = std::min(fraction_.load(std::memory_order_relaxed), 1.0);
    if (fraction <= 0) return fmt::format("\r{} ... {:.0f} s\033[K", label_, passed);
    const int filled = static_cast<int>(fraction * width);
    return fmt::format("\r{} [{:#<{}}{:.<{}}] {:3.0f}% {:.0f} s left\033[K", label_, "", filled, "", width - filled,
                       fraction * 100, passed * (1 - fraction) / fraction);
}

}  // namespace seqc
