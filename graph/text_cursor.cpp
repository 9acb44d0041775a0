#include "graph/text_cursor.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "graph/text_format.hpp"

namespace seq {

TextError::TextError(int line, int column, const std::string& reason)
    : Error("spec/syntax", fmt::format("{}:{}: {}", line, column, reason)), line_(line), column_(column) {}

void TextCursor::fail_at(std::size_t position, const std::string& reason) const {
    const std::string_view before = text_.substr(0, position);
    const auto line = std::count(before.begin(), before.end(), '\n') + 1;
    const auto line_begin = before.rfind('\n') == std::string_view::npos ? 0 : before.rfind('\n') + 1;
    throw TextError(static_cast<int>(line), static_cast<int>(position - line_begin + 1), reason);
}

void TextCursor::skip_space() {
    while (at_ < text_.size()) {
        const char c = text_[at_];
        if (c == ' ' || c == '\n' || c == '\t' || c == '\r') {
            ++at_;
        } else if (text_.substr(at_, 2) == "//") {
            at_ = std::min(text_.find('\n', at_), text_.size());
        } else {
            return;
        }
    }
}

std::size_t TextCursor::position() {
    skip_space();
    return at_;
}

char TextCursor::peek() {
    skip_space();
    return at_ < text_.size() ? text_[at_] : '\0';
}

bool TextCursor::at_end() {
    skip_space();
    return at_ == text_.size();
}

bool TextCursor::take(std::string_view sign) {
    skip_space();
    if (text_.substr(at_, sign.size()) != sign) return false;
    at_ += sign.size();
    return true;
}

bool TextCursor::take_word(std::string_view word) {
    skip_space();
    if (text_.substr(at_, word.size()) != word) return false;
    const std::size_t end = at_ + word.size();
    if (end < text_.size() && text_format::is_name_char(text_[end])) return false;
    at_ = end;
    return true;
}

void TextCursor::expect(std::string_view sign) {
    if (!take(sign)) fail(fmt::format("expected '{}'", sign));
}

bool TextCursor::is_name_begin(char c) { return c != '-' && text_format::is_name_char(c); }

std::string TextCursor::name(std::string_view what) {
    if (peek() == '"') return quoted();
    if (!is_name_begin(peek())) fail(fmt::format("expected {}", what));
    const std::size_t begin = at_;
    while (at_ < text_.size() && text_format::is_name_char(text_[at_])) ++at_;
    return std::string(text_.substr(begin, at_ - begin));
}

std::int64_t TextCursor::integer(std::string_view what) {
    const std::size_t begin = position();
    std::int64_t value = 0;
    const char* end = text_.data() + text_.size();
    const auto [stop, error] = std::from_chars(text_.data() + begin, end, value);
    if (error != std::errc()) fail(fmt::format("expected {}", what));
    at_ = static_cast<std::size_t>(stop - text_.data());
    return value;
}

std::string_view TextCursor::number(std::string_view what) {
    const std::size_t begin = position();
    while (at_ < text_.size() && (text_format::is_name_char(text_[at_]) || text_[at_] == '+')) ++at_;
    if (at_ == begin) fail(fmt::format("expected {}", what));
    return text_.substr(begin, at_ - begin);
}

std::string_view TextCursor::until(std::string_view ends, std::string_view what) {
    const std::size_t begin = position();
    const std::size_t end = text_.find_first_of(ends, begin);
    if (end == std::string_view::npos) fail(fmt::format("expected {}, but the text ends", what));
    at_ = end;
    return text_.substr(begin, end - begin);
}

std::string TextCursor::quoted() {
    expect("\"");
    std::string out;
    for (;;) {
        const std::size_t stop = text_.find_first_of("\"\\\n", at_);
        if (stop == std::string_view::npos || text_[stop] == '\n')
            fail_at(std::min(stop, text_.size()), "the string does not end");
        out += text_.substr(at_, stop - at_);
        at_ = stop + 1;
        if (text_[stop] == '"') return out;
        append_escape(out);
    }
}

void TextCursor::append_escape(std::string& out) {
    const char c = at_ < text_.size() ? text_[at_] : '\0';
    const std::size_t begin = at_++;
    switch (c) {
        case '"':
        case '\\':
        case '/': out += c; return;
        case 'n': out += '\n'; return;
        case 't': out += '\t'; return;
        case 'r': out += '\r'; return;
        case 'b': out += '\b'; return;
        case 'f': out += '\f'; return;
        case 'u': append_code_point(out, hex4()); return;
        default: fail_at(begin, "expected an escape of JSON");
    }
}

std::uint32_t TextCursor::hex4() {
    std::uint32_t code = 0;
    const std::string_view digits = text_.substr(std::min(at_, text_.size()), 4);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), code, 16);
    if (error != std::errc() || digits.size() != 4 || end != digits.data() + 4)
        fail_at(at_, "expected four hexadecimal digits");
    at_ += 4;
    return code;
}

void TextCursor::append_code_point(std::string& out, std::uint32_t code) {
    if (code >= 0xD800 && code < 0xE000) fail_at(at_, "a surrogate is no character");
    if (code < 0x80) {
        out += static_cast<char>(code);
    } else if (code < 0x800) {
        out += static_cast<char>(0xC0 | code >> 6);
        out += static_cast<char>(0x80 | (code & 0x3F));
    } else {
        out += static_cast<char>(0xE0 | code >> 12);
        out += static_cast<char>(0x80 | (code >> 6 & 0x3F));
        out += static_cast<char>(0x80 | (code & 0x3F));
    }
}

}  // namespace seq
