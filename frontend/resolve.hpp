#pragma once

#include <string>
#include <string_view>

#include "frontend/lower.hpp"
#include "frontend/scope.hpp"

namespace seq {

/// Finds what names mean while a definition is lowered, and reports those that mean nothing.
class Resolver {
   public:
    Resolver(const Definition& definition, const LowerOptions& options, Lowering& result, Scope& top)
        : definition_(definition), options_(options), result_(result), top_(top) {}

    /// The value that a layer's `from` names; nullptr where there is none, which is reported.
    Value* find_value(const Reference& reference, const LayerDefinition& layer, Scope& scope);
    /// The layer or container whose parameters `layer` shares; nullptr where there is none, which is reported.
    const Slot* find_shared(const LayerDefinition& layer, Scope& scope);
    Value* find_output(const Reference& reference);
    /// Refuses an op that gets too many inputs or too few. False where it cannot be applied to those that are left.
    bool check_arity(LoweredLayer& layer, const Op& op, const LayerDefinition* with_from);

   private:
    /// Whether `from` holds what is no name; then there are as many inputs as the op takes.
    static bool fit_broken(LoweredLayer& layer, const Arity& arity, const LayerDefinition& with_from);

    /// What a name leads to: a layer, or an input of the model or of a container.
    struct Target {
        Slot* slot = nullptr;
        Value* value = nullptr;
        /// It stands later in the file.
        const LayerDefinition* later = nullptr;
        bool found() const { return slot != nullptr || value != nullptr; }
    };

    Target look_up(std::string_view name, Scope& scope);
    Target look_up_in(Scope& scope, std::string_view name, std::string_view rest);
    Target descend(Slot& slot, std::string_view rest);
    Target container_input(std::string_view name, Scope& scope) const;
    Target pick(Scope& scope, const std::vector<std::size_t>& positions);
    Target misnamed(std::string_view name, Scope& scope);
    std::vector<std::string> similar(std::string_view name, Scope& scope);
    Value* value_of(const Target& target) const;
    Target resolve(const Reference& reference, std::string_view key, const LayerDefinition* layer, Scope& scope);
    Diagnostic& report(std::string code, std::string message, const Reference& reference, const LayerDefinition* layer,
                       const Scope& scope);

    const Definition& definition_;
    const LowerOptions& options_;
    Lowering& result_;
    Scope& top_;
};

}  // namespace seq
