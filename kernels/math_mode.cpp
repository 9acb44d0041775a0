#include "kernels/math_mode.hpp"

namespace seq {

std::string_view name_of(MathMode mode) {
    switch (mode) {
        case MathMode::f32: break;
        case MathMode::tf32: return "tf32";
        case MathMode::f16: return "f16";
        case MathMode::bf16: return "bf16";
    }
    return "f32";
}

std::optional<MathMode> parse_math_mode(std::string_view name) {
    for (const MathMode mode : all_math_modes) {
        if (name_of(mode) == name) return mode;
    }
    return std::nullopt;
}

Kept kept_in(MathMode mode) {
    if (mode == MathMode::f16) return Kept::f16;
    return mode == MathMode::bf16 ? Kept::bf16 : Kept::own;
}

DType storage_type(MathMode mode) { return dtype_of(kept_in(mode)); }

}  // namespace seq
