#include "kernels/cuda/cudnn/status.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>
#include <vector>

namespace seq::cuda {
namespace {

/// Without line breaks and repeated spaces.
std::string in_one_line(std::string_view text) {
    std::string line;
    for (const char c : text) {
        const bool space = c == '\n' || c == '\r' || c == '\t' || c == ' ';
        if (!space) {
            line += c;
        } else if (!line.empty() && line.back() != ' ') {
            line += ' ';
        }
    }
    if (!line.empty() && line.back() == ' ') line.pop_back();
    return line;
}

/// cuDNN writes each chain as a block of "Warning: STATUS; Reason: why" lines, from the cause on, with an empty line
/// between blocks.
std::vector<std::string> first_reasons(std::string_view text) {
    constexpr std::string_view mark = "; Reason: ";
    std::vector<std::string> reasons;
    bool in_chain = false;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        const std::string line = in_one_line(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
        const std::size_t found = line.find(mark);
        if (found == std::string::npos) {
            in_chain = false;
        } else if (!std::exchange(in_chain, true)) {
            const std::size_t status = line.find("CUDNN_STATUS_");
            std::string reason = line.substr(status == std::string::npos ? 0 : status);
            const bool of_placeholder = reason.find("global index -1") != std::string::npos;
            if (!of_placeholder && std::find(reasons.begin(), reasons.end(), reason) == reasons.end())
                reasons.push_back(std::move(reason));
        }
    }
    return reasons;
}

/// Whether the text says of a call of CUDA's that it found no room: then cuDNN's own status need not.
bool names_lack_of_memory(std::string_view text) {
    constexpr std::string_view names[] = {"out of memory", "cudaErrorMemoryAllocation", "CUDA_ERROR_OUT_OF_MEMORY"};
    return std::any_of(std::begin(names), std::end(names),
                       [&](std::string_view name) { return text.find(name) != std::string_view::npos; });
}

std::string message(const Cudnn& cudnn, cudnnStatus_t status, std::string_view doing, const std::string& detail) {
    const char* const name = cudnn.error_string(status);
    const std::string text =
        fmt::format("{}: {} ({})", doing, name != nullptr ? name : "cuDNN", static_cast<int>(status));
    return detail.empty() ? text : text + ": " + detail;
}

/// What a status of the environment says that is missing.
std::string_view lack_of(cudnnStatus_t status) {
    switch (status) {
        case CUDNN_STATUS_NOT_INITIALIZED: return "it does not start: a driver or a library that it needs is missing";
        case CUDNN_STATUS_SUBLIBRARY_VERSION_MISMATCH:
            return "one of its sub-libraries (libcudnn_*.so.9) is of another version than libcudnn.so.9";
        case CUDNN_STATUS_SUBLIBRARY_LOADING_FAILED:
            return "one of its sub-libraries (libcudnn_*.so.9) is missing or cannot be loaded";
        default: return "a library or a licence that it needs does not fit";
    }
}

}  // namespace

StatusClass class_of(cudnnStatus_t status) {
    switch (static_cast<int>(status) / 1000) {
        case 0: return status == CUDNN_STATUS_SUCCESS ? StatusClass::success : StatusClass::internal;
        case 1: return StatusClass::environment;
        case 2: return StatusClass::misuse;
        case 3: return StatusClass::unsupported;
        case 5: return StatusClass::execution;
        default: return StatusClass::internal;
    }
}

std::string_view name_of(StatusClass status_class) {
    switch (status_class) {
        case StatusClass::success: return "success";
        case StatusClass::environment: return "environment";
        case StatusClass::misuse: return "misuse";
        case StatusClass::unsupported: return "unsupported";
        case StatusClass::internal: return "internal";
        case StatusClass::execution: return "execution";
    }
    return "";
}

CudnnError::CudnnError(const Cudnn& cudnn, cudnnStatus_t status, std::string_view doing)
    : CudnnError(cudnn, status, doing, take_last_error(cudnn)) {}

CudnnError::CudnnError(const Cudnn& cudnn, cudnnStatus_t status, std::string_view doing, std::string detail)
    : std::runtime_error(message(cudnn, status, doing, detail)), status_(status), detail_(std::move(detail)) {}

bool CudnnError::is_refusal() const {
    return !is_short_of_memory() &&
           (status_class() == StatusClass::unsupported || status_class() == StatusClass::internal);
}

bool CudnnError::is_short_of_memory() const {
    if (status_ == CUDNN_STATUS_INTERNAL_ERROR_HOST_ALLOCATION_FAILED ||
        status_ == CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED)
        return true;
    const bool may_be = status_class() == StatusClass::internal || status_class() == StatusClass::execution;
    return may_be && names_lack_of_memory(detail_);
}

Error error_of(const CudnnError& error, std::string_view what, const RuntimeApi* api) {
    if (api != nullptr) api->take_last_error();
    if (!error.is_short_of_memory()) return {"device/failed", fmt::format("cuDNN fails at {}: {}", what, error.what())};
    if (error.status() == CUDNN_STATUS_INTERNAL_ERROR_HOST_ALLOCATION_FAILED)
        return {"device/memory",
                fmt::format("the host has no room for what {} takes of cuDNN: {}", what, error.what())};
    const std::string free = api != nullptr ? free_memory_text(*api) + ": " : std::string();
    return {"device/memory", fmt::format("the GPU has no room for what {} takes: {}{}", what, free, error.what())};
}

Error error_of_planning(const CudnnError& error, const RuntimeApi* api) {
    if (error.status_class() != StatusClass::environment) return error_of(error, "planning", api);
    if (api != nullptr) api->take_last_error();
    return {"device/unavailable",
            fmt::format("cuDNN cannot plan on this machine: {}: {}", lack_of(error.status()), error.what())};
}

std::string take_last_error(const Cudnn& cudnn) {
    std::array<char, 4096> text{};
    if (cudnn.last_error != nullptr) cudnn.last_error(text.data(), text.size());
    text.back() = '\0';
    std::string reasons;
    for (const std::string& reason : first_reasons(text.data())) reasons += (reasons.empty() ? "" : "; ") + reason;
    return reasons.empty() ? in_one_line(text.data()) : reasons;
}

void check(const Cudnn& cudnn, cudnnStatus_t status, std::string_view doing) {
    if (status != CUDNN_STATUS_SUCCESS) throw CudnnError(cudnn, status, doing);
}

}  // namespace seq::cuda
