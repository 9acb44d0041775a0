#include "engine/turns.hpp"

namespace seq {

void Turns::begin(const void* caller) {
    std::unique_lock lock(mutex_);
    const bool goes_on = holder_ == caller && now_() < over_;
    if (!goes_on) {
        if (busy_ || first_ != nullptr) wait_in_line(lock);
        holder_ = caller;
        over_ = now_() + length_;
    }
    busy_ = true;
}

void Turns::end() {
    const std::lock_guard lock(mutex_);
    busy_ = false;
    if (first_ != nullptr && now_() >= over_) first_->called.notify_one();
}

void Turns::wait_in_line(std::unique_lock<std::mutex>& lock) {
    Waiter waiter;
    (first_ == nullptr ? first_ : last_->next) = &waiter;
    last_ = &waiter;
    for (;;) {
        if (first_ == &waiter && now_() >= over_) over_ = {};  // so that whoever ends a call now sees it too
        if (first_ != &waiter || (busy_ && over_ == Clock::time_point())) {
            waiter.called.wait(lock);
        } else if (over_ != Clock::time_point()) {
            waiter.called.wait_until(lock, over_);
        } else {
            break;
        }
    }
    first_ = waiter.next;
    if (first_ != nullptr) first_->called.notify_one();  // to see when this turn is over
}

}  // namespace seq
