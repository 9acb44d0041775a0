#pragma once

#include <doctest/doctest.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "frontend/io/byte_source.hpp"
#include "graph/diagnostic.hpp"
#include "graph/tensor.hpp"

namespace seq::test {

/// A folder that goes with the test.
class TemporaryFolder {
   public:
    TemporaryFolder();
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;
    ~TemporaryFolder();

    std::string path(std::string_view name) const { return (folder_ / name).string(); }
    std::string write(std::string_view name, std::string_view content) const;
    const std::filesystem::path& folder() const { return folder_; }

   private:
    std::filesystem::path folder_;
};

std::string data_path(std::string_view name);
std::string read_file(const std::string& path);
std::unique_ptr<ByteSource> in_memory(std::string_view content, std::string description = "memory");
std::vector<std::byte> to_bytes(std::string_view content);

/// `value` in `bytes` bytes, little-endian.
std::string little_endian(std::uint64_t value, std::size_t bytes);

/// A safetensors file of this header and these bytes of data.
std::string safetensors(std::string_view header, std::string_view data);

/// A .npy file of this dict and these bytes.
std::string npy(std::string_view dict, std::string_view payload, int version = 1);

/// One member of a hand-made zip archive. What is not set follows from the content.
struct ZipPart {
    std::string name;
    std::string content;
    bool deflated = false;
    bool zip64 = false;
    std::uint64_t flags = 0;
    std::uint64_t method = 99;  ///< 99: as `deflated` says
    std::int64_t crc = -1;
    std::int64_t size = -1;
    std::int64_t compressed_size = -1;
    std::int64_t offset = -1;
    std::string local_name;
};
std::string zip(const std::vector<ZipPart>& parts);
std::string deflate(std::string_view content);

/// The code of the Error that `body` throws, and its text; "no error" where it throws none.
struct Refusal {
    std::string code;
    std::string text;
    std::size_t diagnostics = 0;
    bool says(std::string_view part) const { return text.find(part) != std::string::npos; }
};
Refusal refusal_of(const std::function<void()>& body);

/// The elements of a dense tensor as doubles.
std::vector<double> values_of(const TensorView& tensor);

/// The tensor's elements as a source gives them, as doubles.
std::vector<double> read_values(const WeightSource& source, std::string_view name);

}  // namespace seq::test
