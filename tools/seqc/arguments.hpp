#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "graph/dim.hpp"
#include "graph/tensor.hpp"

namespace seqc {

/// What stands on the command line, checked for form only.
struct Arguments {
    std::string spec;
    std::string layer;
    std::string output_file;  ///< -o
    bool in_place = false;
    bool portable = false;
    bool trust_code = false;
    std::vector<std::string> shapes;    ///< --shape x=32,3,64,64
    std::vector<std::string> settings;  ///< --set N=32
    std::vector<std::string> inputs;    ///< --input x=FILE
    std::vector<std::string> outputs;   ///< --output y=FILE
    std::vector<double> scale;
    std::vector<double> mean;
    std::vector<double> deviation;
    std::string device = "cpu";
    std::string dtype = "f32";
    std::string numerics = "default";
    std::string passes = "all";
    std::string tune;          ///< empty: as the command is used to
    std::string timing_cache;  ///< empty: the user's
    int threads = 0;
    std::size_t memory_limit = 0;  ///< bytes; 0: what the process may use
    std::string weights;
    std::optional<std::uint64_t> random_weights;
    std::string format = "text";
    std::string color = "auto";
    bool quiet = false;
    std::string stage = "graph";
    double duration = 3;
    int sessions = 1;
    double tolerance = 0;
    int top = 0;
    std::set<std::string> given;  ///< the names of the options that stand on the command line

    bool gives(const std::string& option) const { return given.contains(option); }
    bool json() const { return format == "json"; }
};

inline constexpr const char* no_limit_on_gpus =
    "--memory-limit counts the host's memory, and what runs on a GPU lies in the GPU's";

/// "cpu", "cuda", or "cuda:1" for the second GPU; nullopt for anything else.
std::optional<seq::Device> parse_device(std::string_view text);
std::string device_text(const seq::Device& device);

/// "N=32" and the like as bindings. Throws UsageError.
seq::Bindings parse_settings(const std::vector<std::string>& settings);

/// "x=32,3,64,64": an input's sizes, each positive or a symbol. Throws UsageError.
std::map<std::string, std::vector<std::string>> parse_shapes(const std::vector<std::string>& shapes);

/// "x=FILE" or "FILE".
struct NamedFile {
    std::string name;
    std::string path;
};
NamedFile parse_named_file(const std::string& text);

}  // namespace seqc
