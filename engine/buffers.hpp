#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "engine/memory_plan.hpp"
#include "engine/plan.hpp"

namespace seq {

/// The buffers of a plan while it is built: when each is written and read, which share memory, and where they end up.
/// A BufferRef of kind arena names a buffer by its index in `offset` until `resolve`.
class BufferTable {
   public:
    /// Returns its index.
    std::size_t add(const Placed& value);

    /// The step writes or reads the buffer.
    void write(std::size_t buffer, int step) { buffers_[buffer].life.first = step; }
    void read(std::size_t buffer, int step);

    /// Lets the parts lie one after the other in `whole`, whose bytes they fill. False, and nothing is changed, where
    /// that cannot be: a part is twice among them, has a place already that does not fit, or would not be aligned.
    bool join(std::span<const std::size_t> parts, std::size_t whole);

    /// Makes the buffer be the memory of a graph output, to be kept to the end of `steps`. False where it is another's
    /// already or shares its memory.
    bool become_output(std::size_t buffer, std::size_t output, int steps);

    /// Lets steps that may work in place write where they read, if nothing else reads it later.
    void share_in_place(const std::vector<Step>& steps);

    /// Lays out the arena and makes all references of the steps final. Returns the arena's bytes.
    std::size_t resolve(std::vector<Step>& steps) const;

   private:
    struct Buffer {
        BufferLife life;
        int within = -1;         ///< the buffer in whose memory it lies
        std::size_t offset = 0;  ///< there, in bytes
        int output = -1;         ///< the graph output whose memory it is
        bool holds_parts = false;
    };
    struct Location {
        std::size_t root = 0;
        std::size_t offset = 0;
    };
    Location locate(std::size_t buffer) const;
    /// Lets every buffer that holds others live as long as they do.
    void extend_lives();
    bool may_share(const Step& step, int input, int output, int step_index) const;

    std::vector<Buffer> buffers_;
};

}  // namespace seq
