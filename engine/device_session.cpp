#include "engine/device_session.hpp"

#include <utility>

namespace seq {

DeviceSession::DeviceSession(const Backend& backend, void* stream)
    : runtime_(*backend.device),
      copy_view_(backend.copy_view),
      is_callers_stream_(stream != nullptr),
      queue_(is_callers_stream_ ? runtime_.make_queue_on(stream) : runtime_.make_queue()) {}

/// What was handed over still uses the report.
DeviceSession::~DeviceSession() {
    if (!faults_) return;
    try {
        queue_->wait();
    } catch (const Error&) {
        // A failed device uses nothing any more.
    }
}

std::shared_ptr<void> DeviceSession::room(std::size_t bytes) {
    if (bytes > room_bytes_) {
        room_ = runtime_.allocate(bytes);
        room_bytes_ = bytes;
    }
    return room_;
}

void DeviceSession::release_room() {
    room_ = nullptr;
    room_bytes_ = 0;
}

const FaultReport& DeviceSession::faults() {
    if (!faults_) faults_.emplace(runtime_, *queue_);
    return *faults_;
}

void DeviceSession::keep_fault() {
    if (!faults_ || failure_) return;
    if (auto fault = faults_->take(*queue_); fault && !fault_) fault_ = std::move(fault);
}

void DeviceSession::require_no_fault() {
    keep_fault();
    if (const auto fault = std::exchange(fault_, std::nullopt)) throw *fault;
}

}  // namespace seq
