#include "graph/ops/formula.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <unordered_map>

namespace seq::ops {

std::string factor_text(const Dim& size) {
    std::string text = size.to_string(DimStyle::pretty);
    int depth = 0;
    for (std::size_t i = 0; i + 2 < text.size(); ++i) {
        if (text[i] == '(') ++depth;
        if (text[i] == ')') --depth;
        const bool sum = text[i] == ' ' && (text[i + 1] == '+' || text[i + 1] == '-') && text[i + 2] == ' ';
        if (depth == 0 && sum) return "(" + text + ")";
    }
    return text;
}

std::string join_dims(const Shape& shape, int first, int last, std::string_view separator) {
    std::string text;
    for (int i = first; i < last; ++i) {
        if (i > first) text += separator;
        text += factor_text(shape[i]);
    }
    return text;
}

std::string join_shapes(const std::vector<Shape>& shapes) {
    constexpr std::size_t shown = 3;
    const bool all = shapes.size() <= shown + 1;
    const std::size_t count = all ? shapes.size() : shown;
    std::string text;
    for (std::size_t i = 0; i < count; ++i) {
        if (i > 0) text += all && i + 1 == count ? " and " : ", ";
        text += shapes[i].to_string();
    }
    if (!all) text += fmt::format(" and {} others", shapes.size() - count);
    return text;
}

std::string ordinal(int index) {
    static constexpr std::array<std::string_view, 10> words{"first", "second",  "third",  "fourth", "fifth",
                                                            "sixth", "seventh", "eighth", "ninth",  "tenth"};
    if (index >= 0 && index < static_cast<int>(words.size()))
        return std::string(words[static_cast<std::size_t>(index)]);
    return fmt::format("{}th", index + 1);
}

Shape unknown_shape(int rank) { return Shape(std::vector<Dim>(static_cast<std::size_t>(rank), Dim::unknown())); }

const Dim& most_frequent(const std::vector<Dim>& sizes) {
    std::unordered_map<Dim, int> counts;
    int best = 0;
    for (const Dim& size : sizes) best = std::max(best, ++counts[size]);
    return *std::find_if(sizes.begin(), sizes.end(), [&](const Dim& size) { return counts[size] == best; });
}

}  // namespace seq::ops
