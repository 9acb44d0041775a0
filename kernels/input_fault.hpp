#pragma once

#include <cstdint>

namespace seq {

/// What a kernel of a device found wrong with the numbers that it reads, in the device's memory: who finds something
/// where nothing was found before writes it.
struct InputFault {
    /// The FaultState's address; 0: nothing was found.
    std::uint64_t finder = 0;
    std::int64_t position = 0;  ///< of the element, in the node's input
    std::int64_t value = 0;
};

}  // namespace seq
