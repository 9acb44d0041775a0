#pragma once

#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "graph/field_value.hpp"
#include "graph/solver.hpp"

namespace seq {

/// A place in a user's file; lines and columns start at 1 and columns count code points. Line 0: unknown.
struct SourceSpan {
    std::shared_ptr<const std::string> file;
    int line = 0;
    int column = 0;
    /// One past the last column; 0: unknown.
    int end_column = 0;
};

enum class Severity { error, warning, note };

/// A way to mend a fault, as the rule that found it sees it. It becomes certain only after it was tried.
struct FixIdea {
    enum class Kind {
        set_field,      ///< fields of the layer at fault take other values
        insert_before,  ///< a layer of `type` goes before the layer at fault
        insert_after,   ///< a layer of `type` goes after it
        replace_type,   ///< the layer becomes a `type`
    };
    Kind kind = Kind::set_field;
    std::string type;
    std::vector<std::pair<std::string, FieldValue>> fields;
    /// false: worth saying, yet never certain (it would change what the model means).
    bool may_be_certain = true;
};

/// What a shape rule found wrong. `message` continues "<Type> `<layer>` ...": "takes 10 features, but gets 12".
struct Fault {
    std::string code;
    std::string message;
    /// The field to point at; empty: the layer.
    std::string field;
    /// Which of the inputs the fault is about, for the causal chain.
    int input = 0;
    /// Which dimension of that input; nullopt: all of it. Counts from the end where negative.
    std::optional<int> dim;
    std::string expected;
    std::string actual;
    std::vector<std::string> notes;
    std::vector<FixIdea> fixes;
    Severity severity = Severity::error;
    /// Where it holds for some values of a symbol only.
    std::optional<Condition> condition;
    std::optional<Verdict> verdict;
};

/// One step of the way back to where a number was made.
struct ChainLink {
    std::string layer;
    std::string type;
    /// "gives [N, 512, 14, 14]"
    std::string text;
    /// How the number came to be: "512 · 14 · 14".
    std::string formula;
    SourceSpan where;
};

/// One operation of a JSON patch (RFC 6902); `value` is JSON text.
struct PatchOperation {
    std::string op;
    std::string path;
    std::string value;
};

struct Fix {
    std::string message;
    bool certain = false;
    std::vector<PatchOperation> patch;
};

/// What the user reads: one fault, its place, its cause and its mends.
struct Diagnostic {
    std::string code;
    Severity severity = Severity::error;
    std::string message;
    /// The layer's path as the user wrote it, and its type; empty where it is about no layer.
    std::string layer;
    std::string type;
    SourceSpan where;
    std::string expected;
    std::string actual;
    std::vector<ChainLink> chain;
    std::vector<std::string> notes;
    std::vector<Fix> fixes;
    std::string condition;
    std::map<std::string, std::vector<Interval>> valid;
};

/// The base of all that seq throws; `code` is one of the stable words, such as "weights/file".
class Error : public std::runtime_error {
   public:
    Error(std::string code, const std::string& message) : std::runtime_error(message), code_(std::move(code)) {}
    const std::string& code() const { return code_; }

   private:
    std::string code_;
};

/// A model was refused; what() is every diagnostic as text.
class BuildError : public Error {
   public:
    BuildError(std::vector<Diagnostic> diagnostics, const std::string& text);
    const std::vector<Diagnostic>& diagnostics() const { return diagnostics_; }

   private:
    std::vector<Diagnostic> diagnostics_;
};

}  // namespace seq
