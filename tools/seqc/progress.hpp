#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

namespace seqc {

/// A line on a terminal that is drawn over while something goes on, and wiped when it ends; nothing elsewhere, and
/// nothing in the first two seconds. Nothing else may be printed meanwhile. Where one begins while another is there the
/// newest is drawn, and it waits for no longer than the other does.
class Progress {
   public:
    explicit Progress(std::string label);
    ~Progress();
    Progress(const Progress&) = delete;
    Progress& operator=(const Progress&) = delete;
    /// From 0 to 1: how much is done. Where it is never said, the line tells the time that has passed.
    void update(double fraction) { fraction_.store(fraction, std::memory_order_relaxed); }
    /// What goes on now.
    void relabel(std::string label);

   private:
    using Clock = std::chrono::steady_clock;
    void draw_until_stopped();
    bool is_newest() const;
    std::string line(double passed) const;

    std::string label_;
    Clock::time_point due_;
    std::atomic<double> fraction_ = 0;
    std::mutex mutex_;
    std::condition_variable stop_;
    bool stopped_ = false;
    std::thread thread_;
};

}  // namespace seqc
