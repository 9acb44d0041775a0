#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

#include "graph/ir.hpp"

namespace seq {

/// Where and why a text is no graph. Lines and columns start at 1; columns count bytes.
class TextError : public Error {
   public:
    TextError(int line, int column, const std::string& reason);
    int line() const { return line_; }
    int column() const { return column_; }

   private:
    int line_;
    int column_;
};

/// The whole graph but for the layers' places in files; docs/ir-text.md has the grammar. A graph without faults
/// reads back: print(parse_graph(print(g))) == print(g).
std::string print(const Graph& graph);

/// One node as it stands in print(graph), without its names: for messages and logs.
std::string print(const Node& node);

/// Reads a graph. Types of results and declarations of parameters may be left out: they are inferred, and where
/// they stand they must agree. Throws TextError (code spec/syntax).
Graph parse_graph(std::string_view text);

}  // namespace seq
