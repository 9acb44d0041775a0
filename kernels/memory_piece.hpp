#pragma once

#include <cstddef>
#include <memory>

namespace seq {

/// What lies at `offset` of `room`, which it keeps: counted apart from other pieces of the same room, so that its
/// holders can tell whether they are the last.
inline std::shared_ptr<void> piece_of(const std::shared_ptr<void>& room, std::size_t offset) {
    return {std::make_shared<std::shared_ptr<void>>(room), static_cast<std::byte*>(room.get()) + offset};
}

}  // namespace seq
