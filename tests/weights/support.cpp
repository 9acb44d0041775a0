#include "tests/weights/support.hpp"

#include <stdlib.h>
#include <zlib.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <iterator>

#include "graph/convert.hpp"

namespace seq::test {

TemporaryFolder::TemporaryFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "seq-test-XXXXXX").string();
    REQUIRE(mkdtemp(pattern.data()) != nullptr);
    folder_ = std::filesystem::canonical(pattern);
}

TemporaryFolder::~TemporaryFolder() {
    std::error_code error;
    std::filesystem::remove_all(folder_, error);
}

std::string TemporaryFolder::write(std::string_view name, std::string_view content) const {
    std::ofstream(folder_ / name, std::ios::binary) << content;
    return path(name);
}

std::string data_path(std::string_view name) { return std::string(SEQ_TEST_DATA) + "/" + std::string(name); }

std::string read_file(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    REQUIRE_MESSAGE(file.good(), path);
    return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<std::byte> to_bytes(std::string_view content) {
    std::vector<std::byte> bytes(content.size());
    if (!content.empty()) std::memcpy(bytes.data(), content.data(), content.size());
    return bytes;
}

std::unique_ptr<ByteSource> in_memory(std::string_view content, std::string description) {
    return memory_source(to_bytes(content), std::move(description));
}

std::string little_endian(std::uint64_t value, std::size_t bytes) {
    std::string text;
    for (std::size_t i = 0; i < bytes; ++i) text += static_cast<char>(value >> (8 * i) & 0xff);
    return text;
}

std::string safetensors(std::string_view header, std::string_view data) {
    return little_endian(header.size(), 8) + std::string(header) + std::string(data);
}

std::string npy(std::string_view dict, std::string_view payload, int version) {
    std::string text = "\x93NUMPY";
    text += static_cast<char>(version);
    text += '\0';
    return text + little_endian(dict.size(), version == 1 ? 2 : 4) + std::string(dict) + std::string(payload);
}

std::string deflate(std::string_view content) {
    z_stream stream{};
    REQUIRE(deflateInit2(&stream, 9, Z_DEFLATED, -MAX_WBITS, 9, Z_DEFAULT_STRATEGY) == Z_OK);
    std::string out(deflateBound(&stream, content.size()), '\0');
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(content.data()));
    stream.avail_in = static_cast<uInt>(content.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    REQUIRE(::deflate(&stream, Z_FINISH) == Z_STREAM_END);
    out.resize(stream.total_out);
    deflateEnd(&stream);
    return out;
}

namespace {

struct Sizes {
    std::uint64_t crc;
    std::uint64_t compressed;
    std::uint64_t size;
};

std::string common(const ZipPart& part, const Sizes& sizes, std::size_t name_size, std::size_t extra_size) {
    const std::uint64_t method = part.method != 99 ? part.method : part.deflated ? 8 : 0;
    return little_endian(part.flags, 2) + little_endian(method, 2) + little_endian(0, 4) + little_endian(sizes.crc, 4) +
           little_endian(part.zip64 ? 0xffffffff : sizes.compressed, 4) +
           little_endian(part.zip64 ? 0xffffffff : sizes.size, 4) + little_endian(name_size, 2) +
           little_endian(extra_size, 2);
}

}  // namespace

std::string zip(const std::vector<ZipPart>& parts) {
    std::string out;
    std::string directory;
    for (const ZipPart& part : parts) {
        const std::string packed = part.deflated ? deflate(part.content) : part.content;
        const uLong crc =
            crc32(0, reinterpret_cast<const Bytef*>(part.content.data()), static_cast<uInt>(part.content.size()));
        const auto chosen = [](std::int64_t given, std::uint64_t natural) {
            return given < 0 ? natural : static_cast<std::uint64_t>(given);
        };
        const Sizes sizes{chosen(part.crc, crc), chosen(part.compressed_size, packed.size()),
                          chosen(part.size, part.content.size())};
        const std::string extra = part.zip64 ? little_endian(1, 2) + little_endian(16, 2) +
                                                   little_endian(sizes.size, 8) + little_endian(sizes.compressed, 8)
                                             : "";
        const std::string& local_name = part.local_name.empty() ? part.name : part.local_name;
        directory += "PK\1\2" + little_endian(45, 2) + little_endian(45, 2) +
                     common(part, sizes, part.name.size(), extra.size()) + little_endian(0, 2) + little_endian(0, 8) +
                     little_endian(chosen(part.offset, out.size()), 4) + part.name + extra;
        out += "PK\3\4" + little_endian(45, 2) + common(part, sizes, local_name.size(), extra.size()) + local_name +
               extra + packed;
    }
    return out + directory + "PK\5\6" + little_endian(0, 4) + little_endian(parts.size(), 2) +
           little_endian(parts.size(), 2) + little_endian(directory.size(), 4) + little_endian(out.size(), 4) +
           little_endian(0, 2);
}

Refusal refusal_of(const std::function<void()>& body) {
    try {
        body();
    } catch (const BuildError& error) {
        return {error.code(), error.what(), error.diagnostics().size()};
    } catch (const Error& error) {
        return {error.code(), error.what(), 0};
    }
    return {"no error", "", 0};
}

namespace {

template <class T>
std::vector<double> as_doubles(const TensorView& tensor) {
    const T* data = tensor.as<const T>();
    std::vector<double> values;
    for (std::int64_t i = 0; i < tensor.element_count(); ++i) values.push_back(static_cast<double>(data[i]));
    return values;
}

}  // namespace

std::vector<double> values_of(const TensorView& tensor) {
    switch (tensor.dtype) {
        case DType::i64: return as_doubles<std::int64_t>(tensor);
        case DType::i32: return as_doubles<std::int32_t>(tensor);
        case DType::i8: return as_doubles<std::int8_t>(tensor);
        case DType::u8:
        case DType::boolean: return as_doubles<std::uint8_t>(tensor);
        default: break;
    }
    std::vector<double> values(static_cast<std::size_t>(tensor.element_count()));
    convert_floats(tensor.data, tensor.dtype, values.data(), DType::f64, values.size());
    return values;
}

std::vector<double> read_values(const WeightSource& source, std::string_view name) {
    const WeightSource::Entry* entry = source.find(name);
    REQUIRE_MESSAGE(entry != nullptr, name);
    const Tensor tensor(entry->dtype, entry->sizes);
    source.read(*entry, {tensor.view().as<std::byte>(), tensor.byte_count()});
    std::vector<std::byte> streamed;
    source.stream(
        *entry, [&](std::span<const std::byte> piece) { streamed.insert(streamed.end(), piece.begin(), piece.end()); });
    CHECK(std::equal(streamed.begin(), streamed.end(), tensor.view().as<std::byte>(),
                     tensor.view().as<std::byte>() + tensor.byte_count()));
    return values_of(tensor);
}

}  // namespace seq::test
