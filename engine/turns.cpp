#include "engine/turns.hpp"

#include <algorithm>

namespace seq {
namespace {

/// How often who is first in line looks whether the holder is still there.
constexpr auto look = std::chrono::microseconds(500);

}  // namespace

bool Turns::begin(const void* caller) {
    std::unique_lock lock(mutex_);
    const bool goes_on = holder_ == caller && !busy_ && Clock::now() < over_;
    if (!goes_on) {
        if ((busy_ || first_ != nullptr) && !wait_in_line(lock)) return false;
        holder_ = caller;
        over_ = Clock::now() + times_.turn;
    }
    busy_ = true;
    return true;
}

void Turns::end() {
    const std::lock_guard lock(mutex_);
    busy_ = false;
    left_ = Clock::now();
    if (first_ != nullptr && left_ >= over_) first_->called.notify_one();
}

bool Turns::may_begin(Clock::time_point now) const { return !busy_ && (now >= over_ || now - left_ >= times_.away); }

bool Turns::wait_in_line(std::unique_lock<std::mutex>& lock) {
    Waiter waiter;
    (first_ == nullptr ? first_ : last_->next) = &waiter;
    last_ = &waiter;
    Clock::time_point now = Clock::now();
    const Clock::time_point end = now + times_.patience;
    bool begins = false;
    while (!(begins = first_ == &waiter && may_begin(now)) && now < end) {
        waiter.called.wait_until(lock, first_ == &waiter ? std::min(end, now + look) : end);
        now = Clock::now();
    }
    leave_line(waiter);
    return begins;
}

void Turns::leave_line(const Waiter& waiter) {
    Waiter* before = nullptr;
    for (Waiter* other = first_; other != &waiter; other = other->next) before = other;
    (before == nullptr ? first_ : before->next) = waiter.next;
    if (last_ == &waiter) last_ = before;
    if (before == nullptr && first_ != nullptr) first_->called.notify_one();  // to look whether this turn is over
}

}  // namespace seq
