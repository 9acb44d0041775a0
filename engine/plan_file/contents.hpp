#pragma once

#include <memory>
#include <string>
#include <vector>

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
    /// The machine is the one that the plans were compiled for; else they are to be made anew.
    bool native = false;
};

/// What the file says of itself, without graph, ports and weights, whatever machine and version of seq it is for.
/// Throws Error plan/file, plan/damaged.
std::shared_ptr<Contents> open_contents(const std::string& path, const Backend& backend);

/// Reads graph, ports and weights of a file that this version of seq wrote. Throws Error plan/damaged.
void read_graph(Contents& contents);

/// The rest of it, whatever machine the file is for. Throws Error plan/damaged, plan/version.
std::shared_ptr<const Contents> read_contents(std::shared_ptr<Contents> opened, const Backend& backend);

/// Throws Error dtype/unavailable where they compute in a dtype that the machine lacks, so that plans made anew would
/// not serve either.
void require_dtype(const Contents& contents, const Backend& backend);

/// Throws Error plan/machine where they are for another machine than `machine` and not portable.
void require_usable(const Contents& contents, const std::string& machine);

}  // namespace seq::plan_file
