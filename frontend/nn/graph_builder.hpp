#pragma once

#include <initializer_list>
#include <memory>
#include <source_location>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "frontend/nn/containers.hpp"
#include "frontend/nn/input.hpp"
#include "frontend/nn/sequential.hpp"
#include "graph/ir.hpp"

namespace seq {

class GraphBuilder;

/// A value of a functional graph: an input, or what a call gave. Belongs to its builder.
class Variable {
   public:
    /// The name by which the graph knows it.
    const std::string& name() const { return name_; }
    /// Output `index` of the layer that gave it (Split gives several).
    Variable operator[](int index) const;

    friend Variable operator+(const Variable& a, const Variable& b);
    friend Variable operator-(const Variable& a, const Variable& b);
    friend Variable operator*(const Variable& a, const Variable& b);
    friend Variable operator/(const Variable& a, const Variable& b);

   private:
    friend class GraphBuilder;
    Variable(GraphBuilder* builder, std::string name) : builder_(builder), name_(std::move(name)) {}
    GraphBuilder* builder_;
    std::string name_;
};

/// A layer that was given to a builder. Each call applies it; calls after the first share its parameters.
class Callable {
   public:
    Variable operator()(const Variable& input) const;
    Variable operator()(std::initializer_list<Variable> inputs) const;
    const std::string& name() const { return name_; }

   private:
    friend class GraphBuilder;
    Callable(GraphBuilder* builder, std::string name) : builder_(builder), name_(std::move(name)) {}
    GraphBuilder* builder_;
    std::string name_;
};

/// A container's layers, callable one by one.
class CallableList {
   public:
    std::size_t size() const { return layers_.size(); }
    /// Throw std::out_of_range.
    const Callable& operator[](std::size_t index) const { return layers_.at(index).second; }
    const Callable& operator[](std::string_view name) const;
    auto begin() const { return layers_.begin(); }
    auto end() const { return layers_.end(); }

   private:
    friend class GraphBuilder;
    std::vector<std::pair<std::string, Callable>> layers_;
};

/// Builds a graph by calling layers on values: several inputs and outputs, branches, shared layers.
///
///     GraphBuilder b;
///     Variable x = b.input("x", {"N", 16});
///     Callable encode = b.layer("encode", nn::Linear{{.out_features = 16}});
///     Variable y = encode(encode(x)) + x;   // one Linear, applied twice
///     b.output(y);
class GraphBuilder {
   public:
    explicit GraphBuilder(std::string name = {});
    ~GraphBuilder();
    GraphBuilder(const GraphBuilder&) = delete;
    GraphBuilder& operator=(const GraphBuilder&) = delete;

    /// Throws seq::Error (spec/duplicate-name) where the name is taken, as all that names something here.
    Variable input(std::string name, std::initializer_list<DimSpec> dims, DType dtype = DType::f32,
                   std::source_location where = std::source_location::current());
    /// Bounds a symbol.
    void range(const std::string& symbol, SymbolRange range);

    /// A dotted name is a path: a layer "block.fc" has the parameter "block.fc.weight".
    Callable layer(std::string name, nn::Module module);
    CallableList layers(const std::string& name, const nn::ModuleList& list);
    CallableList layers(const std::string& name, const nn::ModuleDict& dict);

    /// Adds a layer and applies it once. Without a name it is called by its position.
    Variable call(nn::Module module, const Variable& input);
    Variable call(nn::Module module, std::initializer_list<Variable> inputs);
    Variable call(std::string name, nn::Module module, const Variable& input);
    Variable call(std::string name, nn::Module module, std::initializer_list<Variable> inputs);

    /// Makes a value an output. Without any, the last call's value is the output.
    void output(const Variable& value);

    /// Every problem; nothing is thrown.
    std::vector<Diagnostic> check(std::source_location where = std::source_location::current()) const;
    /// The checked graph. Throws seq::BuildError with every diagnostic.
    Graph lower(std::source_location where = std::source_location::current()) const;
    Definition definition(std::source_location where = std::source_location::current()) const;

   private:
    friend class Callable;
    friend class Variable;
    Variable apply(const std::string& layer, std::span<const Variable> inputs);
    std::string unused_name(std::string wish) const;

    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace seq
