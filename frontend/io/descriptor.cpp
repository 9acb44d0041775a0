#include "frontend/io/descriptor.hpp"

#include <poll.h>

#include <cerrno>

namespace seq {

bool wait_until_ready(const Descriptor& file, short events) {
    pollfd wanted{file.get(), events, 0};
    int count = 0;
    do {
        count = poll(&wanted, 1, -1);
    } while (count < 0 && errno == EINTR);
    return count > 0;
}

}  // namespace seq
