#pragma once

#include <algorithm>
#include <initializer_list>
#include <string>
#include <vector>

#include "frontend/check.hpp"

namespace seq::test {

/// A model over x = [N, 8] unless `inputs` says otherwise; `layers` and `more` are JSON.
inline std::string model(const std::string& layers, const std::string& more = {},
                         const std::string& inputs = R"({"x": ["N", 8]})") {
    return R"({"seq": 1, "inputs": )" + inputs + (more.empty() ? "" : ", " + more) + ", \"layers\": [" + layers + "]}";
}

inline CheckResult check(const std::string& text, const CheckOptions& options = {}) {
    return check_text(text, "model.json", options);
}

/// "code layer" of each diagnostic.
inline std::vector<std::string> brief(const CheckResult& result) {
    std::vector<std::string> all;
    for (const Diagnostic& diagnostic : result.diagnostics)
        all.push_back(diagnostic.code + (diagnostic.layer.empty() ? "" : " " + diagnostic.layer));
    return all;
}

using Brief = std::vector<std::string>;

/// The data inputs of the node whose result has this name, by name.
inline std::vector<std::string> inputs_of(const Graph& graph, const std::string& name) {
    std::vector<std::string> names;
    const Value* value = graph.find_value(name);
    if (value == nullptr || value->producer == nullptr) return names;
    for (const Value* input : value->producer->data()) names.push_back(input->name);
    return names;
}

inline std::vector<std::string> parameter_names(const Graph& graph) {
    std::vector<std::string> names;
    for (const Value* parameter : graph.parameters()) names.push_back(parameter->name);
    return names;
}

}  // namespace seq::test
