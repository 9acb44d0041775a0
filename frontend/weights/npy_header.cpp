#include "frontend/weights/npy_header.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <limits>
#include <optional>
#include <utility>

#include "frontend/io/quoted_name.hpp"
#include "frontend/weights/little_endian.hpp"
#include "graph/checked.hpp"
#include "graph/diagnostic.hpp"

namespace seq {
namespace {

constexpr std::uint64_t max_header = 65536;

constexpr std::array<std::pair<std::string_view, DType>, 8> numpy_names{{
    {"f4", DType::f32},
    {"f2", DType::f16},
    {"f8", DType::f64},
    {"i8", DType::i64},
    {"i4", DType::i32},
    {"i1", DType::i8},
    {"u1", DType::u8},
    {"b1", DType::boolean},
}};

/// Takes the Python literal of a head apart: a dict of the three keys with a string, a bool and a tuple of integers.
class DictParser {
   public:
    DictParser(std::string_view text, const std::string& description) : text_(text), description_(description) {}

    NpyHeader parse() {
        expect('{');
        while (!accept('}')) {
            const std::string key = string();
            expect(':');
            field(key);
            if (accept(',')) continue;
            expect('}');
            break;
        }
        skip_space();
        if (position_ != text_.size()) fail("goes on after its dict");
        if (seen_ != 7) fail("lacks one of descr, fortran_order and shape");
        return std::move(header_);
    }

   private:
    [[noreturn]] void fail(const std::string& problem) const {
        throw Error("io/format", fmt::format("{}: the .npy header {}", description_, problem));
    }

    void skip_space() {
        while (position_ < text_.size() && (text_[position_] == ' ' || text_[position_] == '\n')) ++position_;
    }
    bool accept(char c) {
        skip_space();
        if (position_ == text_.size() || text_[position_] != c) return false;
        ++position_;
        return true;
    }
    void expect(char c) {
        if (!accept(c)) fail(fmt::format("has no {} at its character {}", c, position_ + 1));
    }

    std::string string() {
        skip_space();
        const char quote = position_ < text_.size() ? text_[position_] : '\0';
        if (quote != '\'' && quote != '"') fail(fmt::format("has no string at its character {}", position_ + 1));
        const std::size_t end = text_.find(quote, ++position_);
        if (end == std::string_view::npos) fail("ends in a string");
        const std::string_view result = text_.substr(position_, end - position_);
        if (result.find('\\') != std::string_view::npos) fail("has a string with an escape");
        position_ = end + 1;
        return std::string(result);
    }

    bool word(std::string_view expected) {
        skip_space();
        if (!text_.substr(position_).starts_with(expected)) return false;
        position_ += expected.size();
        return true;
    }

    std::int64_t integer() {
        skip_space();
        const std::size_t begin = position_;
        std::optional<std::int64_t> value = 0;
        for (; position_ < text_.size() && text_[position_] >= '0' && text_[position_] <= '9'; ++position_) {
            value = value ? checked_mul(*value, 10) : value;
            value = value ? checked_add(*value, text_[position_] - '0') : value;
        }
        if (position_ == begin) fail(fmt::format("has no size at its character {}", position_ + 1));
        if (!value)
            fail(fmt::format("has the size {}, which is too large",
                             text_.substr(begin, std::min<std::size_t>(position_ - begin, 40))));
        if (position_ < text_.size() && text_[position_] == 'L') ++position_;  // as Python 2 wrote a long
        return *value;
    }

    void field(const std::string& key) {
        const unsigned bit = key == "descr" ? 1 : key == "fortran_order" ? 2 : key == "shape" ? 4 : 0;
        if (bit == 0) fail(fmt::format("has the key {}", quoted_name(key)));
        if ((seen_ & bit) != 0) fail(fmt::format("has {} twice", key));
        seen_ |= bit;
        if (bit == 1) {
            descr();
        } else if (bit == 2) {
            header_.fortran_order = word("True");
            if (!header_.fortran_order && !word("False")) fail("has a fortran_order that is not True or False");
        } else {
            shape();
        }
    }

