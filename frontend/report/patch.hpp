#pragma once

#include <memory>
#include <set>
#include <string>
#include <unordered_map>

#include "frontend/report/view.hpp"

namespace seq {

/// Says fixes in the words and the JSON of the user.
class PatchWriter {
   public:
    /// `keep_names`: layers that have parameters keep their positions as names when one is inserted before them.
    PatchWriter(const LoweringView& view, bool keep_names) : view_(view), keep_names_(keep_names) {}

    /// The idea applied to `target`, for a fault of the layer `id`. nullopt where the file has no place for it.
    std::optional<Fix> write(LayerId id, const LayerDefinition* target, const FixIdea& idea, bool certain);

   private:
    struct Home {
        const std::vector<LayerDefinition>* layers = nullptr;
        std::size_t position = 0;
    };
    const Home* home_of(const LayerDefinition* layer);
    void find_homes(const std::vector<LayerDefinition>& layers);
    const std::set<std::string, std::less<>>& referenced();
    void note_references(const std::vector<LayerDefinition>& layers);

    std::vector<PatchOperation> set_fields(const LayerDefinition& target, const FixIdea& idea) const;
    std::vector<PatchOperation> replace_type(const LayerDefinition& target, const FixIdea& idea, const Op& op) const;
    std::optional<std::vector<PatchOperation>> insert(const LayerDefinition& target, const FixIdea& idea);
    std::string fresh_name(const Home& home, const std::string& type) const;
    bool has_parameters(const LayerDefinition& layer) const;
    bool must_keep_name(const LayerDefinition& layer);

    const LoweringView& view_;
    bool keep_names_;
    std::unordered_map<const LayerDefinition*, Home> homes_;
    std::optional<std::set<std::string, std::less<>>> referenced_;
};

/// {"type": "Flatten", "name": "flatten"}
std::string layer_json(const std::string& type, const std::vector<std::pair<std::string, FieldValue>>& fields,
                       const std::string& name = {});

}  // namespace seq
