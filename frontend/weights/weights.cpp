#include "frontend/weights/weights.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "frontend/io/byte_source.hpp"
#include "frontend/io/file_kind.hpp"
#include "frontend/io/quoted_name.hpp"
#include "frontend/weights/npz.hpp"
#include "frontend/weights/safetensors.hpp"
#include "frontend/weights/weight_errors.hpp"

namespace seq {
namespace {

namespace fs = std::filesystem;

std::string first_bytes(const ByteSource& source) {
    std::string start(static_cast<std::size_t>(std::min<std::uint64_t>(source.size(), file_kind_bytes)), '\0');
    source.read_at(0, std::as_writable_bytes(std::span(start)));
    return start;
}

[[noreturn]] void refuse_path(std::string_view path, std::string_view problem) {
    throw Error("weights/path", fmt::format("the weights {} {}", quoted_name(path), problem));
}

bool is_inside(const fs::path& path, const fs::path& folder) {
    const fs::path relative = path.lexically_relative(folder);
    return !relative.empty() && *relative.begin() != "..";
}

}  // namespace

std::shared_ptr<WeightSource> load_weights(const std::string& path) {
    std::string start;
    std::unique_ptr<ByteSource> source;
    with_weight_errors([&] {
        source = open_file(path);
        start = first_bytes(*source);
    });
    if (start.starts_with("PK\3\4") || start.starts_with("PK\5\6")) return std::make_shared<NpzFile>(std::move(source));
    if (const std::string why(why_no_weights(file_kind(start, path))); !why.empty())
        throw weight_file_error(path, std::array{why});
    return std::make_shared<SafetensorsFile>(std::move(source));
}

std::string resolve_weight_path(const std::string& spec_folder, std::string_view relative) {
    if (relative.empty()) refuse_path(relative, "name no file");
    if (relative.find('\0') != std::string_view::npos) refuse_path(relative, "are no path: it holds a NUL");
    const fs::path written(relative);
    if (written.is_absolute()) refuse_path(relative, "must be inside the model's folder: the path is absolute");
    const fs::path plain = written.lexically_normal();
    if (*plain.begin() == "..") refuse_path(relative, "must be inside the model's folder: the path leads out of it");
    std::error_code error;
    const fs::path folder = fs::canonical(spec_folder.empty() ? "." : spec_folder, error);
    const fs::path found = error ? fs::path() : fs::canonical(folder / written, error);
    if (error) {
        const bool missing = error == std::errc::no_such_file_or_directory || error == std::errc::permission_denied;
        throw Error(missing ? "weights/file" : "weights/path",
                    fmt::format("the weights {}: {}", quoted_name(relative), error.message()));
    }
    if (!is_inside(found, folder))
        refuse_path(relative, "must be inside the model's folder: a symbolic link leads out of it");
    if (!fs::is_regular_file(found, error)) refuse_path(relative, "are not a regular file");
    return found.string();
}

}  // namespace seq