    void descr() {
        if (accept('[')) fail("describes a structured array, which is not supported");
        const std::string descr = string();
        const char order = descr.empty() ? '\0' : descr.front();
        const bool has_order = order == '<' || order == '>' || order == '|' || order == '=';
        const std::string type = has_order ? descr.substr(1) : descr;
        if (type.starts_with('O')) fail("describes an array of Python objects, which is not supported");
        for (const auto& [name, dtype] : numpy_names) {
            if (type != name && !(type == "?" && dtype == DType::boolean)) continue;
            header_.dtype = dtype;
            header_.big_endian = order == '>';
            return;
        }
        fail(fmt::format("has the dtype {}, which is not supported", quoted_name(descr)));
    }

    void shape() {
        expect('(');
        bool comma = true;
        while (!accept(')')) {
            if (!comma) fail(fmt::format("has no , at its character {}", position_ + 1));
            header_.sizes.push_back(integer());
            if (header_.sizes.size() > static_cast<std::size_t>(max_rank))
                fail(fmt::format("has more than {} dimensions", max_rank));
            comma = accept(',');
        }
        if (header_.sizes.size() == 1 && !comma) fail("has a shape that is not a tuple");
    }

    std::string_view text_;
    const std::string& description_;
    std::size_t position_ = 0;
    unsigned seen_ = 0;
    NpyHeader header_;
};

}  // namespace

NpyHeader read_npy_header(ByteStream& stream) {
    const auto fail = [&](const std::string& problem) {
        throw Error("io/format", fmt::format("{}: {}", stream.description(), problem));
    };
    std::array<char, 8> start{};
    stream.read_exactly(std::as_writable_bytes(std::span(start)), "the .npy header");
    if (std::string_view(start.data(), npy_magic.size()) != npy_magic) fail("is not a .npy file");
    const int version = static_cast<unsigned char>(start[6]);
    const int minor = static_cast<unsigned char>(start[7]);
    if (version < 1 || version > 3 || minor != 0)
        fail(fmt::format("has version {}.{} of .npy, and 1.0, 2.0 and 3.0 are known", version, minor));
    std::array<std::byte, 4> length_bytes{};
    const std::span<std::byte> length_field = std::span(length_bytes).first(version == 1 ? 2 : 4);
    stream.read_exactly(length_field, "the .npy header");
    const std::uint64_t length = read_little_endian(length_field);
    if (length > max_header)
        fail(fmt::format("the .npy header is said to be {} bytes long; at most {} are allowed", length, max_header));
    std::string text(static_cast<std::size_t>(length), '\0');
    stream.read_exactly(std::as_writable_bytes(std::span(text)), "the .npy header");
    NpyHeader header = DictParser(text, stream.description()).parse();
    std::optional<std::int64_t> bytes = checked_product(header.sizes);
    bytes = bytes ? checked_mul(*bytes, static_cast<std::int64_t>(size_of(header.dtype))) : bytes;
    if (!bytes) fail(fmt::format("the shape ({}) is too large", fmt::join(header.sizes, ", ")));
    header.payload = static_cast<std::uint64_t>(*bytes);
    header.length = start.size() + length_field.size() + length;
    return header;
}

std::string npy_header_text(DType dtype, std::span<const std::int64_t> sizes) {
    std::string_view type;
    for (const auto& [name, candidate] : numpy_names) {
        if (candidate == dtype) type = name;
    }
    const std::string dict =
        fmt::format("{{'descr': '{}{}', 'fortran_order': False, 'shape': ({}{}), }}", size_of(dtype) == 1 ? '|' : '<',
                    type, fmt::join(sizes, ", "), sizes.size() == 1 ? "," : "");
    constexpr std::size_t before = 10;
    const std::size_t total = (before + dict.size() + 1 + 63) / 64 * 64;
    const std::size_t length = total - before;
    std::string text(npy_magic);
    text += {'\1', '\0', static_cast<char>(length & 0xff), static_cast<char>(length >> 8)};
    text += dict;
    text.resize(total - 1, ' ');
    return text + '\n';
}

}  // namespace seq
