#include "tools/seqc/table.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace seqc {

std::size_t display_width(const std::string& text) {
    return static_cast<std::size_t>(
        std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

std::string Table::line(const std::vector<std::string>& row, const std::vector<std::size_t>& widths) const {
    std::string text;
    for (std::size_t c = 0; c < row.size(); ++c) {
        const std::string padding(widths[c] - display_width(row[c]), ' ');
        const bool number = c >= first_number_ && c < end_number_;
        text += number ? padding + row[c] : row[c] + padding;
        text += "  ";
    }
    text.erase(text.find_last_not_of(' ') + 1);
    return text + "\n";
}

std::string Table::to_string() const {
    std::vector<std::size_t> widths;
    for (const std::string& cell : header_) widths.push_back(display_width(cell));
    for (const auto& row : rows_) {
        for (std::size_t c = 0; c < row.size(); ++c) widths[c] = std::max(widths[c], display_width(row[c]));
    }
    std::string text = line(header_, widths);
    std::size_t width = 0;
    for (const std::size_t w : widths) width += w + 2;
    for (std::size_t i = 2; i < width; ++i) text += "─";
    text += "\n";
    for (const auto& row : rows_) text += line(row, widths);
    return text;
}

std::string with_commas(std::int64_t number) {
    std::string text = std::to_string(number);
    for (auto i = static_cast<std::ptrdiff_t>(text.size()) - 3; i > (number < 0 ? 1 : 0); i -= 3)
        text.insert(static_cast<std::size_t>(i), ",");
    return text;
}

std::string bytes_text(double bytes) {
    constexpr const char* units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    int unit = 0;
    for (; bytes >= 1024 && unit < 4; ++unit) bytes /= 1024;
    return unit == 0 ? fmt::format("{:.0f} B", bytes) : fmt::format("{:.1f} {}", bytes, units[unit]);
}

std::string counted(std::size_t count, const std::string& noun) {
    return fmt::format("{} {}{}", with_commas(static_cast<std::int64_t>(count)), noun, count == 1 ? "" : "s");
}

}  // namespace seqc
