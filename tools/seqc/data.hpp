#pragma once

#include <string>
#include <vector>

#include "engine/session.hpp"
#include "tools/seqc/arguments.hpp"

namespace seqc {

/// Tensors by the names of the model's inputs or outputs.
struct NamedTensors {
    std::vector<std::string> names;
    std::vector<seq::Tensor> tensors;
    std::vector<seq::NamedTensor> views() const;
};

/// Reads what --input names, as the model's inputs want it. Throws UsageError where an input is given twice, is not
/// given or not known; seq::Error where a file is wrong.
NamedTensors read_inputs(const Arguments& arguments, const std::vector<seq::Port>& ports,
                         const seq::Bindings& bindings);

/// Refuses --scale, --mean and --std where no --input is a picture. Throws UsageError.
void check_picture_options(const Arguments& arguments);

/// Random numbers for every input at these values of the symbols; indices of embeddings stay small.
NamedTensors random_inputs(const std::vector<seq::Port>& ports, const seq::Bindings& bindings, std::uint64_t seed);

/// Where the outputs of a run go.
struct OutputTarget {
    std::string name;
    std::string path;
};
/// Whether a file of this name takes several arrays.
bool is_archive(const std::string& path);
/// What --output asks for: names that are no outputs are values to tap. Throws UsageError where one file is to take
/// what it cannot.
std::vector<OutputTarget> output_targets(const Arguments& arguments, const std::vector<std::string>& outputs);
/// Refuses files whose ending says that they are something else than arrays. Throws UsageError.
void refuse_other_endings(const std::vector<OutputTarget>& targets);

}  // namespace seqc
