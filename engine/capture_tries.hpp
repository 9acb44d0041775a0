#pragma once

#include <string>
#include <utility>

namespace seq {

/// When a run whose capture was disturbed is captured again: at the next run, and each time that fails after twice as
/// many, until one succeeds or so many failed in a row that none is tried any more.
class CaptureTries {
   public:
    static constexpr int most = 8;

    /// Whether to capture in this run.
    bool is_due() {
        if (failures_ == most) return false;
        if (runs_left_ == 0) return true;
        --runs_left_;
        return false;
    }
    void succeed() { *this = {}; }
    void fail(std::string reason) {
        reason_ = std::move(reason);
        runs_left_ = (1 << failures_) - 1;
        ++failures_;
    }
    /// Of the last failure; empty where the last try succeeded.
    const std::string& reason() const { return reason_; }

   private:
    int failures_ = 0;
    int runs_left_ = 0;
    std::string reason_;
};

}  // namespace seq
