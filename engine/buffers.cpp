#include "engine/buffers.hpp"

#include <algorithm>
#include <map>

namespace seq {
namespace {

using Kind = BufferRef::Kind;

}  // namespace

std::size_t BufferTable::add(const Placed& value) {
    Buffer buffer;
    buffer.life.bytes = static_cast<std::size_t>(value.byte_count());
    buffers_.push_back(buffer);
    return buffers_.size() - 1;
}

void BufferTable::read(std::size_t buffer, int step) {
    BufferLife& life = buffers_[buffer].life;
    life.last = std::max(life.last, step);
}

BufferTable::Location BufferTable::locate(std::size_t buffer) const {
    Location location{buffer, 0};
    while (buffers_[location.root].within >= 0) {
        location.offset += buffers_[location.root].offset;
        location.root = static_cast<std::size_t>(buffers_[location.root].within);
    }
    return location;
}

bool BufferTable::join(std::span<const std::size_t> parts, std::size_t whole) {
    struct Place {
        std::size_t offset = 0;  // of the root within `whole`
        std::size_t filled = 0;  // bytes of the root that parts account for
    };
    std::map<std::size_t, Place> roots;
    std::size_t at = 0;
    for (std::size_t i = 0; i < parts.size(); ++i) {
        const Location location = locate(parts[i]);
        const Buffer& root = buffers_[location.root];
        const bool twice = std::find(parts.begin(), parts.begin() + static_cast<std::ptrdiff_t>(i), parts[i]) !=
                           parts.begin() + static_cast<std::ptrdiff_t>(i);
        if (twice || root.output >= 0 || location.offset > at || at % arena_alignment != 0) return false;
        const auto [place, is_new] = roots.try_emplace(location.root, Place{at - location.offset, 0});
        if (!is_new && place->second.offset != at - location.offset) return false;
        place->second.filled += buffers_[parts[i]].life.bytes;
        at += buffers_[parts[i]].life.bytes;
    }
    const bool filled = std::all_of(roots.begin(), roots.end(), [&](const auto& root) {
        return root.second.filled == buffers_[root.first].life.bytes && root.second.offset % arena_alignment == 0;
    });
    if (!filled || at != buffers_[whole].life.bytes) return false;
    for (const auto& [root, place] : roots) {
        buffers_[root].within = static_cast<int>(whole);
        buffers_[root].offset = place.offset;
    }
    buffers_[whole].holds_parts = true;
    return true;
}

bool BufferTable::become_output(std::size_t buffer, std::size_t output, int steps) {
    Buffer& own = buffers_[buffer];
    if (own.output >= 0 || own.within >= 0 || own.holds_parts) return false;
    own.output = static_cast<int>(output);
    own.life.last = steps;
    return true;
}

void BufferTable::extend_lives() {
    for (std::size_t b = 0; b < buffers_.size(); ++b) {
        const BufferLife life = buffers_[b].life;
        const bool written = !buffers_[b].holds_parts;
        for (int within = buffers_[b].within; within >= 0; within = buffers_[static_cast<std::size_t>(within)].within) {
            BufferLife& outer = buffers_[static_cast<std::size_t>(within)].life;
            if (written) outer.first = std::min(outer.first, life.first);
            outer.last = std::max(outer.last, life.last);
        }
    }
}

bool BufferTable::may_share(const Step& step, int input, int output, int step_index) const {
    const BufferRef& in = step.inputs[static_cast<std::size_t>(input)];
    const BufferRef& out = step.outputs[static_cast<std::size_t>(output)];
    if (in.kind != Kind::arena || out.kind != Kind::arena) return false;
    const Location source = locate(in.offset);
    const Buffer& from = buffers_[source.root];
    const Buffer& to = buffers_[out.offset];
    if (to.within >= 0 || from.output >= 0 || from.life.last != step_index || from.life.bytes != to.life.bytes)
        return false;
    if (to.output >= 0 && from.holds_parts) return false;  // references to outputs have no offsets within them
    for (std::size_t i = 0; i < step.inputs.size(); ++i) {
        if (static_cast<int>(i) == input || step.inputs[i].kind != Kind::arena) continue;
        if (locate(step.inputs[i].offset).root == source.root) return false;
    }
    return true;
}

void BufferTable::share_in_place(const std::vector<Step>& steps) {
    extend_lives();
    for (std::size_t s = 0; s < steps.size(); ++s) {
        const Step& step = steps[s];
        for (const auto& [input, output] : step.kernel->in_place) {
            if (!may_share(step, input, output, static_cast<int>(s))) continue;
            const std::size_t source = locate(step.inputs[static_cast<std::size_t>(input)].offset).root;
            Buffer& target = buffers_[step.outputs[static_cast<std::size_t>(output)].offset];
            target.within = static_cast<int>(source);
            buffers_[source].life.last = target.life.last;
            buffers_[source].output = target.output;
            break;
        }
    }
}

std::size_t BufferTable::resolve(std::vector<Step>& steps) const {
    std::vector<BufferLife> lives;
    std::vector<std::size_t> slot(buffers_.size());
    for (std::size_t b = 0; b < buffers_.size(); ++b) {
        if (buffers_[b].within >= 0 || buffers_[b].output >= 0) continue;
        slot[b] = lives.size();
        lives.push_back(buffers_[b].life);
    }
    const MemoryPlan memory = plan_memory(lives);
    const auto fix = [&](BufferRef& ref) {
        if (ref.kind != Kind::arena) return;
        const Location location = locate(ref.offset);
        const Buffer& root = buffers_[location.root];
        if (root.output >= 0) {
            ref = {Kind::output, static_cast<std::size_t>(root.output), nullptr};
        } else {
            ref.offset = memory.offsets[slot[location.root]] + location.offset;
        }
    };
    for (Step& step : steps) {
        for (BufferRef& ref : step.inputs) fix(ref);
        for (BufferRef& ref : step.outputs) fix(ref);
    }
    return memory.arena_bytes;
}

}  // namespace seq
