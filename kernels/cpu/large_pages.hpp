#pragma once

#include <cstddef>
#include <memory>

namespace seq::cpu {

/// Zeroed memory for weights and arenas, aligned to 64 bytes. Where the system has large pages, these lie side by side
/// in them, since a run that reads each weight once waits for pages to be looked up, and the first use of each page
/// takes microseconds. What is given back is returned to the system by whole pages. May be called by several threads.
/// Throws std::bad_alloc where memory lacks.
std::shared_ptr<void> take_memory(std::size_t bytes);

/// The same for who writes to all of it before anything else: large memory is taken page by page as it is written, by
/// the threads that write.
std::shared_ptr<void> take_untouched_memory(std::size_t bytes);

}  // namespace seq::cpu
