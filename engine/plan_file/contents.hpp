#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/build_store.hpp"
#include "engine/devices.hpp"
#include "engine/plan_file/container.hpp"
#include "engine/plan_file/meta.hpp"
#include "engine/weight_store.hpp"

namespace seq::plan_file {

/// A file that was read and found sound; numbers stay where they are mapped.
struct Contents {
    explicit Contents(const std::string& path) : path(path), container(path) {}

    std::string path;
    Container container;
    Meta meta;
    Graph graph;
    std::vector<Port> inputs;
    std::vector<Port> outputs;
    StoredWeights weights;
    StoredBuilds builds;
    /// Where it is to run: of the kind that it was compiled for.
    Device device;
    /// Of the device; nullptr, and why, where this machine has none.
    const Backend* backend = nullptr;
    std::string missing;
    /// The machine is the one that the plans were compiled for.
    bool native = false;
    /// What was chosen for the plans serves here, with the packed weights; else they are to be made anew.
    bool serves = false;
};

using FindBackend = const Backend& (*)(const Device& device);

/// What the file says of itself, without graph, ports and weights, whatever machine and version of seq it is for.
/// `device`: where it is to run; nullopt: the first of the kind that it was compiled for. `find_backend` may throw
/// Error device/unavailable. Throws Error plan/file, plan/damaged; spec/value where the device is of another kind.
std::shared_ptr<Contents> open_contents(const std::string& path, const std::optional<Device>& device = {},
                                        FindBackend find_backend = backend_of);

/// Throws Error device/unavailable where this machine has no device such as it was compiled for.
void require_device(const Contents& contents);

/// Reads graph, ports and weights of a file that this version of seq wrote. Throws Error plan/damaged.
void read_graph(Contents& contents);

/// The rest of it, whatever machine the file is for, with a device such as it was compiled for. Throws Error
/// plan/damaged, plan/version, device/unavailable.
std::shared_ptr<const Contents> read_contents(std::shared_ptr<Contents> opened);

/// Throws Error dtype/unavailable where they compute in a dtype that the machine lacks, so that plans made anew would
/// not serve either.
void require_dtype(const Contents& contents);

/// Throws Error plan/machine where what was chosen for them does not serve here and they are not portable.
void require_usable(const Contents& contents);

}  // namespace seq::plan_file
