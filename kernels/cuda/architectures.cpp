#include "kernels/cuda/architectures.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace seq::cuda {

Architectures::Architectures(std::string_view list) {
    while (!list.empty()) {
        const std::size_t end = std::min(list.find(','), list.size());
        const std::string_view name = list.substr(0, end);
        list.remove_prefix(std::min(end + 1, list.size()));
        Code code;
        const auto [rest, error] = std::from_chars(name.data(), name.data() + name.size(), code.capability);
        if (error != std::errc()) continue;
        const std::string_view tail = name.substr(static_cast<std::size_t>(rest - name.data()));
        const std::size_t dash = std::min(tail.find('-'), tail.size());
        code.suffix = tail.substr(0, dash);
        const std::string_view kind = tail.substr(dash);
        if (kind != "-virtual") codes_.push_back(code);
        code.is_virtual = true;
        if (kind != "-real") codes_.push_back(code);
    }
}

bool Architectures::serves(const Code& code, int capability) {
    if (code.suffix == "a") return capability == code.capability;
    if (capability < code.capability) return false;
    return capability / 10 == code.capability / 10 || (code.is_virtual && code.suffix.empty());
}

bool Architectures::serve(int capability) const {
    return codes_.empty() ||
           std::any_of(codes_.begin(), codes_.end(), [&](const Code& code) { return serves(code, capability); });
}

std::string Architectures::text() const {
    std::string text;
    for (const Code& code : codes_)
        text += fmt::format("{}{}_{}{}", text.empty() ? "" : ", ", code.is_virtual ? "compute" : "sm", code.capability,
                            code.suffix);
    return text;
}

}  // namespace seq::cuda
