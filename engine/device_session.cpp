#include "engine/device_session.hpp"

namespace seq {

DeviceSession::DeviceSession(const DeviceRuntime& runtime, void* stream)
    : runtime_(runtime),
      is_callers_stream_(stream != nullptr),
      queue_(is_callers_stream_ ? runtime.make_queue_on(stream) : runtime.make_queue()) {}

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

}  // namespace seq
