#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "frontend/io/byte_source.hpp"
#include "frontend/weights/npy_header.hpp"
#include "frontend/weights/zip.hpp"
#include "graph/tensor.hpp"

namespace seq {

/// The arrays of a .npz file, named as the members are without ".npy". A member is inflated no further than its .npy
/// header implies. Members may be called from several threads at once.
class NpzFile final : public WeightSource {
   public:
    /// Throws BuildError, weights/file, with a diagnostic for each member that is wrong; weights/path where `path`
    /// names no regular file.
    explicit NpzFile(const std::string& path);
    explicit NpzFile(std::unique_ptr<ByteSource> bytes);

    const std::vector<Entry>& entries() const override { return entries_; }
    const Entry* find(std::string_view name) const override;
    void read(const Entry& entry, std::span<std::byte> out) const override;
    void stream(const Entry& entry, const std::function<void(std::span<const std::byte>)>& sink) const override;
    std::string description() const override { return bytes_->description(); }

   private:
    struct Member {
        ZipMember zip;
        NpyHeader header;
    };

    std::vector<std::string> open_members();
    void open_array(ZipMember member);
    std::size_t index_of(const Entry& entry) const;
    /// The member's stream after its .npy header.
    std::unique_ptr<ByteStream> elements_of(const Member& member) const;

    std::unique_ptr<ByteSource> bytes_;
    std::vector<Entry> entries_;
    std::vector<Member> members_;
    std::unordered_map<std::string_view, std::size_t> by_name_;
};

/// Reads all arrays of a .npz file, in its order. Throws Error: io/open, io/path, io/read, io/limit, io/format.
std::vector<std::pair<std::string, Tensor>> read_npz(const std::string& path);

/// Reads the array of that name, or where the file holds one array alone, that one; the others are not inflated. Throws
/// what read_npz throws, and Error input/missing where there is no such array.
Tensor read_npz_array(const std::string& path, std::string_view name);

/// Writes a .npz file with stored members, the same bytes for the same arrays; "-" is standard output. bf16 is written
/// as f32. Throws Error io/write (the file is written whole or not at all), std::invalid_argument where a name appears
/// twice.
void write_npz(const std::string& path, std::span<const std::pair<std::string, TensorView>> arrays);

}  // namespace seq
