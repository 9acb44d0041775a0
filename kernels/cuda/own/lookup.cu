#include "kernels/cuda/own/launch.hpp"
#include "kernels/cuda/own/lookup_walk.hpp"

namespace seq::cuda::own {
namespace {

template <class T>
struct LookupBody {
    LookupWalk walk;

    SEQ_BODY void operator()(std::int64_t position) const {
        std::int64_t at = position;
        const std::int64_t column = walk.width.split_off(at);
        const std::int64_t row = walk.narrow_numbers ? static_cast<const std::int32_t*>(walk.numbers)[at]
                                                     : static_cast<const std::int64_t*>(walk.numbers)[at];
        const bool is_there = row >= 0 && row < walk.rows;
        if (!is_there && column == 0) report(at, row);
        store_one(static_cast<T*>(walk.target) + position, is_there ? walk.table[row * walk.width.size + column] : NAN);
    }

    SEQ_BODY void report(std::int64_t position, std::int64_t row) const {
        if (walk.fault == nullptr || !claim(&walk.fault->finder, walk.finder)) return;
        walk.fault->position = position;
        walk.fault->value = row;
    }
};

}  // namespace

void launch_lookup(DeviceQueue& queue, const LookupWalk& walk, std::int64_t count) {
    with_storage(walk.storage, [&](auto element) { each_element(queue, count, LookupBody<decltype(element)>{walk}); });
}

}  // namespace seq::cuda::own
