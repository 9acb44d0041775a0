#pragma once

#include <memory>
#include <vector>

#include "frontend/definition.hpp"
#include "frontend/json/document.hpp"

namespace seq::json {

/// Something wrong in a spec. Where it is about a layer the message lacks its subject, "Conv2d `conv1` ", unless
/// `subject` is false: the layer's path is known only where its container is used.
struct Problem {
    Diagnostic diagnostic;
    NodeId layer = no_node;
    bool subject = true;
    /// The value that it is about: the layer that holds it, if any, is named.
    NodeId place = no_node;
    /// A symbol whose range is taken to be what the fixes say: they are certain where no layer needs another one.
    std::string symbol;
    /// Of a duplicate name: the layer that has it first.
    NodeId first = no_node;
    /// For each of the layer's `ops`, the fix that makes it so.
    std::vector<Fix> choices;
};

struct Reading {
    Definition definition;
    std::vector<Problem> problems;
    /// The definition is not one to go on with.
    bool fatal = false;
};

/// Makes problems of the duplicate keys among what parsing reported.
void adopt_duplicate_keys(const Document& document, std::vector<Diagnostic>& diagnostics, Reading& reading);

/// Reads a seq/1 model. What is wrong is in `problems`, all of it; a best guess takes its place in the definition.
Reading read_definition(std::shared_ptr<const Document> document);

}  // namespace seq::json
