#pragma once

#include <doctest/doctest.h>

#include <map>
#include <string>
#include <vector>

#include "graph/op_table.hpp"

namespace seq::test {

/// How to make an example of a layer type: fields beside the defaults, and inputs.
struct Recipe {
    std::vector<std::pair<std::string, FieldValue>> fields;
    std::vector<std::vector<std::int64_t>> inputs{{2, 6, 8, 8}};
    std::vector<DType> dtypes{};

    Op make(const OpType& type) const {
        Op op(type);
        for (const auto& [name, value] : fields) {
            const Field* field = type.find_field(name);
            REQUIRE_MESSAGE(field != nullptr, name);
            op.set(*field, value);
        }
        return op;
    }
};

using Ints = std::vector<std::int64_t>;

/// Layers with their spatial rank in the name.
inline Recipe recipe_by_rank(const std::string& name, std::int64_t rank) {
    Ints input{2, 6};
    input.resize(static_cast<std::size_t>(rank) + 2, 8);
    Recipe recipe{{}, {input}};
    if (name.starts_with("Conv")) recipe.fields = {{"out_channels", std::int64_t{4}}, {"kernel_size", std::int64_t{3}}};
    if (name.starts_with("Max") || name.starts_with("Avg")) recipe.fields = {{"kernel_size", std::int64_t{2}}};
    if (name.starts_with("LPPool")) recipe.fields = {{"norm_type", 2.0}, {"kernel_size", std::int64_t{2}}};
    if (name.starts_with("Adaptive")) recipe.fields = {{"output_size", std::int64_t{3}}};
    if (name.find("Pad") != std::string::npos) recipe.fields = {{"padding", std::int64_t{1}}};
    if (name.starts_with("ConstantPad")) recipe.fields.push_back({"value", 1.5});
    return recipe;
}

inline const std::map<std::string, Recipe>& recipes() {
    static const std::map<std::string, Recipe> recipes{
        {"Linear", {{{"out_features", std::int64_t{5}}}}},
        {"Bilinear",
         {{{"in1_features", std::int64_t{4}}, {"in2_features", std::int64_t{3}}, {"out_features", std::int64_t{5}}},
          {{2, 4}, {2, 3}}}},
        {"GroupNorm", {{{"num_groups", std::int64_t{3}}, {"num_channels", std::int64_t{6}}}}},
        {"LayerNorm", {{{"normalized_shape", Ints{8, 8}}}}},
        {"RMSNorm", {{{"normalized_shape", Ints{8}}}}},
        {"LocalResponseNorm", {{{"size", std::int64_t{3}}}}},
        {"Unflatten", {{{"dim", std::int64_t{1}}, {"unflattened_size", Ints{2, 3}}}}},
        {"Reshape", {{{"shape", Ints{2, -1}}}}},
        {"Squeeze", {{{"dim", std::int64_t{1}}}, {{2, 1, 4}}}},
        {"PixelShuffle", {{{"upscale_factor", std::int64_t{2}}}, {{2, 8, 3, 3}}}},
        {"PixelUnshuffle", {{{"downscale_factor", std::int64_t{2}}}}},
        {"ChannelShuffle", {{{"groups", std::int64_t{3}}}}},
        {"Upsample", {{{"scale_factor", 2.0}}}},
        {"UpsamplingNearest2d", {{{"scale_factor", 2.0}}}},
        {"UpsamplingBilinear2d", {{{"scale_factor", 2.0}}}},
        {"Embedding",
         {{{"num_embeddings", std::int64_t{9}}, {"embedding_dim", std::int64_t{4}}}, {{2, 5}}, {DType::i64}}},
        {"Permute", {{{"dims", Ints{0, 2, 3, 1}}}}},
        {"Split", {{{"sizes", Ints{2, 4}}}}},
        {"Concat", {{}, {{2, 6, 8, 8}, {2, 3, 8, 8}}}},
        {"MatMul", {{}, {{2, 3, 4}, {2, 4, 5}}}},
        {"Add", {{}, {{2, 6}, {2, 6}}}},
        {"Sub", {{}, {{2, 6}, {2, 6}}}},
        {"Mul", {{}, {{2, 6}, {6}}}},
        {"Div", {{}, {{2, 6}, {2, 6}}}},
        {"Threshold", {{{"threshold", 0.1}, {"value", 2.0}}}},
        {"Slice", {{{"dim", std::int64_t{1}}, {"start", std::int64_t{1}}}}},
    };
    return recipes;
}

inline Recipe recipe_of(const std::string& name) {
    const auto found = recipes().find(name);
    if (found != recipes().end()) return found->second;
    if (name.ends_with('d') && name.size() > 2 && name != "Softmax2d" && !name.starts_with("Dropout")) {
        const char digit = name[name.size() - 2];
        if (digit >= '1' && digit <= '3') return recipe_by_rank(name, digit - '0');
    }
    return {};
}

}  // namespace seq::test
