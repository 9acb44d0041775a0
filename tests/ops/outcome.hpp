#pragma once

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "graph/infer.hpp"

namespace seq::test {

/// Applies an op's shape rule to inputs of these shapes.
inline Inference applied(const Op& op, const std::vector<Shape>& shapes, DType dtype = DType::f32,
                         const SymbolRanges& ranges = {}, const BoundedSymbols& bounded = {}) {
    std::vector<TensorType> inputs;
    for (const Shape& shape : shapes) inputs.push_back({dtype, shape, false});
    return infer(op, inputs, {ranges, bounded}, true);
}

/// The output shapes, then the codes of the faults: "[N, 8] !shape/reshape". Warnings have ? and notes ~ for !.
inline std::string outcome(const Inference& inference) {
    std::string text;
    for (const TensorType& output : inference.outputs) {
        if (!text.empty()) text += ' ';
        text += output.error ? "error" : output.shape.to_string(DimStyle::ascii);
    }
    for (const Fault& fault : inference.faults) {
        text += fault.severity == Severity::error ? " !" : fault.severity == Severity::warning ? " ?" : " ~";
        text += fault.code;
    }
    return text;
}

inline std::string outcome(const Op& op, const std::vector<Shape>& shapes, DType dtype = DType::f32) {
    return outcome(applied(op, shapes, dtype));
}

inline std::string message(const Op& op, const std::vector<Shape>& shapes, DType dtype = DType::f32) {
    const Inference inference = applied(op, shapes, dtype);
    return inference.faults.empty() ? "" : inference.faults.front().message;
}

/// How dimension `dim` of the output came to be; empty where the rule does not say.
inline std::string formula(const Op& op, const std::vector<Shape>& shapes, int dim) {
    for (const auto& [explained, text] : applied(op, shapes).formulas) {
        if (explained == dim) return text;
    }
    return {};
}

/// The fields that the fixes of the first fault set, in order of preference: "shape = [0, 3]; shape = [1, 2]".
inline std::string fixes(const Op& op, const std::vector<Shape>& shapes) {
    std::string text;
    const Inference inference = applied(op, shapes);
    if (inference.faults.empty()) return text;
    for (const FixIdea& idea : inference.faults.front().fixes) {
        if (!text.empty()) text += "; ";
        text += idea.type;
        for (const auto& [field, value] : idea.fields) text += field + " = " + to_string(value);
    }
    return text;
}

}  // namespace seq::test
