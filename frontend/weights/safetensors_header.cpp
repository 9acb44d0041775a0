#include "frontend/weights/safetensors_header.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <limits>
#include <optional>
#include <utility>

#include "frontend/io/quoted_name.hpp"
#include "frontend/weights/safetensors_json.hpp"
#include "frontend/weights/weight_errors.hpp"
#include "graph/checked.hpp"

namespace seq {
namespace {

constexpr std::array<std::pair<std::string_view, DType>, 9> dtype_names{{
    {"F32", DType::f32},
    {"BF16", DType::bf16},
    {"F16", DType::f16},
    {"F64", DType::f64},
    {"I64", DType::i64},
    {"I32", DType::i32},
    {"I8", DType::i8},
    {"U8", DType::u8},
    {"BOOL", DType::boolean},
}};

std::optional<DType> dtype_of(std::string_view name) {
    const auto* found =
        std::find_if(dtype_names.begin(), dtype_names.end(), [&](const auto& pair) { return pair.first == name; });
    return found == dtype_names.end() ? std::nullopt : std::optional(found->second);
}

/// Why a record is no tensor; empty where it is one, which `out` then is.
std::string check_record(const SafetensorsRecord& record, SafetensorsEntry& out) {
    const auto problem = [&](const std::string& text) {
        return fmt::format("tensor {}{}", quoted_name(record.name), text);
    };
    const char* missing = !record.dtype     ? "dtype"
                          : !record.shape   ? "shape"
                          : !record.offsets ? "data_offsets"
                                            : nullptr;
    if (missing != nullptr) return problem(fmt::format(" has no {}", missing));
    const std::optional<DType> dtype = dtype_of(*record.dtype);
    if (!dtype) return problem(fmt::format(" has the dtype {}, which is not supported", quoted_name(*record.dtype)));
    if (record.shape->size() > static_cast<std::size_t>(max_rank)) {
        return problem(fmt::format(" has more than {} dimensions", max_rank));
    }
    if (record.offsets->size() != 2) return problem(": its data_offsets are not two numbers");
    out.entry = {record.name, *dtype, {}};
    std::optional<std::int64_t> bytes = static_cast<std::int64_t>(size_of(*dtype));
    for (const std::uint64_t size : *record.shape) {
        const bool fits = size <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
        bytes = fits && bytes ? checked_mul(*bytes, static_cast<std::int64_t>(size)) : std::nullopt;
        out.entry.sizes.push_back(fits ? static_cast<std::int64_t>(size) : 0);
    }
    const std::string shape = fmt::format("[{}]", fmt::join(*record.shape, ", "));
    if (!bytes) return problem(fmt::format(": the shape {} is too large", shape));
    out.begin = (*record.offsets)[0];
    out.end = (*record.offsets)[1];
    if (out.end < out.begin)
        return problem(fmt::format(": its data_offsets [{}, {}] are reversed", out.begin, out.end));
    if (out.end - out.begin != static_cast<std::uint64_t>(*bytes)) {
        return problem(fmt::format(" has {} bytes, but {} of shape {} takes {}", out.end - out.begin, *record.dtype,
                                   shape, *bytes));
    }
    return {};
}

/// The tensors must follow each other without overlaps and holes, from the first byte to the last.
void check_coverage(const std::vector<SafetensorsEntry>& tensors, std::uint64_t data_size,
                    std::vector<std::string>& problems) {
    std::vector<const SafetensorsEntry*> order;
    for (const SafetensorsEntry& tensor : tensors) order.push_back(&tensor);
    std::stable_sort(order.begin(), order.end(), [](const SafetensorsEntry* a, const SafetensorsEntry* b) {
        return std::pair(a->begin, a->end) < std::pair(b->begin, b->end);
    });
    std::uint64_t covered = 0;
    const SafetensorsEntry* last = nullptr;
    for (const SafetensorsEntry* tensor : order) {
        if (problems.size() >= max_file_problems) {
            problems.emplace_back("and more");
            return;
        }
        const std::string name = quoted_name(tensor->entry.name);
        if (tensor->begin < covered) {
            problems.push_back(fmt::format("tensors {} and {} overlap in the bytes {} to {}",
                                           quoted_name(last->entry.name), name, tensor->begin,
                                           std::min(std::max(tensor->end, tensor->begin + 1), covered)));
        } else if (tensor->begin > covered) {
            problems.push_back(
                fmt::format("the bytes {} to {} before tensor {} belong to no tensor", covered, tensor->begin, name));
        }
        if (tensor->end >= covered) last = tensor;
        covered = std::max(covered, tensor->end);
    }
    if (covered < data_size) {
        problems.push_back(fmt::format("{} bytes follow the last tensor's data", data_size - covered));
    } else if (covered > data_size) {
        problems.push_back(fmt::format("the file is truncated: tensor {} ends at byte {} of the data, which has {}",
                                       quoted_name(last->entry.name), covered, data_size));
    }
}

}  // namespace

SafetensorsHeader parse_safetensors_header(std::string_view text, std::uint64_t data_size) {
    SafetensorsRecords json = read_safetensors_json(text);
    SafetensorsHeader header{{}, std::move(json.problems)};
    for (const SafetensorsRecord& record : json.records) {
        if (record.faulty) continue;
        if (header.problems.size() >= max_file_problems) break;
        SafetensorsEntry tensor;
        std::string problem = check_record(record, tensor);
        if (problem.empty()) {
            header.tensors.push_back(std::move(tensor));
        } else {
            header.problems.push_back(std::move(problem));
        }
    }
    // A tensor that was refused leaves holes: they would only repeat its problem.
    if (header.problems.empty()) check_coverage(header.tensors, data_size, header.problems);
    return header;
}

}  // namespace seq
