#pragma once

#include <vector>

#include "frontend/lower.hpp"

namespace seq {

struct ReportOptions {
    /// What the parameters of a fix must agree with; may be nullptr.
    const WeightSource* weights = nullptr;
    /// How many shape inferences looking for fixes may take.
    std::int64_t budget = 100'000;
};

/// The faults of a lowering as a person reads them: place, cause, fixes. Of a layer that is applied several times
/// each fault is reported once.
std::vector<Diagnostic> report(const Definition& definition, const Lowering& lowering, const ReportOptions& options);

/// Where a field of a layer was written; the layer where it was not.
SourceSpan field_span(const Definition& definition, const LayerDefinition& layer, const std::string& field);

}  // namespace seq
