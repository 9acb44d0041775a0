#include "kernels/device_report.hpp"

namespace seq {

std::string list_math_modes(const std::function<std::string(MathMode)>& lack_of) {
    std::string text;
    for (const MathMode mode : all_math_modes) {
        if (lack_of(mode).empty()) text.append(text.empty() ? "" : ", ").append(name_of(mode));
    }
    return text;
}

}  // namespace seq
