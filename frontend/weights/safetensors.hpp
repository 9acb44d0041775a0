#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "frontend/io/byte_source.hpp"
#include "graph/tensor.hpp"

namespace seq {

/// A safetensors file (https://github.com/huggingface/safetensors, "Format"). All of its header is checked when it is
/// opened; the data is read when it is asked for. Members may be called from several threads at once.
class SafetensorsFile final : public WeightSource {
   public:
    /// Throws BuildError, weights/file, with a diagnostic for each thing that is wrong; weights/path where `path`
    /// names no regular file.
    explicit SafetensorsFile(const std::string& path);
    explicit SafetensorsFile(std::unique_ptr<ByteSource> bytes);

    const std::vector<Entry>& entries() const override { return entries_; }
    const Entry* find(std::string_view name) const override;
    void read(const Entry& entry, std::span<std::byte> out) const override;
    void stream(const Entry& entry, const std::function<void(std::span<const std::byte>)>& sink) const override;
    bool read_part(const Entry& entry, std::uint64_t offset, std::span<std::byte> out) const override;
    std::string description() const override { return bytes_->description(); }

   private:
    std::size_t index_of(const Entry& entry) const;

    std::unique_ptr<ByteSource> bytes_;
    std::vector<Entry> entries_;
    /// Where each entry's data begins in the file.
    std::vector<std::uint64_t> offsets_;
    std::unordered_map<std::string_view, std::size_t> by_name_;
};

}  // namespace seq
