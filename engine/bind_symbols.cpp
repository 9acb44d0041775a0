#include "engine/bind_symbols.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace seq {
namespace {

constexpr std::int64_t unbound = -1;

std::string sizes_text(const TensorView& view) {
    std::string text = "[";
    for (const std::int64_t size : view.sizes()) text += (text.size() > 1 ? ", " : "") + std::to_string(size);
    return text + "]";
}

[[noreturn]] void refuse(const Port& port, const TensorView& view, const std::string& why) {
    throw Error("input/shape", fmt::format("input `{}` is {}, but gets {}{}", port.name, port.type.shape.to_string(),
                                           sizes_text(view), why));
}

}  // namespace

SymbolBinder::SymbolBinder(const std::vector<Port>& inputs, const std::vector<std::string>& symbols)
    : ports_(inputs), symbols_(symbols) {
    for (std::size_t i = 0; i < inputs.size(); ++i) {
        const Shape& shape = inputs[i].type.shape;
        for (int d = 0; d < shape.rank(); ++d) {
            Rule rule{i, static_cast<std::size_t>(d), -1, -1};
            const auto symbol = std::find(symbols.begin(), symbols.end(), shape[d].to_string());
            if (shape[d].is_constant()) rule.constant = shape[d].value();
            if (symbol != symbols.end()) rule.symbol = static_cast<int>(symbol - symbols.begin());
            const bool simple = shape[d].is_constant() || symbol != symbols.end();
            (simple ? rules_ : expressions_).push_back(rule);
        }
    }
}

void SymbolBinder::bind(std::span<const TensorView> inputs, std::span<std::int64_t> values) const {
    std::fill(values.begin(), values.end(), unbound);
    for (std::size_t i = 0; i < inputs.size(); ++i) {
        if (inputs[i].rank != ports_[i].type.shape.rank()) refuse(ports_[i], inputs[i], "");
    }
    for (const Rule& rule : rules_) {
        const std::int64_t size = inputs[rule.input].shape[rule.dim];
        if (rule.symbol < 0) {
            if (size != rule.constant) refuse(ports_[rule.input], inputs[rule.input], "");
            continue;
        }
        std::int64_t& value = values[static_cast<std::size_t>(rule.symbol)];
        if (value != unbound && value != size) {
            refuse(ports_[rule.input], inputs[rule.input],
                   fmt::format(": {} is {} already", symbols_[static_cast<std::size_t>(rule.symbol)], value));
        }
        value = size;
    }
    if (expressions_.empty()) return;
    Bindings bindings;
    for (std::size_t s = 0; s < symbols_.size(); ++s) {
        if (values[s] == unbound)
            throw Error("input/shape", fmt::format("no input's size gives {} alone", symbols_[s]));
        bindings[symbols_[s]] = values[s];
    }
    for (const Rule& rule : expressions_) {
        const auto expected = ports_[rule.input].type.shape[static_cast<int>(rule.dim)].evaluate(bindings);
        if (expected != inputs[rule.input].shape[rule.dim]) refuse(ports_[rule.input], inputs[rule.input], "");
    }
}

}  // namespace seq
