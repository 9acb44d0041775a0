#include "frontend/suggest.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <numeric>

namespace seq {
namespace {

struct Alias {
    std::string_view foreign;
    std::string_view own;
};

// Lower case, without separators.
constexpr auto type_aliases = std::to_array<Alias>({
    {"dense", "Linear"},
    {"fullyconnected", "Linear"},
    {"fc", "Linear"},
    {"innerproduct", "Linear"},
    {"affine", "Linear"},
    {"convolution1d", "Conv1d"},
    {"convolution2d", "Conv2d"},
    {"convolution3d", "Conv3d"},
    {"conv1dtranspose", "ConvTranspose1d"},
    {"conv2dtranspose", "ConvTranspose2d"},
    {"conv3dtranspose", "ConvTranspose3d"},
    {"deconv1d", "ConvTranspose1d"},
    {"deconv2d", "ConvTranspose2d"},
    {"deconv3d", "ConvTranspose3d"},
    {"maxpooling1d", "MaxPool1d"},
    {"maxpooling2d", "MaxPool2d"},
    {"maxpooling3d", "MaxPool3d"},
    {"averagepooling1d", "AvgPool1d"},
    {"averagepooling2d", "AvgPool2d"},
    {"averagepooling3d", "AvgPool3d"},
    {"averagepool1d", "AvgPool1d"},
    {"averagepool2d", "AvgPool2d"},
    {"averagepool3d", "AvgPool3d"},
    {"globalaveragepooling1d", "AdaptiveAvgPool1d"},
    {"globalaveragepooling2d", "AdaptiveAvgPool2d"},
    {"globalaveragepooling3d", "AdaptiveAvgPool3d"},
    {"globalmaxpooling1d", "AdaptiveMaxPool1d"},
    {"globalmaxpooling2d", "AdaptiveMaxPool2d"},
    {"globalmaxpooling3d", "AdaptiveMaxPool3d"},
    {"layernormalization", "LayerNorm"},
    {"groupnormalization", "GroupNorm"},
    {"zeropadding1d", "ZeroPad1d"},
    {"zeropadding2d", "ZeroPad2d"},
    {"zeropadding3d", "ZeroPad3d"},
    {"spatialdropout1d", "Dropout1d"},
    {"spatialdropout2d", "Dropout2d"},
    {"spatialdropout3d", "Dropout3d"},
    {"upsampling1d", "Upsample"},
    {"upsampling2d", "Upsample"},
    {"resize", "Upsample"},
    {"interpolate", "Upsample"},
    {"swish", "SiLU"},
    {"hardswish6", "Hardswish"},
    {"logistic", "Sigmoid"},
    {"concatenate", "Concat"},
    {"cat", "Concat"},
    {"merge", "Concat"},
    {"multiply", "Mul"},
    {"subtract", "Sub"},
    {"divide", "Div"},
    {"view", "Reshape"},
    {"noop", "Identity"},
    {"lrn", "LocalResponseNorm"},
    {"depthtospace", "PixelShuffle"},
    {"spacetodepth", "PixelUnshuffle"},
    {"reducemean", "Mean"},
    {"reducesum", "Sum"},
});

// Several rows a key: the first whose field the layer has.
constexpr auto key_aliases = std::to_array<Alias>({
    {"units", "out_features"},
    {"outdim", "out_features"},
    {"outputdim", "out_features"},
    {"outputsize", "out_features"},
    {"outsize", "out_features"},
    {"outputs", "out_features"},
    {"nout", "out_features"},
    {"out", "out_features"},
    {"out", "out_channels"},
    {"indim", "in_features"},
    {"inputdim", "in_features"},
    {"inputsize", "in_features"},
    {"insize", "in_features"},
    {"inputs", "in_features"},
    {"nin", "in_features"},
    {"in", "in_features"},
    {"in", "in_channels"},
    {"filters", "out_channels"},
    {"numfilters", "out_channels"},
    {"nfilters", "out_channels"},
    {"outputchannels", "out_channels"},
    {"outch", "out_channels"},
    {"outplanes", "out_channels"},
    {"inputchannels", "in_channels"},
    {"inch", "in_channels"},
    {"inplanes", "in_channels"},
    {"channels", "num_channels"},
    {"channels", "num_features"},
    {"numchannels", "num_features"},
    {"features", "num_features"},
    {"kernel", "kernel_size"},
    {"ksize", "kernel_size"},
    {"kernelshape", "kernel_size"},
    {"poolsize", "kernel_size"},
    {"filtersize", "kernel_size"},
    {"window", "kernel_size"},
    {"strides", "stride"},
    {"pad", "padding"},
    {"pads", "padding"},
    {"dilationrate", "dilation"},
    {"dilations", "dilation"},
    {"group", "groups"},
    {"ngroups", "groups"},
    {"groups", "num_groups"},
    {"usebias", "bias"},
    {"epsilon", "eps"},
    {"rate", "p"},
    {"prob", "p"},
    {"dropout", "p"},
    {"alpha", "negative_slope"},
    {"slope", "negative_slope"},
    {"axis", "dim"},
    {"axes", "dims"},
    {"axes", "dim"},
    {"perm", "dims"},
    {"keepdims", "keepdim"},
    {"targetshape", "shape"},
    {"scale", "scale_factor"},
    {"factor", "scale_factor"},
    {"interpolation", "mode"},
    {"normalizedsize", "normalized_shape"},
    {"splitsizes", "sizes"},
    {"inputdim", "num_embeddings"},
    {"vocabsize", "num_embeddings"},
    {"outputdim", "embedding_dim"},
});

std::string plain(std::string_view word) {
    std::string result;
    for (const char c : word) {
        if (c != '_' && c != '-' && c != ' ') result += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    }
    return result;
}

std::string_view without_module(std::string_view word) {
    const std::size_t dot = word.rfind('.');
    return dot == std::string_view::npos ? word : word.substr(dot + 1);
}

int limit_for(std::size_t length) {
    if (length <= 2) return 0;
    if (length <= 4) return 1;
    return length <= 8 ? 2 : 3;
}

std::vector<std::string_view> type_names() {
    std::vector<std::string_view> names{"Sequential"};
    for (const OpType* type : OpTable::instance().all()) names.push_back(type->name);
    return names;
}

}  // namespace

int edit_distance(std::string_view a, std::string_view b, int limit) {
    if (a.size() > b.size()) std::swap(a, b);
    if (b.size() - a.size() > static_cast<std::size_t>(limit)) return limit + 1;
    const std::size_t width = a.size() + 1;
    std::vector<int> before(width);
    std::vector<int> previous(width);
    std::vector<int> current(width);
    std::iota(previous.begin(), previous.end(), 0);
    for (std::size_t j = 1; j <= b.size(); ++j) {
        current[0] = static_cast<int>(j);
        int least = current[0];
        for (std::size_t i = 1; i < width; ++i) {
            const int replaced = previous[i - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
            current[i] = std::min({previous[i] + 1, current[i - 1] + 1, replaced});
            const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
            if (swapped) current[i] = std::min(current[i], before[i - 2] + 1);
            least = std::min(least, current[i]);
        }
        if (least > limit) return limit + 1;
        before.swap(previous);
        previous.swap(current);
    }
    return std::min(previous[width - 1], limit + 1);
}

std::vector<std::string> nearest(std::string_view word, std::span<const std::string_view> candidates) {
    if (word.size() > 256) return {};
    const std::string simple = plain(word);
    int best = limit_for(word.size());
    std::vector<std::string> result;
    for (const std::string_view candidate : candidates) {
        const int distance = plain(candidate) == simple ? 0 : edit_distance(word, candidate, best);
        if (distance > best) continue;
        if (distance < best) result.clear();
        best = distance;
        result.emplace_back(candidate);
    }
    return result;
}

std::string did_you_mean(std::span<const std::string> names) {
    if (names.empty()) return {};
    std::string text = " (did you mean ";
    const std::size_t shown = std::min<std::size_t>(names.size(), 4);
    for (std::size_t i = 0; i < shown; ++i) {
        if (i > 0) text += i + 1 == shown ? " or " : ", ";
        text += fmt::format("`{}`", names[i]);
    }
    return text + "?)";
}

TypeGuess guess_type(std::string_view written) {
    const std::string_view word = without_module(written);
    const std::string simple = plain(word);
    const std::vector<std::string_view> names = type_names();
    TypeGuess guess;
    for (const std::string_view name : names) {
        if (plain(name) == simple) return {{std::string(name)}, false};
    }
    for (const Alias& alias : type_aliases) {
        if (alias.foreign == simple && std::find(names.begin(), names.end(), alias.own) != names.end())
            return {{std::string(alias.own)}, true};
    }
    for (const std::string_view name : names) {
        const std::string stem = plain(name.substr(0, name.size() - 2));
        const bool dimensional =
            name.size() > 2 && name.back() == 'd' && std::isdigit(static_cast<unsigned char>(name[name.size() - 2]));
        if (dimensional && (stem == simple || stem + "alization" == simple)) guess.types.emplace_back(name);
    }
    if (!guess.types.empty()) return guess;
    guess.types = nearest(word, names);
    return guess;
}

std::vector<std::string> guess_key(std::string_view written, const OpType& type,
                                   std::span<const std::string_view> taken) {
    std::vector<std::string_view> free{"name", "from", "doc"};
    for (const Field& field : type.fields) free.push_back(field.name);
    std::erase_if(free,
                  [&](std::string_view key) { return std::find(taken.begin(), taken.end(), key) != taken.end(); });
    const std::string simple = plain(written);
    for (const std::string_view key : free) {
        if (plain(key) == simple) return {std::string(key)};
    }
    for (const Alias& alias : key_aliases) {
        if (alias.foreign == simple && std::find(free.begin(), free.end(), alias.own) != free.end())
            return {std::string(alias.own)};
    }
    std::vector<std::string> best = nearest(written, free);
    const auto is_optional = [&](const std::string& key) {
        const Field* field = type.find_field(key);
        return field == nullptr || !field->required;
    };
    if (best.size() > 1 && !std::all_of(best.begin(), best.end(), is_optional)) std::erase_if(best, is_optional);
    return best;
}

}  // namespace seq
