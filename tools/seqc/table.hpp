#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace seqc {

/// Rows of text in columns as wide as their widest cell; columns from `first_number` on are right-aligned.
class Table {
   public:
    explicit Table(std::vector<std::string> header, std::size_t first_number, std::size_t end_number)
        : header_(std::move(header)), first_number_(first_number), end_number_(end_number) {}
    void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
    std::string to_string() const;

   private:
    std::string line(const std::vector<std::string>& row, const std::vector<std::size_t>& widths) const;
    std::vector<std::string> header_;
    std::size_t first_number_;
    std::size_t end_number_;
    std::vector<std::vector<std::string>> rows_;
};

/// Columns that a UTF-8 text takes on a terminal, each code point counted as one.
std::size_t display_width(const std::string& text);

/// 1234567 -> "1,234,567"
std::string with_commas(std::int64_t number);

/// 12345678 -> "11.8 MiB"
std::string bytes_text(double bytes);

/// "1 step", "12 steps"
std::string counted(std::size_t count, const std::string& noun);

}  // namespace seqc
