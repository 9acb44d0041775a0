#include "kernels/device.hpp"

#include <chrono>

namespace seq {

/// As the host sees it.
double DeviceQueue::microseconds(const std::function<void()>& work) {
    wait();
    const auto start = std::chrono::steady_clock::now();
    work();
    wait();
    return std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace seq
