#pragma once

#include <string>
#include <utility>

#include "graph/diagnostic.hpp"

namespace seq::tests {

/// The code and the message of what `work` throws; empty where it throws nothing.
template <class Work>
std::pair<std::string, std::string> fault_of(const Work& work) {
    try {
        work();
    } catch (const Error& error) {
        return {error.code(), error.what()};
    }
    return {};
}

/// The same as "code: message".
template <class Work>
std::string fault_text_of(const Work& work) {
    const auto [code, message] = fault_of(work);
    return code.empty() ? std::string() : code + ": " + message;
}

}  // namespace seq::tests
