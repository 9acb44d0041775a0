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

   private:
    struct File {
        std::shared_ptr<const std::string> text;
        std::vector<std::size_t> starts;
    };
    std::map<std::string, File> files_;
};

/// A diagnostic as a terminal shows it, its last line ended.
std::string to_text(const Diagnostic& diagnostic, SourceLines& lines, bool color);

/// "2 errors and 1 warning"; empty where there is none.
std::string count_text(const std::vector<Diagnostic>& diagnostics);

}  // namespace seq
