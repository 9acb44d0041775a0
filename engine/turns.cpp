#include "engine/turns.hpp"

namespace seq {

void Turns::begin(const void* caller) {
    std::unique_lock lock(mutex_);
    const bool goes_on = holder_ == caller && Clock::now() < over_;
    if (!goes_on) {
        if (busy_ || first_ != nullptr) wait_in_line(lock);
        holder_ = caller;
        over_ = Clock::now() + length_;
    }
    busy_ = true;
}

void Turns::end() {
    const std::lock_guard lock(mutex_);
    busy_ = false;
    if (first_ != nullptr && Clock::now() >= over_) first_->called.notify_one();
}

void Turns::wait_in_line(std::unique_lock<std::mutex>& lock) {
    Waiter waiter;
    (first_ == nullptr ? first_ : last_->next) = &waiter;
    last_ = &waiter;
    while (first_ != &waiter || busy_ || Clock::now() < over_) {
        const bool ends_by_itself = first_ == &waiter && Clock::now() < over_;
        ends_by_itself ? static_cast<void>(waiter.called.wait_until(lock, over_)) : waiter.called.wait(lock);
    }
    first_ = waiter.next;
    if (first_ != nullptr) first_->called.notify_one();  // to see when this turn is over
}

}  // namespace seq
