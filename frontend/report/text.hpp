#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "graph/diagnostic.hpp"

namespace seq {

/// The lines that diagnostics quote: of texts that are at hand, else of files.
class SourceLines {
   public:
    void add(const std::string& file, std::shared_ptr<const std::string> text);
    /// Empty where there is no such line.
    std::string_view line(const std::string& file, int number);

    /// A part of a line, in time that does not grow with the line.
    struct Piece {
        std::string_view text;
        /// The columns of its first code point and of the one past its last.
        std::size_t first = 1;
        std::size_t last = 1;
        /// Whether the line goes on after it.
        bool cut = false;
    };
    /// A short line whole; of a longer one `width` code points, from `margin` before the column on.
    Piece piece(const std::string& file, int number, std::size_t column, std::size_t width, std::size_t margin);

   private:
    struct File {
        std::shared_ptr<const std::string> text;
        std::vector<std::size_t> starts;
        /// How many code points begin before each `stride`-th byte.
        std::vector<std::size_t> counts;
    };
    static constexpr std::size_t stride = 4096;

    const File& file(const std::string& name);
    static std::size_t code_points_before(const File& file, std::size_t byte);
    static std::size_t byte_of_code_point(const File& file, std::size_t index);
    std::map<std::string, File> files_;
};

/// A diagnostic as a terminal shows it, its last line ended.
std::string to_text(const Diagnostic& diagnostic, SourceLines& lines, bool color);

/// "2 errors and 1 warning"; empty where there is none.
std::string count_text(const std::vector<Diagnostic>& diagnostics);

}  // namespace seq
