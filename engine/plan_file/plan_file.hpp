#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "engine/build_store.hpp"
#include "engine/executable.hpp"

namespace seq {

/// From what model a plan was compiled, for who finds it beside the file; paths are relative to the file's folder.
struct PlanSource {
    std::string model;
    std::string weights;  ///< empty: those that the model names
    std::optional<std::uint64_t> random_weights;
};

struct SaveOptions {
    /// For which values of the symbols plans are stored; empty where the model has no symbols.
    std::vector<Bindings> bindings{};
    /// Keeps the plain weights too, from which plans are made anew on another machine or for other sizes.
    bool portable = false;
    PlanSource source{};
};

/// What a file of a plan says of itself.
struct PlanFileInfo {
    std::string version;  ///< of seq and its kernels, as kernels_version() has it
    std::string machine;  ///< Backend::identity() where it was compiled
    DeviceKind device = DeviceKind::cpu;
    ComputeOptions options;
    bool portable = false;
    /// Whether its plans serve on this machine as they are.
    bool native = false;
    /// The symbols' values that it has plans for, and how many kernels each plan runs.
    std::vector<Bindings> bindings;
    std::vector<std::size_t> steps;
    std::vector<Port> inputs;
    std::vector<Port> outputs;
    /// Bytes of weights in the file: as the plans' kernels read them, and as the model has them.
    std::uint64_t packed_bytes = 0;
    std::uint64_t plain_bytes = 0;
    /// Bytes of code for a GPU in it (LoadOptions::trust_code).
    std::uint64_t code_bytes = 0;
    PlanSource source;
};

struct LoadOptions {
    /// 0: as many as it was compiled for. Not more than the process may use.
    int threads = 0;
    std::size_t plan_cache_bytes = std::size_t{1} << 30;
    /// As CompileOptions::memory_limit.
    std::size_t memory_limit = 0;
    /// Called where the file's plans do not serve here as they are, with the reason and what is done instead: where it
    /// is loaded, and where a plan is made of which some of the kernels that were chosen are not here.
    std::function<void(const std::string& reason)> on_planned_anew{};
    /// Whether code that the file holds is run: what cuDNN compiled for a GPU, which nothing can check. For files of
    /// those whom you would trust with a program; what is not taken from the file is compiled anew.
    bool trust_code = false;
    /// As CompileOptions::build_cache.
    std::string build_cache = BuildFolder::default_path();
    /// Where it runs; nullopt: the first device of the kind that it was compiled for.
    std::optional<Device> device{};
};

/// Writes the plans with their weights and a test vector for each into a file that load_compiled maps. The file is
/// written whole or not at all, and is the same for the same model, weights, options, machine and timing cache.
/// Throws seq::Error: io/write; shape/symbolic where bindings lack a symbol or are none; and as Executable::plan.
void save_compiled(const Executable& executable, const std::string& path, const SaveOptions& options = {});

/// Maps the file, checks all of it, and makes its plans ready without measuring or packing. The file may be replaced
/// by renaming another over it while it is in use, and must not be written in place.
/// Throws seq::Error: plan/file where it cannot be read; plan/damaged where it is no plan, or not as it was written;
/// plan/version where another version of seq wrote it; plan/machine where it was compiled for another machine, or
/// other threads, does not serve here and is not portable (plans of GPUs serve on others where the kernels that are
/// there take the same weights); dtype/unavailable where it computes in bf16 and the machine does not;
/// spec/value where LoadOptions::device is of another kind; shape/limit. A run with other values of the symbols than
/// those stored makes a plan where the file is portable, and else throws plan/binding.
Executable load_compiled(const std::string& path, const LoadOptions& options = {});

/// The same check of the file, and what it says of itself, whatever machine it is for. Where another version of seq
/// wrote it, that has no inputs and outputs. Throws plan/file and plan/damaged.
PlanFileInfo describe_compiled(const std::string& path);

/// Whether the file begins as save_compiled's do; false also where it cannot be read.
bool is_compiled(const std::string& path);

/// The values of the symbols that the file had plans for; one, empty, where there are no symbols. None where the
/// executable was not loaded.
std::vector<Bindings> stored_bindings(const Executable& executable);

/// How far the outputs for the file's test vectors are from those stored, relative to the largest magnitude, for each
/// of stored_bindings: 0 on the machine and with the threads that it was compiled for.
std::vector<double> replay_test_vectors(const Executable& executable);

/// The same of a file's test vectors, whatever machine it is for, on an executable that was made in another way.
/// Infinite where its inputs or outputs are not those of the file.
std::vector<double> replay_test_vectors(const Executable& executable, const std::string& path);

}  // namespace seq
