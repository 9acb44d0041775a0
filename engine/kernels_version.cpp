#include "engine/kernels_version.hpp"

#include <fmt/format.h>

#include <cstdint>
#include <string_view>

namespace seq {
namespace {

/// Raised whenever kernels change so that old times mislead, or pack weights otherwise under the same key.
constexpr int kernels_revision = 5;

}  // namespace

std::string kernels_version(const Backend& backend) {
    // FNV-1a (Fowler, Noll and Vo).
    std::uint64_t hash = 0xcbf29ce484222325u;
    const auto add = [&](std::string_view name) {
        for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
        hash *= 0x100000001b3u;
    };
    for (const Kernel* kernel : *backend.kernels) add(kernel->name());
    for (const GroupKernel* kernel : *backend.groups) add(kernel->name());
    return fmt::format("seq {}, kernels {:08x}.{}", SEQ_VERSION, hash >> 32, kernels_revision);
}

}  // namespace seq
