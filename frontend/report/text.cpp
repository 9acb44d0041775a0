#include "frontend/report/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <utility>

#include "frontend/json/utf8.hpp"

namespace seq {
namespace {

constexpr std::size_t widest_line = 160;
constexpr std::size_t margin = 40;
constexpr std::size_t longest_text = 4000;
constexpr std::size_t largest_file = std::size_t{64} << 20;

constexpr std::string_view red = "\x1b[1;31m";
constexpr std::string_view yellow = "\x1b[1;33m";
constexpr std::string_view blue = "\x1b[1;34m";
constexpr std::string_view green = "\x1b[1;32m";
constexpr std::string_view bold = "\x1b[1m";

std::string_view word_of(Severity severity) {
    switch (severity) {
        case Severity::error: return "error";
        case Severity::warning: return "warning";
        case Severity::note: return "note";
    }
    return {};
}

std::shared_ptr<const std::string> read_file(const std::string& path) {
    std::ifstream stream(path, std::ios::binary);
    auto text = std::make_shared<std::string>();
    char buffer[1 << 16];
    while (stream && text->size() < largest_file) {
        stream.read(buffer, sizeof buffer);
        text->append(buffer, static_cast<std::size_t>(stream.gcount()));
    }
    return text;
}

/// As many columns as code points: control characters would move the cursor, a tab or a mark that takes no place the
/// caret, and bytes that are no UTF-8 are none.
std::string printable(std::string_view text) {
    constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
    std::string result;
    while (!text.empty()) {
        const std::size_t sound = std::min(json::find_invalid_utf8(text), text.size());
        for (std::size_t i = 0; i < sound; ++i) {
            const bool control = static_cast<unsigned char>(text[i]) < 0x20 || text[i] == 0x7f;
            const bool mark = text.substr(i, 3) == byte_order_mark;
            result += text[i] == '\t' ? ' ' : control || mark ? '?' : text[i];
            if (mark) i += 2;
        }
        text.remove_prefix(sound);
        if (text.empty()) break;
        result += '?';
        text.remove_prefix(1);
    }
    return result;
}

bool begins_code_point(char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }

/// No more than a reader may be asked to take in of one text, and no half code point.
std::string_view shortened(std::string_view text) {
    if (text.size() <= longest_text) return text;
    std::size_t end = longest_text;
    while (end > 0 && !begins_code_point(text[end])) --end;
    return text.substr(0, end);
}

class Writer {
   public:
    Writer(const Diagnostic& diagnostic, SourceLines& lines, bool color)
        : diagnostic_(diagnostic), lines_(lines), color_(color) {}

    std::string run() {
        const std::string_view hue = diagnostic_.severity == Severity::error ? red : yellow;
        text_ += paint(fmt::format("{}[{}]", word_of(diagnostic_.severity), diagnostic_.code), hue);
        text_ += paint(": " + printable_lines(diagnostic_.message), bold) + "\n";
        write_place(hue);
        write_chain();
        for (const std::string& note : diagnostic_.notes) write_item("note: ", printable_lines(note));
        for (const Fix& fix : diagnostic_.fixes) {
            const std::string label = fix.certain ? "fix (certain to build): " : "fix: ";
            write_item(color_ ? paint(label, green) : label, printable_lines(fix.message));
        }
        return std::move(text_);
    }

   private:
    std::string paint(const std::string& text, std::string_view hue) const {
        return color_ ? fmt::format("{}{}\x1b[0m", hue, text) : text;
    }

    static std::string printable_lines(const std::string& text) {
        const std::string_view part = shortened(text);
        return printable(part) + (part.size() < text.size() ? "…" : "");
    }

    std::string gutter() const { return std::string(width_, ' '); }

    void write_place(std::string_view hue) {
        const SourceSpan& where = diagnostic_.where;
        const bool known = where.line > 0 && where.file;
        width_ = known ? std::to_string(where.line).size() : 1;
        if (!known) return;
        text_ += fmt::format("{}{} {}:{}:{}\n", gutter(), paint("-->", blue), *where.file, where.line, where.column);
        const auto column = static_cast<std::size_t>(std::max(where.column, 1));
        const SourceLines::Piece piece = lines_.piece(*where.file, where.line, column, widest_line, margin);
        if (!piece.text.empty()) write_piece(piece, where, hue);
    }

    /// A line, or a piece of a long one, and carets under the part that is meant.
    void write_piece(const SourceLines::Piece& piece, const SourceSpan& where, std::string_view hue) {
        const std::size_t first = piece.first;
        const auto column = std::min(static_cast<std::size_t>(std::max(where.column, 1)), piece.last);
        std::size_t end = where.end_column > where.column ? static_cast<std::size_t>(where.end_column) : column + 1;
        if (where.end_column == 0 && where.column > 0 && column < piece.last) end = piece.last;
        end = std::max(column + 1, std::min(end, piece.last));
        const std::string shown = (first > 1 ? "…" : "") + printable(piece.text) + (piece.cut ? "…" : "");
        const std::string bar = paint("|", blue);
        text_ += fmt::format("{} {}\n", gutter(), bar);
        text_ += fmt::format("{} {} {}\n", paint(std::to_string(where.line), blue), bar, shown);
        const std::string carets(end - column, '^');
        text_ += fmt::format("{} {} {}{}\n", gutter(), bar, std::string(column - first + (first > 1 ? 1 : 0), ' '),
                             paint(carets, hue));
    }

    void write_item(const std::string& label, const std::string& text) {
        text_ += fmt::format("{} {} {}{}\n", gutter(), paint("=", blue), label, text);
    }

