#include "frontend/weights/weight_errors.hpp"

#include <fmt/format.h>

#include <memory>

namespace seq {
namespace {

BuildError make_error(const std::string& code, std::vector<std::string> messages,
                      std::shared_ptr<const std::string> file) {
    std::vector<Diagnostic> diagnostics;
    std::string text;
    for (std::string& message : messages) {
        text += (text.empty() ? "" : "\n") + message;
        Diagnostic diagnostic;
        diagnostic.code = code;
        diagnostic.message = std::move(message);
        diagnostic.where.file = file;
        diagnostics.push_back(std::move(diagnostic));
    }
    return BuildError(std::move(diagnostics), text);
}

}  // namespace

BuildError weight_file_error(const std::string& path, std::span<const std::string> problems) {
    std::vector<std::string> messages;
    for (const std::string& problem : problems) messages.push_back(fmt::format("{}: {}", path, problem));
    return make_error("weights/file", std::move(messages), std::make_shared<const std::string>(path));
}

BuildError as_weight_error(const Error& error) {
    return make_error(error.code() == "io/path" ? "weights/path" : "weights/file", {error.what()}, nullptr);
}

}  // namespace seq
