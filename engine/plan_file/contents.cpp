#include "engine/plan_file/contents.hpp"

#include <fmt/format.h>

#include <map>
#include <new>
#include <stdexcept>

#include "engine/kernels_version.hpp"
#include "graph/text.hpp"

namespace seq::plan_file {
namespace {

const char* name_of(DeviceKind kind) { return kind == DeviceKind::cuda ? "a GPU" : "the CPU"; }

/// Makes whatever goes wrong in `read` a damage of the file.
template <class Read>
auto guarded(const std::string& path, const char* part, Read read) {
    try {
        return read();
    } catch (const std::bad_alloc&) {
        throw;
    } catch (const std::exception& error) {
        refuse_damaged(path, fmt::format("holds no {} ({})", part, error.what()));
    }
}

/// Users' dtypes on the graph's values, which compute in f32.
std::vector<Port> ports_of(const std::vector<Value*>& values, const std::vector<std::string>& names,
                           const std::vector<DType>& dtypes) {
    if (values.size() != dtypes.size()) throw std::invalid_argument("other inputs or outputs than the graph's");
    std::vector<Port> ports;
    for (std::size_t i = 0; i < values.size(); ++i) {
        TensorType type = values[i]->type;
        if (type.dtype != dtypes[i] && !(is_float(type.dtype) && is_float(dtypes[i])))
            throw std::invalid_argument("an input or output of another dtype than the graph's");
        type.dtype = dtypes[i];
        ports.push_back({names[i], std::move(type)});
    }
    return ports;
}

std::vector<std::string> input_names(const Graph& graph) {
    std::vector<std::string> names;
    for (const Value* input : graph.inputs()) names.push_back(input->name);
    return names;
}

/// A tensor of the parameter's type over bytes of the file.
std::shared_ptr<const Tensor> plain_tensor(const Contents& contents, const Value& parameter, const Stretch& where) {
    const auto bytes = contents.container.data(where.offset, where.bytes);
    const auto sizes = parameter.type.shape.sizes();
    if (!sizes || Placed{parameter.type.dtype, *sizes, {}}.byte_count() != static_cast<std::int64_t>(bytes.size()))
        throw std::invalid_argument(fmt::format("`{}` has another size", parameter.name));
    void* const data = const_cast<std::byte*>(bytes.data());
    const auto owner = contents.container.owner();
    return {new Tensor(Tensor::over(TensorView::dense(data, parameter.type.dtype, *sizes))),
            [owner](const Tensor* tensor) { delete tensor; }};
}

void add_weights(Contents& contents) {
    std::map<std::string, const Value*> parameters;
    for (const Value* parameter : contents.graph.parameters()) parameters[parameter->name] = parameter;
    for (const StoredWeight& weight : contents.meta.weights) {
        if (weight.key.empty()) {
            const auto parameter = parameters.find(weight.name);
            if (parameter == parameters.end()) throw std::invalid_argument("a weight that the graph lacks");
            contents.weights.plain[weight.name] = plain_tensor(contents, *parameter->second, weight.where);
        } else {
            const auto bytes = contents.container.data(weight.where.offset, weight.where.bytes);
            if (contents.serves)
                contents.weights.packed[{weight.name, weight.key}] = {contents.container.owner(), bytes.data(),
                                                                      bytes.size()};
        }
    }
    contents.weights.extreme = contents.meta.extreme;
}

}  // namespace

std::shared_ptr<Contents> open_contents(const std::string& path, const std::optional<Device>& device,
                                        FindBackend find_backend) {
    auto contents = std::make_shared<Contents>(path);
    contents->meta = guarded(path, "description", [&] { return parse_meta(contents->container.text(Section::meta)); });
    const Meta& meta = contents->meta;
    contents->device = device.value_or(Device{meta.device, 0});
    if (contents->device.kind != meta.device)
        throw Error("spec/value", fmt::format("{} was compiled for {}, and is to run on {}: compile its model for that",
                                              path, name_of(meta.device), name_of(contents->device.kind)));
    try {
        contents->backend = &find_backend(contents->device);
    } catch (const Error& error) {
        if (error.code() != "device/unavailable") throw;
        contents->missing = error.what();
        return contents;
    }
    const Backend& backend = *contents->backend;
    const bool same_kernels = meta.version == kernels_version(backend);
    contents->native = same_kernels && meta.machine == backend.identity();
    contents->serves = contents->native || (same_kernels && backend.choices_travel);
    return contents;
}

void read_graph(Contents& contents) {
    const std::string& path = contents.path;
    contents.graph = guarded(path, "graph", [&] { return parse_graph(contents.container.text(Section::graph)); });
    guarded(path, "weights that fit its graph", [&] {
        contents.inputs = ports_of(contents.graph.inputs(), input_names(contents.graph), contents.meta.inputs);
        contents.outputs = ports_of(contents.graph.outputs(), contents.graph.output_names(), contents.meta.outputs);
        add_weights(contents);
        for (const StoredBuild& build : contents.meta.builds)
            contents.builds.builds[build.key] = contents.container.data(build.where.offset, build.where.bytes);
    });
}

void require_device(const Contents& contents) {
    if (contents.backend != nullptr) return;
    if (contents.meta.device == DeviceKind::cpu)
        throw Error("device/unavailable", fmt::format("{} was compiled for {}, and {}", contents.path,
                                                      contents.meta.machine, contents.missing));
    throw Error("device/unavailable",
                fmt::format("{} was compiled for a GPU ({}), and {}: compile its model with --device cpu",
                            contents.path, contents.meta.machine, contents.missing));
}

std::shared_ptr<const Contents> read_contents(std::shared_ptr<Contents> opened) {
    require_device(*opened);
    if (const std::string ours = kernels_version(*opened->backend); opened->meta.version != ours)
        throw Error("plan/version", fmt::format("{} was written by {}, and this is {}: compile it again", opened->path,
                                                opened->meta.version, ours));
    read_graph(*opened);
    return opened;
}

void require_dtype(const Contents& contents) {
    const MathMode dtype = contents.meta.options.dtype;
    if (const std::string reason = contents.backend->lacks(dtype); !reason.empty())
        throw Error("dtype/unavailable", fmt::format("{} was compiled with --dtype {}, and {}: compile its model with "
                                                     "--dtype f32",
                                                     contents.path, name_of(dtype), reason));
}

void require_usable(const Contents& contents) {
    if (contents.serves || contents.meta.portable) return;
    throw Error("plan/machine", fmt::format("{} was compiled for {}, and this is {}: compile it here, or there "
                                            "with --portable",
                                            contents.path, contents.meta.machine, contents.backend->identity()));
}

}  // namespace seq::plan_file
