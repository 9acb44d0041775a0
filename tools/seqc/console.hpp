#pragma once

#include <string>
#include <string_view>

#include "graph/diagnostic.hpp"

namespace seqc {

/// `color` is auto, always or never; quiet drops notes and progress.
void set_console(const std::string& color, bool quiet);
bool color_on_output();
bool color_on_errors();

/// Results, to standard output.
void print(std::string_view text);
/// Flushes standard output; false, with an error printed, where something could not be written.
bool flush_output();

// To standard error.
void print_error(std::string_view message);
void print_error(const seq::Error& error);
void print_note(std::string_view message);

/// A line on a terminal that is drawn over; nothing elsewhere, and nothing in the first two seconds.
class Progress {
   public:
    explicit Progress(std::string label);
    ~Progress();
    Progress(const Progress&) = delete;
    Progress& operator=(const Progress&) = delete;
    /// `fraction` from 0 to 1.
    void update(double fraction);

   private:
    std::string label_;
    double started_;
    double drawn_ = 0;
    bool visible_ = false;
};

}  // namespace seqc
