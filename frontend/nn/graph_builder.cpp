#include "frontend/nn/graph_builder.hpp"

#include <fmt/format.h>

#include <map>
#include <set>
#include <stdexcept>

#include "frontend/check.hpp"
#include "frontend/definition.hpp"
#include "frontend/nn/build.hpp"

namespace seq {

struct GraphBuilder::State {
    std::vector<InputSpec> inputs;
    nn::BuildOptions options;
    /// Layers by name, and whether one was applied already: then it is shared.
    std::map<std::string, nn::Module> layers;
    std::set<std::string> applied;
    std::set<std::string> names;
    std::vector<LayerDefinition> calls;

    void take_name(const std::string& name) {
        if (!names.insert(name).second) throw Error("spec/duplicate-name", fmt::format("the name `{}` is taken", name));
    }
};

GraphBuilder::GraphBuilder(std::string name) : state_(std::make_unique<State>()) {
    state_->options.name = std::move(name);
}
GraphBuilder::~GraphBuilder() = default;

Variable GraphBuilder::input(std::string name, std::initializer_list<DimSpec> dims, DType dtype,
                             std::source_location where) {
    state_->take_name(name);
    state_->inputs.emplace_back(name, dims, dtype, where);
    return {this, std::move(name)};
}

void GraphBuilder::range(const std::string& symbol, SymbolRange range) { state_->options.ranges[symbol] = range; }

Callable GraphBuilder::layer(std::string name, nn::Module module) {
    state_->take_name(name);
    state_->layers.emplace(name, std::move(module));
    return {this, std::move(name)};
}

CallableList GraphBuilder::layers(const std::string& name, const nn::ModuleList& list) {
    CallableList result;
    for (std::size_t i = 0; i < list.size(); ++i) {
        const std::string index = std::to_string(i);
        const nn::Module& module = list[static_cast<std::ptrdiff_t>(i)];
        result.layers_.emplace_back(index, layer(name + "." + index, module));
    }
    return result;
}

CallableList GraphBuilder::layers(const std::string& name, const nn::ModuleDict& dict) {
    CallableList result;
    for (const auto& [key, module] : dict) result.layers_.emplace_back(key, layer(name + "." + key, module));
    return result;
}

std::string GraphBuilder::unused_name(std::string wish) const {
    if (!state_->names.contains(wish)) return wish;
    int number = 2;
    while (state_->names.contains(fmt::format("{}_{}", wish, number))) ++number;
    return fmt::format("{}_{}", wish, number);
}

Variable GraphBuilder::apply(const std::string& layer, std::span<const Variable> inputs) {
    LayerDefinition call = state_->layers.at(layer).definition();
    call.name = layer;
    if (!state_->applied.insert(layer).second) {
        const SourceSpan where = call.where;
        call = LayerDefinition{};
        call.kind = LayerDefinition::Kind::share;
        call.target = layer;
        call.where = where;
        call.name = unused_name(layer);
        state_->take_name(call.name);
    }
    call.named = true;
    call.name_is_path = true;
    call.has_from = true;
    for (const Variable& input : inputs) {
        if (input.builder_ != this) throw std::logic_error("a value of another GraphBuilder");
        call.from.push_back({input.name_});
    }
    state_->calls.push_back(std::move(call));
    return {this, state_->calls.back().name};
}

Variable GraphBuilder::call(std::string name, nn::Module module, std::initializer_list<Variable> inputs) {
    return layer(std::move(name), std::move(module))(inputs);
}

Variable GraphBuilder::call(std::string name, nn::Module module, const Variable& input) {
    return call(std::move(name), std::move(module), {input});
}

Variable GraphBuilder::call(nn::Module module, std::initializer_list<Variable> inputs) {
    return call(unused_name(std::to_string(state_->calls.size())), std::move(module), inputs);
}

Variable GraphBuilder::call(nn::Module module, const Variable& input) { return call(std::move(module), {input}); }

void GraphBuilder::output(const Variable& value) { state_->options.outputs.push_back(value.name()); }

Definition GraphBuilder::definition(std::source_location where) const {
    Definition definition = nn::define_inputs(state_->inputs, state_->options, where);
    definition.layers = state_->calls;
    return definition;
}

std::vector<Diagnostic> GraphBuilder::check(std::source_location where) const {
    return check_definition(definition(where)).diagnostics;
}

Graph GraphBuilder::lower(std::source_location where) const { return nn::build_graph(definition(where)); }

Variable Callable::operator()(const Variable& input) const { return (*this)({input}); }

Variable Callable::operator()(std::initializer_list<Variable> inputs) const {
    return builder_->apply(name_, {inputs.begin(), inputs.size()});
}

const Callable& CallableList::operator[](std::string_view name) const {
    for (const auto& [key, layer] : layers_) {
        if (key == name) return layer;
    }
    throw std::out_of_range(fmt::format("there is no layer `{}` here", name));
}

Variable Variable::operator[](int index) const { return {builder_, fmt::format("{}.{}", name_, index)}; }
Variable operator+(const Variable& a, const Variable& b) { return a.builder_->call(nn::Add{}, {a, b}); }
Variable operator-(const Variable& a, const Variable& b) { return a.builder_->call(nn::Sub{}, {a, b}); }
Variable operator*(const Variable& a, const Variable& b) { return a.builder_->call(nn::Mul{}, {a, b}); }
Variable operator/(const Variable& a, const Variable& b) { return a.builder_->call(nn::Div{}, {a, b}); }

}  // namespace seq
