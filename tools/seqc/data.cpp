#include "tools/seqc/data.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <map>
#include <set>
#include <system_error>

#include "engine/edge_copy.hpp"
#include "frontend/io/byte_source.hpp"
#include "frontend/pictures/picture.hpp"
#include "frontend/weights/npy.hpp"
#include "frontend/weights/npz.hpp"
#include "graph/convert_tensor.hpp"
#include "tools/seqc/console.hpp"
#include "tools/seqc/status.hpp"

namespace seqc {
namespace {

using seq::DType;
using seq::Port;
using seq::Tensor;

std::string lower_extension(const std::string& path) {
    const std::size_t dot = path.rfind('.');
    std::string extension = dot == std::string::npos ? "" : path.substr(dot);
    for (char& c : extension) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return extension;
}

/// The sizes that a picture gets: symbols that nothing binds take the picture's own height, width, and 1 for the batch.
std::vector<std::int64_t> picture_sizes(const Port& port, const seq::Picture& picture, const seq::Bindings& bindings) {
    const int rank = port.type.shape.rank();
    if (rank != 3 && rank != 4)
        throw UsageError(fmt::format("input `{}` is {}: a picture needs [N, C, H, W] or [C, H, W]", port.name,
                                     port.type.shape.to_string()));
    const std::int64_t own[] = {1, picture.channels, picture.height, picture.width};
    std::vector<std::int64_t> sizes;
    for (int d = 0; d < rank; ++d) {
        const auto value = port.type.shape[d].evaluate(bindings);
        sizes.push_back(value.value_or(own[d + 4 - rank]));
    }
    return sizes;
}

Tensor read_picture_input(const std::string& path, const Port& port, const Arguments& arguments,
                          const seq::Bindings& bindings) {
    const seq::Picture picture = seq::read_picture(path);
    seq::PictureOptions options;
    if (!arguments.scale.empty()) options.scale = arguments.scale[0];
    if (!arguments.mean.empty()) options.mean = arguments.mean;
    if (!arguments.deviation.empty()) options.std = arguments.deviation;
    if (std::find(options.std.begin(), options.std.end(), 0.0) != options.std.end())
        throw UsageError("--std takes no 0");
    const std::vector<std::int64_t> sizes = picture_sizes(port, picture, bindings);
    const std::int64_t channels = sizes[sizes.size() - 3];
    for (const auto& [option, values] : {std::pair("--mean", &options.mean), std::pair("--std", &options.std)}) {
        if (values->size() != 1 && static_cast<std::int64_t>(values->size()) != channels)
            throw UsageError(fmt::format("{} gives {} values for the {} channels of input `{}`", option, values->size(),
                                         channels, port.name));
    }
    Tensor tensor = seq::allocate_tensor(port.type.dtype, sizes, fmt::format("input `{}`", port.name));
    seq::to_input(picture, options, tensor.view());
    return tensor;
}

/// NumPy makes f64 unless told otherwise: float dtypes convert into the input's, others must be the input's.
Tensor as_dtype(Tensor tensor, const Port& port, const std::string& path) {
    if (tensor.dtype() == port.type.dtype) return tensor;
    Tensor converted(port.type.dtype, tensor.sizes());
    if (!seq::convert(tensor.view(), converted.view())) {
        throw seq::Error("input/dtype", fmt::format("input `{}` is {}, but {} holds {}", port.name,
                                                    name_of(port.type.dtype), path, name_of(tensor.dtype())));
    }
    print_note(
        fmt::format("{} holds {}; it was converted to {}", path, name_of(tensor.dtype()), name_of(port.type.dtype)));
    return converted;
}

bool is_picture(const std::string& path) {
    const std::string extension = lower_extension(path);
    return extension == ".png" || extension == ".jpg" || extension == ".jpeg";
}

Tensor read_input(const std::string& path, const Port& port, const Arguments& arguments,
                  const seq::Bindings& bindings) {
    if (is_picture(path)) return read_picture_input(path, port, arguments, bindings);
    if (is_archive(path)) return as_dtype(seq::read_npz_array(path, port.name), port, path);
    return as_dtype(seq::read_npy(path), port, path);
}

std::string names_of(const std::vector<Port>& ports) {
    std::vector<std::string> names;
    for (const Port& port : ports) names.push_back("`" + port.name + "`");
    return fmt::format("{}", fmt::join(names, ", "));
}

}  // namespace

std::vector<seq::NamedTensor> NamedTensors::views() const {
    std::vector<seq::NamedTensor> views;
    for (std::size_t i = 0; i < names.size(); ++i) views.emplace_back(names[i], tensors[i].view());
    return views;
}

NamedTensors read_inputs(const Arguments& arguments, const std::vector<Port>& ports, const seq::Bindings& bindings) {
    NamedTensors inputs;
    for (const std::string& text : arguments.inputs) {
        NamedFile file = parse_named_file(text);
        const auto port = std::find_if(ports.begin(), ports.end(), [&](const Port& p) { return p.name == file.name; });
        if (port == ports.end() && (!file.name.empty() || ports.size() != 1)) {
            throw UsageError(
                file.name.empty()
                    ? fmt::format("the model has the inputs {}: say which one '{}' is, as in --input {}={}",
                                  names_of(ports), file.path, ports.front().name, file.path)
                    : fmt::format("the model has no input `{}`; it has {}", file.name, names_of(ports)));
        }
        if (file.path.empty()) throw UsageError(fmt::format("--input takes [NAME=]FILE, but gets '{}'", text));
        const Port& target = file.name.empty() ? ports.front() : *port;
        if (std::find(inputs.names.begin(), inputs.names.end(), target.name) != inputs.names.end())
            throw UsageError(fmt::format("input `{}` is given twice", target.name));
        inputs.names.push_back(target.name);
        inputs.tensors.push_back(read_input(file.path, target, arguments, bindings));
    }
    for (const Port& port : ports) {
        if (std::find(inputs.names.begin(), inputs.names.end(), port.name) == inputs.names.end())
            throw UsageError(fmt::format("input `{}` {} is not given: --input {}=FILE", port.name,
                                         port.type.shape.to_string(), port.name));
    }
    return inputs;
}

void check_picture_options(const Arguments& arguments) {
    const auto& inputs = arguments.inputs;
    if (inputs.empty() || std::any_of(inputs.begin(), inputs.end(),
                                      [](const std::string& text) { return is_picture(parse_named_file(text).path); }))
        return;
    for (const char* option : {"--scale", "--mean", "--std"}) {
        if (arguments.gives(option))
            throw UsageError(
                fmt::format("{} is for pictures (.png, .jpg), and no --input is one: the numbers in {} are "
                            "taken as they are",
                            option, parse_named_file(inputs.front()).path));
    }
}

NamedTensors random_inputs(const std::vector<Port>& ports, const seq::Bindings& bindings, std::uint64_t seed) {
    NamedTensors inputs;
    std::uint64_t state = seed;
    const auto next = [&state] {  // SplitMix64 (Steele, Lea and Flood, 2014)
        std::uint64_t z = (state += 0x9E3779B97F4A7C15u);
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
        return z ^ (z >> 31);
    };
    for (const Port& port : ports) {
        const auto sizes = port.type.shape.substitute(bindings).sizes();
        if (!sizes)
            throw seq::Error("shape/symbolic", fmt::format("input `{}` has a size that is not known", port.name));
        const bool is_float = seq::is_float(port.type.dtype);
        Tensor wide(is_float ? DType::f32 : port.type.dtype, *sizes);
        if (is_float) {
            for (float& value : wide.data<float>()) value = static_cast<float>(next() >> 40) * 0x1p-23f - 1.0f;
        }
        Tensor tensor(port.type.dtype, *sizes);
        seq::convert(wide.view(), tensor.view());
        inputs.names.push_back(port.name);
        inputs.tensors.push_back(std::move(tensor));
    }
    return inputs;
}

namespace {

/// What tells files apart: two names of one file are one.
std::string identity(const std::string& path) {
    if (path == "-") return identity("/dev/stdout");
    std::error_code error;
    const auto canonical = std::filesystem::weakly_canonical(path, error);
    return error ? path : canonical.string();
}

/// Endings that say that a file holds something else than arrays of NumPy's.
constexpr std::string_view other_endings[] = {
    ".png", ".jpg", ".jpeg", ".gif",  ".bmp",  ".webp",   ".tif", ".tiff", ".ppm",     ".pgm",   ".pdf",        ".svg",
    ".exr", ".txt", ".csv",  ".tsv",  ".json", ".yaml",   ".yml", ".xml",  ".html",    ".md",    ".log",        ".pt",
    ".pth", ".pkl", ".ckpt", ".onnx", ".pb",   ".tflite", ".h5",  ".hdf5", ".mat",     ".gguf",  ".seqx",       ".raw",
    ".wav", ".mp3", ".mp4",  ".zip",  ".tar",  ".gz",     ".xz",  ".zst",  ".parquet", ".arrow", ".safetensors"};

/// Refuses targets that would overwrite each other. An archive takes several outputs, each once.
void refuse_collisions(const std::vector<OutputTarget>& targets) {
    std::map<std::string, const OutputTarget*> files;
    std::set<std::pair<std::string, std::string>> members;
    for (const OutputTarget& target : targets) {
        if (target.path == "/dev/null") continue;
        const std::string file = identity(target.path);
        const auto [first, fresh] = files.emplace(file, &target);
        const bool repeated = !members.emplace(file, target.name).second;
        if (repeated) throw UsageError(fmt::format("--output sends `{}` to {} twice", target.name, target.path));
        if (!fresh && !is_archive(target.path))
            throw UsageError(fmt::format("--output sends both `{}` and `{}` to {}; a .npz file takes several",
                                         first->second->name, target.name, target.path));
    }
}

}  // namespace

bool is_archive(const std::string& path) { return lower_extension(path) == ".npz"; }

std::vector<OutputTarget> output_targets(const Arguments& arguments, const std::vector<std::string>& outputs) {
    std::vector<OutputTarget> targets;
    for (const std::string& text : arguments.outputs) {
        const NamedFile file = parse_named_file(text);
        if (!file.name.empty()) {
            targets.push_back({file.name, file.path});
        } else if (is_archive(file.path)) {
            for (const std::string& output : outputs) targets.push_back({output, file.path});
        } else if (outputs.size() == 1) {
            targets.push_back({outputs.front(), file.path});
        } else {
            throw UsageError(
                fmt::format("the model has the outputs {}: say which one goes to '{}', or name a .npz file for all",
                            fmt::join(outputs, ", "), file.path));
        }
        if (targets.empty() || targets.back().path.empty())
            throw UsageError(fmt::format("--output takes [NAME=]FILE, but gets '{}'", text));
    }
    refuse_collisions(targets);
    return targets;
}

void refuse_other_endings(const std::vector<OutputTarget>& targets) {
    for (const OutputTarget& target : targets) {
        const std::string ending = lower_extension(target.path);
        if (std::find(std::begin(other_endings), std::end(other_endings), ending) == std::end(other_endings)) continue;
        throw UsageError(
            fmt::format("--output {}: an output is written as .npy or into a .npz, and a file that ends in "
                        "{} is neither",
                        target.path, ending));
    }
}

}  // namespace seqc
