#include "tools/seqc/progress.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <system_error>
#include <vector>

#include "tools/seqc/console.hpp"

namespace seqc {
namespace {

constexpr auto patience = std::chrono::seconds(2);
constexpr auto interval = std::chrono::milliseconds(200);
constexpr int width = 30;

std::mutex lines_mutex;
std::vector<const Progress*> lines;  // the newest is the last

}  // namespace

Progress::Progress(std::string label) : label_(std::move(label)), due_(Clock::now() + patience) {
    if (is_quiet() || isatty(STDERR_FILENO) == 0) return;
    {
        const std::lock_guard lock(lines_mutex);
        if (!lines.empty()) due_ = lines.back()->due_;
        lines.push_back(this);
    }
    try {
        thread_ = std::thread([this] { draw_until_stopped(); });
    } catch (const std::system_error&) {  // then nothing is shown
    }
}

Progress::~Progress() {
    if (thread_.joinable()) {
        {
            const std::lock_guard lock(mutex_);
            stopped_ = true;
        }
        stop_.notify_one();
        thread_.join();
    }
    const std::lock_guard lock(lines_mutex);
    lines.erase(std::remove(lines.begin(), lines.end(), this), lines.end());
}

bool Progress::is_newest() const {
    const std::lock_guard lock(lines_mutex);
    return lines.back() == this;
}

void Progress::relabel(std::string label) {
    const std::lock_guard lock(mutex_);
    label_ = std::move(label);
}

void Progress::draw_until_stopped() {
    const Clock::time_point started = Clock::now();
    std::unique_lock lock(mutex_);
    bool visible = false;
    for (auto next = due_; !stop_.wait_until(lock, next, [this] { return stopped_; }); next = Clock::now() + interval) {
        if (!is_newest()) continue;
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
