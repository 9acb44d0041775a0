#pragma once

#include <doctest/doctest.h>

#include <string>

#include "graph/text.hpp"
#include "graph/verify.hpp"

/// Every test that touches a graph passes it through here: it is sound, and its text reads back.
inline std::string checked_text(const seq::Graph& graph) {
    const std::vector<std::string> problems = seq::verify(graph);
    for (const std::string& problem : problems) FAIL_CHECK(problem);
    const std::string text = seq::print(graph);
    try {
        const seq::Graph again = seq::parse_graph(text);
        CHECK(seq::print(again) == text);
        CHECK(seq::verify(again).empty());
    } catch (const seq::TextError& error) {
        FAIL_CHECK(error.what() << "\n" << text);
    }
    return text;
}
