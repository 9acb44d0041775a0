#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "graph/ir.hpp"
#include "graph/text_cursor.hpp"

/// Calls of ops in the text form: Conv2d(%x; weight=%w) {kernel_size=3}.
namespace seq::text_call {

/// What a value is called in the text: %name, or %name~2 for a second one of that name, or %~1 without a name.
struct Label {
    std::string spelling;
    std::string name;
    std::size_t position = 0;
};

/// The label of the first value of that name.
std::string spell(const std::string& name);
Label read_label(TextCursor& cursor);

/// Throws where there is no such value.
using Lookup = std::function<Value*(const Label& label)>;

struct Call {
    Op op;
    std::vector<Value*> data;
    std::vector<std::pair<std::string, Value*>> parameters;
};

Call read(TextCursor& cursor, const Lookup& lookup);
/// A call whose running result stands as '_'; parameters of the op follow ';' without names.
PostOpSpec read_post(TextCursor& cursor, const Lookup& lookup);

}  // namespace seq::text_call
