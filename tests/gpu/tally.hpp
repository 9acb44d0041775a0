#pragma once

#include <string>
#include <vector>

#include "kernels/math_mode.hpp"

namespace seq::tests {

/// Whether there is time left of SEQ_GPU_SECONDS, from the start of the process.
bool is_time_left();

/// Relative distances of one kind of comparison in one mode: checks each, and when it goes writes a line of JSON into
/// the file that SEQ_GPU_RESULTS names: how many there were, the worst, and what failed.
class Tally {
   public:
    Tally(std::string what, MathMode math, double allowed);
    ~Tally();
    Tally(const Tally&) = delete;
    Tally& operator=(const Tally&) = delete;

    void compare(const std::string& name, double distance);
    /// A condition that is no distance.
    void require(bool holds, const std::string& name, const std::string& what);
    /// Calls `body`, whose errors are failures of `name`; leaves it out where no time is left.
    template <class Body>
    void attempt(const std::string& name, const Body& body) {
        if (!is_time_left()) return leave_out();
        tell("at", name);
        try {
            body();
        } catch (const std::exception& error) {
            require(false, name, error.what());
        }
    }
    /// Within an attempt: what it goes on to, and that it is planned and runs, which takes seconds at most.
    void at(const std::string& name) const { tell("at", name); }
    void runs(const std::string& name) const { tell("runs", name); }
    void leave_out(std::size_t how_many = 1) { left_out_ += how_many; }
    void note(std::string text) { notes_.push_back(std::move(text)); }

   private:
    /// Tells tools/gpu_check, which ends a process that takes too long and loses what the tally did not write yet.
    void tell(const char* what, const std::string& name) const;

    std::string what_;
    MathMode math_;
    double allowed_;
    std::size_t checked_ = 0, left_out_ = 0;
    double worst_ = 0;
    std::string worst_name_;
    std::vector<std::string> failed_, notes_;
};

}  // namespace seq::tests
