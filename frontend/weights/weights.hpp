#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "graph/tensor.hpp"

namespace seq {

/// Opens a .safetensors or .npz file, told apart by content, and checks all of it but the numbers, which are read when
/// they are asked for. Throws Error with code weights/path where `path` names no regular file, weights/file where it
/// is missing, unreadable or wrong: a BuildError with a diagnostic for each problem.
std::shared_ptr<WeightSource> load_weights(const std::string& path);

/// The path of the weights that a spec in the folder `spec_folder` names ("" is the current one). Throws Error
/// weights/path where it is empty or absolute, leads out of the folder, by .. or by a symbolic link, or is no regular
/// file; weights/file where it is missing.
std::string resolve_weight_path(const std::string& spec_folder, std::string_view relative);

}  // namespace seq
