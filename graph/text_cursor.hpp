#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "graph/text.hpp"

namespace seq {

/// Reads a text from left to right. Every function passes white space and comments ("//" to the end of the line)
/// before what it reads, and throws TextError at what it did not expect.
class TextCursor {
   public:
    explicit TextCursor(std::string_view text) : text_(text) {}

    /// Takes `sign` where it comes next.
    bool take(std::string_view sign);
    /// As take, for a word: what follows is no letter, digit or '_'.
    bool take_word(std::string_view word);
    void expect(std::string_view sign);
    bool at_end();
    /// The next character; '\0' at the end.
    char peek();

    bool at_name() { return peek() == '"' || is_name_begin(peek()); }
    /// A bare or a quoted name; `what` it is, for the message.
    std::string name(std::string_view what);
    std::int64_t integer(std::string_view what);
    /// What stands before the next of `ends`, which is not taken; not across the end of the text.
    std::string_view until(std::string_view ends, std::string_view what);
    /// A quoted string with JSON's escapes.
    std::string quoted();
    /// Digits, sign, point and letters, as numbers have them.
    std::string_view number(std::string_view what);

    std::size_t position();
    [[noreturn]] void fail(const std::string& reason) { fail_at(position(), reason); }
    [[noreturn]] void fail_at(std::size_t position, const std::string& reason) const;

   private:
    static bool is_name_begin(char c);
    void skip_space();
    void append_escape(std::string& out);
    void append_code_point(std::string& out, std::uint32_t code);
    std::uint32_t hex4();

    std::string_view text_;
    std::size_t at_ = 0;
};

}  // namespace seq
