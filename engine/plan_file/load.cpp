#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "engine/compiled_model.hpp"
#include "engine/kernels_version.hpp"
#include "engine/plan_file/contents.hpp"
#include "engine/plan_file/plan_file.hpp"
#include "engine/reference_run.hpp"
#include "engine/session.hpp"

namespace seq {
namespace {

using namespace plan_file;

std::vector<Bindings> bindings_of(const Meta& meta) {
    std::vector<Bindings> bindings;
    for (const PlanRecord& plan : meta.plans) bindings.push_back(plan.bindings);
    return bindings;
}

/// Tensors of the ports at those values of the symbols, over bytes of the file.
std::vector<TensorView> views_of(const Contents& contents, const std::vector<Port>& ports, const Bindings& bindings,
                                 const std::vector<Stretch>& stretches) {
    if (stretches.size() != ports.size()) refuse_damaged(contents.path, "has a broken test vector");
    std::vector<TensorView> views;
    for (std::size_t i = 0; i < ports.size(); ++i) {
        const auto bytes = contents.container.data(stretches[i].offset, stretches[i].bytes);
        const auto sizes = ports[i].type.shape.substitute(bindings).sizes();
        if (!sizes || Placed{ports[i].type.dtype, *sizes, {}}.byte_count() != static_cast<std::int64_t>(bytes.size()))
            refuse_damaged(contents.path, "has a test vector of another size than the model's");
        views.push_back(TensorView::dense(const_cast<std::byte*>(bytes.data()), ports[i].type.dtype, *sizes));
    }
    return views;
}

std::vector<NamedTensor> named(const std::vector<Port>& ports, const std::vector<TensorView>& views) {
    std::vector<NamedTensor> named;
    for (std::size_t i = 0; i < ports.size(); ++i) named.emplace_back(ports[i].name, views[i]);
    return named;
}

double replay(Session& session, const Contents& contents, const Bindings& bindings, const StoredVector& vector) {
    const auto inputs = views_of(contents, contents.inputs, bindings, vector.inputs);
    const auto expected = views_of(contents, contents.outputs, bindings, vector.outputs);
    std::vector<Tensor> actual;
    for (const TensorView& view : expected) actual.emplace_back(view.dtype, view.sizes());
    const std::vector<TensorView> outputs(actual.begin(), actual.end());
    session.run(named(contents.inputs, inputs), named(contents.outputs, outputs));
    double difference = 0;
    for (std::size_t i = 0; i < expected.size(); ++i)
        difference = std::max(difference, relative_difference(actual[i], expected[i]));
    return difference;
}

std::vector<double> replay_all(const Executable& executable, const Contents& contents) {
    const Meta& meta = contents.meta;
    if (meta.vectors.size() != meta.plans.size()) refuse_damaged(contents.path, "lacks test vectors");
    Session session = executable.session();
    std::vector<double> differences;
    for (std::size_t i = 0; i < meta.plans.size(); ++i)
        differences.push_back(replay(session, contents, meta.plans[i].bindings, meta.vectors[i]));
    return differences;
}

bool same_ports(const std::vector<Port>& a, const std::vector<Port>& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [](const Port& x, const Port& y) { return x.name == y.name && x.type == y.type; });
}

}  // namespace

Executable load_compiled(const std::string& path, const LoadOptions& options) {
    auto opened = open_contents(path, options.device);
    require_device(*opened);
    require_dtype(*opened);
    auto contents = read_contents(std::move(opened));
    require_usable(*contents);
    if (!contents->native && options.on_planned_anew)
        options.on_planned_anew(fmt::format(
            "{} was compiled for {}; its plans are made anew {}", path, contents->meta.machine,
            contents->serves ? "by the names of what they run" : "from the weights in it, without measuring"));
    return Executable(std::make_shared<CompiledModel>(std::move(contents), options));
}

PlanFileInfo describe_compiled(const std::string& path) {
    const auto contents = open_contents(path);
    const Meta& meta = contents->meta;
    PlanFileInfo info;
    info.version = meta.version;
    info.machine = meta.machine;
    info.device = meta.device;
    info.options = meta.options;
    info.portable = meta.portable;
    info.native = contents->native;
    info.bindings = bindings_of(meta);
    for (const PlanRecord& plan : meta.plans) info.steps.push_back(plan.units.size() + plan.slice_units.size());
    for (const StoredWeight& weight : meta.weights)
        (weight.key.empty() ? info.plain_bytes : info.packed_bytes) += weight.where.bytes;
    for (const StoredBuild& build : meta.builds) info.code_bytes += build.where.bytes;
    info.source = meta.source;
    if (contents->backend == nullptr || meta.version != kernels_version(*contents->backend)) return info;
    read_graph(*contents);
    info.inputs = contents->inputs;
    info.outputs = contents->outputs;
    return info;
}

bool is_compiled(const std::string& path) { return begins_as_plan(path); }

std::vector<Bindings> stored_bindings(const Executable& executable) {
    const Contents* contents = executable.model().contents();
    return contents == nullptr ? std::vector<Bindings>() : bindings_of(contents->meta);
}

std::vector<double> replay_test_vectors(const Executable& executable) {
    const Contents* contents = executable.model().contents();
    return contents == nullptr ? std::vector<double>() : replay_all(executable, *contents);
}

std::vector<double> replay_test_vectors(const Executable& executable, const std::string& path) {
    const auto contents = read_contents(open_contents(path));
    if (same_ports(executable.inputs(), contents->inputs) && same_ports(executable.outputs(), contents->outputs))
        return replay_all(executable, *contents);
    return std::vector<double>(contents->meta.plans.size(), std::numeric_limits<double>::infinity());
}

}  // namespace seq
