#include "engine/kernels_version.hpp"

#include <fmt/format.h>

#include "graph/fnv1a.hpp"

namespace seq {
namespace {

/// Raised whenever kernels change so that old times mislead, or pack weights otherwise under the same key.
constexpr int kernels_revision = 9;

}  // namespace

std::string kernels_version(const Backend& backend) {
    std::string names;
    for (const Kernel* kernel : *backend.kernels) (names += kernel->name()) += '\0';
    for (const GroupKernel* kernel : *backend.groups) (names += kernel->name()) += '\0';
    return fmt::format("seq {}, kernels {:08x}.{}", SEQ_VERSION, fnv1a(names) >> 32, kernels_revision);
}

}  // namespace seq
