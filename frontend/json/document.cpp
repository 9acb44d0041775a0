#include "frontend/json/document.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace seq::json {
namespace {

constexpr std::size_t checkpoint_bytes = 256;

bool starts_code_point(char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }

}  // namespace

void Document::index_lines() {
    line_starts_.assign(1, 0);
    checkpoints_.clear();
    checkpoints_.reserve(text_.size() / checkpoint_bytes + 1);
    Checkpoint here;
    for (std::size_t i = 0; i < text_.size(); ++i) {
        if (i % checkpoint_bytes == 0) checkpoints_.push_back(here);
        if (text_[i] == '\n') {
            ++here.line;
            here.column = 1;
            line_starts_.push_back(static_cast<std::uint32_t>(i + 1));
        } else if (starts_code_point(text_[i])) {
            ++here.column;
        }
    }
    if (text_.size() % checkpoint_bytes == 0) checkpoints_.push_back(here);
}

SourceSpan Document::span(std::size_t begin, std::size_t end) const {
    begin = std::min(begin, text_.size());
    Checkpoint here = checkpoints_[begin / checkpoint_bytes];
    const auto step = [&](std::size_t i) {
        if (text_[i] == '\n') {
            ++here.line;
            here.column = 1;
        } else if (starts_code_point(text_[i])) {
            ++here.column;
        }
    };
    for (std::size_t i = begin - begin % checkpoint_bytes; i < begin; ++i) step(i);
    SourceSpan span{file_, static_cast<int>(here.line), static_cast<int>(here.column), 0};
    for (std::size_t i = begin; i < std::min(end, text_.size()) && text_[i] != '\n'; ++i) step(i);
    span.end_column = static_cast<int>(here.column);
    return span;
}

NodeId Document::find(NodeId object, std::string_view key) const {
    for (NodeId id = nodes_[object].first; id != no_node; id = nodes_[id].next) {
        if (nodes_[id].key == key) return id;
    }
    return no_node;
}

std::string Document::pointer(NodeId id) const {
    std::vector<std::string> steps;
    for (; nodes_[id].parent != no_node; id = nodes_[id].parent) {
        const bool member = nodes_[nodes_[id].parent].kind == Kind::object;
        steps.push_back(member ? escape_pointer(nodes_[id].key) : std::to_string(nodes_[id].index));
    }
    std::string pointer;
    for (auto step = steps.rbegin(); step != steps.rend(); ++step) pointer += "/" + *step;
    return pointer;
}

std::string_view Document::line(int number) const {
    if (number < 1 || static_cast<std::size_t>(number) > line_starts_.size()) return {};
    const std::size_t begin = line_starts_[static_cast<std::size_t>(number) - 1];
    std::size_t end = std::min(text_.find('\n', begin), text_.size());
    if (end > begin && text_[end - 1] == '\r') --end;
    return std::string_view(text_).substr(begin, end - begin);
}

std::string quote(std::string_view text) {
    std::string quoted = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') {
            quoted += '\\';
            quoted += c;
        } else if (static_cast<unsigned char>(c) < 0x20) {
            quoted += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
        } else {
            quoted += c;
        }
    }
    return quoted + '"';
}

std::string escape_pointer(std::string_view key) {
    std::string escaped;
    for (const char c : key) {
        if (c == '~') {
            escaped += "~0";
        } else if (c == '/') {
            escaped += "~1";
        } else {
            escaped += c;
        }
    }
    return escaped;
}

}  // namespace seq::json