    static std::string pad(const std::string& text, std::size_t width) {
        const std::size_t own = json::count_code_points(text);
        return text + std::string(width > own ? width - own : 0, ' ');
    }

    void write_chain() {
        std::size_t names = 0;
        std::size_t types = 0;
        std::size_t texts = 0;
        std::size_t formulas = 0;
        for (const ChainLink& link : diagnostic_.chain) {
            names = std::max(names, json::count_code_points(link.layer) + 2);
            types = std::max(types, json::count_code_points(link.type));
            texts = std::max(texts, json::count_code_points(link.text));
            formulas = std::max(formulas, json::count_code_points(link.formula));
        }
        for (std::size_t i = 0; i < diagnostic_.chain.size(); ++i) {
            const ChainLink& link = diagnostic_.chain[i];
            std::string line = fmt::format("{} {} {}", pad("`" + link.layer + "`", names), pad(link.type, types),
                                           pad(link.text, texts));
            if (formulas > 0) line += "  " + pad(link.formula, formulas);
            if (link.where.line > 0 && link.where.file)
                line += fmt::format("  ({}:{}:{})", *link.where.file, link.where.line, link.where.column);
            line.erase(line.find_last_not_of(' ') + 1);
            if (i == 0) {
                write_item("from: ", line);
            } else {
                text_ += fmt::format("{}   {}{}\n", gutter(), std::string(6, ' '), line);
            }
        }
    }

    const Diagnostic& diagnostic_;
    SourceLines& lines_;
    bool color_;
    std::size_t width_ = 1;
    std::string text_;
};

std::string plural(std::size_t count, std::string_view word) {
    return count == 1 ? fmt::format("1 {}", word) : fmt::format("{} {}s", count, word);
}

}  // namespace

void SourceLines::add(const std::string& file, std::shared_ptr<const std::string> text) {
    File& entry = files_[file];
    if (text == nullptr || entry.text == text) return;
    entry.text = std::move(text);
    entry.starts.assign(1, 0);
    entry.counts.clear();
    std::size_t count = 0;
    for (std::size_t i = 0; i < entry.text->size(); ++i) {
        const char c = (*entry.text)[i];
        if (i % stride == 0) entry.counts.push_back(count);
        if (c == '\n') entry.starts.push_back(i + 1);
        count += begins_code_point(c) ? 1 : 0;
    }
    if (entry.text->size() % stride == 0) entry.counts.push_back(count);
}

const SourceLines::File& SourceLines::file(const std::string& name) {
    if (!files_.contains(name)) add(name, read_file(name));
    return files_[name];
}

std::string_view SourceLines::line(const std::string& name, int number) {
    const File& entry = file(name);
    if (entry.text == nullptr || number < 1 || static_cast<std::size_t>(number) > entry.starts.size()) return {};
    const auto index = static_cast<std::size_t>(number);
    const std::size_t begin = entry.starts[index - 1];
    std::size_t end = index < entry.starts.size() ? entry.starts[index] - 1 : entry.text->size();
    if (end > begin && (*entry.text)[end - 1] == '\r') --end;
    return std::string_view(*entry.text).substr(begin, end - begin);
}

std::size_t SourceLines::code_points_before(const File& file, std::size_t byte) {
    std::size_t count = file.counts[byte / stride];
    for (std::size_t i = byte / stride * stride; i < byte; ++i) count += begins_code_point((*file.text)[i]) ? 1 : 0;
    return count;
}

/// The text's size where it has no such code point.
std::size_t SourceLines::byte_of_code_point(const File& file, std::size_t index) {
    const auto after = std::upper_bound(file.counts.begin(), file.counts.end(), index);
    const auto block = static_cast<std::size_t>(after - file.counts.begin()) - 1;
    std::size_t seen = file.counts[block];
    for (std::size_t i = block * stride; i < file.text->size(); ++i) {
        if (begins_code_point((*file.text)[i]) && seen++ == index) return i;
    }
    return file.text->size();
}

SourceLines::Piece SourceLines::piece(const std::string& name, int number, std::size_t column, std::size_t width,
                                      std::size_t margin) {
    const std::string_view whole = line(name, number);
    if (whole.empty()) return {};
    const File& entry = file(name);
    const auto begin = static_cast<std::size_t>(whole.data() - entry.text->data());
    const std::size_t before = code_points_before(entry, begin);
    const std::size_t total = code_points_before(entry, begin + whole.size()) - before;
    if (total <= width) return {whole, 1, total + 1, false};
    column = std::min(column, total + 1);
    Piece piece;
    piece.first = column > margin ? column - margin : 1;
    piece.last = std::min(total + 1, piece.first + width);
    piece.cut = piece.last <= total;
    const std::size_t from = byte_of_code_point(entry, before + piece.first - 1);
    const std::size_t to = piece.cut ? byte_of_code_point(entry, before + piece.last - 1) : begin + whole.size();
    piece.text = whole.substr(from - begin, to - from);
    return piece;
}

std::string to_text(const Diagnostic& diagnostic, SourceLines& lines, bool color) {
    return Writer(diagnostic, lines, color).run();
}

std::string count_text(const std::vector<Diagnostic>& diagnostics) {
    const auto count = [&](Severity severity) {
        return static_cast<std::size_t>(std::count_if(diagnostics.begin(), diagnostics.end(),
                                                      [&](const Diagnostic& d) { return d.severity == severity; }));
    };
    const std::size_t errors = count(Severity::error);
    const std::size_t warnings = count(Severity::warning);
    if (errors == 0 && warnings == 0) return {};
    if (errors == 0) return plural(warnings, "warning");
    if (warnings == 0) return plural(errors, "error");
    return plural(errors, "error") + " and " + plural(warnings, "warning");
}

}  // namespace seq
