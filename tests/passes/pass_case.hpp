#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "graph/ir.hpp"
#include "graph/passes/pipeline.hpp"

/// A file of tests/data/passes/<pass>/: a graph, a line "---", and the graph after the pass, or "no change". A comment
/// "// strict" asks for strict numerics.
struct PassCase {
    std::filesystem::path path;
    std::string pass;  ///< "pipeline": all of them
    std::string before;
    std::string after;
    bool strict = false;

    std::string name() const { return pass + "/" + path.stem().string(); }
};

/// Every case, in the order of their names.
std::vector<PassCase> pass_cases();

/// The passes that a case is about.
std::vector<const seq::Pass*> passes_of(const PassCase& pass_case);
