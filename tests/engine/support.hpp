#pragma once

#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <vector>

#include "engine/compile.hpp"
#include "engine/session.hpp"
#include "engine/slicing.hpp"
#include "graph/ir.hpp"

namespace seq::tests {

struct NamedArray {
    std::string name;
    Tensor tensor;
};

/// A model, inputs, and what PyTorch gave for them.
struct Golden {
    std::string name;
    Graph graph;
    std::shared_ptr<const WeightSource> weights;
    std::vector<NamedArray> inputs;
    std::vector<NamedArray> outputs;
};

/// The names of tests/data/goldens.
std::vector<std::string> golden_names();
Golden load_golden(const std::string& name);

/// The single layers of tests/data/goldens_more, each as a model of its own.
std::vector<Golden> load_more_goldens(const std::string& family);
std::vector<std::string> more_families();

/// One Linear "fc" from x: [N, 6] to [N, 3], as JSON.
inline constexpr const char* linear =
    R"({"seq": 1, "inputs": {"x": ["N", 6]}, "layers": [{"type": "Linear", "name": "fc", "out_features": 3}]})";

/// The graph of a model without errors, given as JSON.
Graph graph_of(const std::string& spec);

/// Compiles with random weights.
Executable build(const Graph& graph, CompileOptions options = {});

/// Options that measure; the times are kept in the file at `timing_cache`, where that is not empty. `threads` 0: as
/// many as the process may use.
CompileOptions measuring(const std::string& timing_cache = {}, int threads = 0);

/// Numbers of [0.31, 1.31).
Tensor filled(std::initializer_list<std::int64_t> sizes, float seed);

/// The code of the seq::Error that `call` throws; empty where it throws none.
std::string code_of(const std::function<void()>& call);

std::vector<NamedTensor> views(const std::vector<NamedArray>& arrays);

/// Runs the model on the golden's inputs and gives the outputs in the golden's order; values that are no outputs are
/// tapped.
std::vector<NamedArray> run(const Golden& golden, CompileOptions options);

/// Runs and requires every output to be within 1e-4 of the largest magnitude of PyTorch's.
void check_golden(const Golden& golden, const CompileOptions& options);

/// Makes a timing cache say that batches are computed so. Returns how many it knows.
int choose_slicing(const std::string& path, const Slicing& slicing);

std::string data_path(const std::string& name);

/// The path of a file in the system's folder for temporary ones, of this process alone; it is gone with the object.
struct ScratchFile {
    std::string path;
    explicit ScratchFile(const std::string& name);
    ~ScratchFile();
    ScratchFile(const ScratchFile&) = delete;
    ScratchFile& operator=(const ScratchFile&) = delete;
};

}  // namespace seq::tests
