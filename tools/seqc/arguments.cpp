#include "tools/seqc/arguments.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>

#include "graph/shape.hpp"
#include "tools/seqc/status.hpp"

namespace seqc {
namespace {

bool is_identifier(const std::string& text) {
    const auto word = [](unsigned char c) { return std::isalnum(c) != 0 || c == '_'; };
    return !text.empty() && std::isdigit(static_cast<unsigned char>(text[0])) == 0 &&
           std::all_of(text.begin(), text.end(), word);
}

}  // namespace

std::optional<seq::Device> parse_device(std::string_view text) {
    constexpr std::string_view prefix = "cuda:";
    if (text == "cpu") return seq::Device::cpu();
    if (text == "cuda") return seq::Device::cuda();
    if (!text.starts_with(prefix)) return std::nullopt;
    int index = 0;
    const char* const end = text.data() + text.size();
    const auto [read, error] = std::from_chars(text.data() + prefix.size(), end, index);
    if (error != std::errc() || read != end || index < 0) return std::nullopt;
    return seq::Device::cuda(index);
}

std::string device_text(const seq::Device& device) {
    if (device.kind == seq::DeviceKind::cpu) return "cpu";
    return device.index == 0 ? "cuda" : fmt::format("cuda:{}", device.index);
}

seq::Bindings parse_settings(const std::vector<std::string>& settings) {
    seq::Bindings bindings;
    for (const std::string& setting : settings) {
        const std::size_t equals = setting.find('=');
        std::int64_t value = 0;
        const char* const end = setting.data() + setting.size();
        const bool split = equals != std::string::npos && is_identifier(setting.substr(0, equals));
        const auto parsed = split ? std::from_chars(setting.data() + equals + 1, end, value) : std::from_chars_result{};
        if (!split || parsed.ec != std::errc() || parsed.ptr != end || value < 1)
            throw UsageError(
                fmt::format("--set takes SYMBOL=INT with a positive INT, such as N=32, but gets '{}'", setting));
        if (!bindings.emplace(setting.substr(0, equals), value).second)
            throw UsageError(fmt::format("--set gives '{}' twice", setting.substr(0, equals)));
    }
    return bindings;
}

std::map<std::string, std::vector<std::string>> parse_shapes(const std::vector<std::string>& shapes) {
    std::map<std::string, std::vector<std::string>> parsed;
    for (const std::string& text : shapes) {
        const std::size_t equals = text.find('=');
        const std::string name = equals == std::string::npos ? "" : text.substr(0, equals);
        std::vector<std::string> dims;
        std::string dim;
        const std::string list = equals == std::string::npos ? text : text.substr(equals + 1);
        for (const char c : list + ",") {
            if (c != ',') {
                dim += c;
                continue;
            }
            const bool number = !dim.empty() && std::all_of(dim.begin(), dim.end(),
                                                            [](unsigned char d) { return std::isdigit(d) != 0; });
            const bool zero = number && dim.find_first_not_of('0') == std::string::npos;
            if (name.empty() || zero || (!number && !is_identifier(dim)) || dim.size() > 18)
                throw UsageError(
                    fmt::format("--shape takes NAME=DIM,DIM,... such as x=N,3,64,64, but gets '{}'", text));
            dims.push_back(std::move(dim));
            dim.clear();
        }
        if (dims.size() > static_cast<std::size_t>(seq::max_rank))
            throw UsageError(fmt::format("--shape gives '{}' {} dimensions; at most {} are supported", name,
                                         dims.size(), seq::max_rank));
        if (!parsed.emplace(name, std::move(dims)).second)
            throw UsageError(fmt::format("--shape gives '{}' twice", name));
    }
    return parsed;
}

NamedFile parse_named_file(const std::string& text) {
    const std::size_t equals = text.find('=');
    if (equals == std::string::npos) return {"", text};
    return {text.substr(0, equals), text.substr(equals + 1)};
}

}  // namespace seqc
