#pragma once

#include <unistd.h>

#include <utility>

namespace seq {

/// Owns an open file descriptor.
class Descriptor {
   public:
    explicit Descriptor(int value = -1) : value_(value) {}
    Descriptor(Descriptor&& other) noexcept : value_(std::exchange(other.value_, -1)) {}
    Descriptor& operator=(Descriptor&& other) noexcept {
        std::swap(value_, other.value_);
        return *this;
    }
    ~Descriptor() {
        if (value_ >= 0) ::close(value_);
    }

    int get() const { return value_; }
    explicit operator bool() const { return value_ >= 0; }
    /// Closes it and returns what close(2) returned; 0 where it was closed before.
    int close() {
        const int value = std::exchange(value_, -1);
        return value < 0 ? 0 : ::close(value);
    }

   private:
    int value_;
};

/// Waits until a non-blocking descriptor can go on with `events` (POLLIN, POLLOUT); false, with errno, where it cannot.
bool wait_until_ready(const Descriptor& file, short events);

}  // namespace seq
