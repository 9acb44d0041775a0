#include "frontend/weights/npz.hpp"

#include <numeric>

#include "tests/weights/support.hpp"

namespace seq::test {
namespace {

const std::string floats = npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2,)}",
                               little_endian(0x3f800000, 4) + little_endian(0x40000000, 4));

Refusal open_zip(const std::string& content) {
    return refusal_of([&] {
        const NpzFile file(in_memory(content));
        for (const WeightSource::Entry& entry : file.entries()) {
            const Tensor tensor(entry.dtype, entry.sizes);
            file.read(entry, {tensor.view().as<std::byte>(), tensor.byte_count()});
        }
    });
}

Refusal open_parts(const std::vector<ZipPart>& parts) { return open_zip(zip(parts)); }

TEST_CASE("npz: what NumPy writes, stored and deflated") {
    for (const std::string name : {"stored", "deflated"}) {
        const NpzFile file(data_path("arrays/" + name + ".npz"));
        CHECK(file.entries().size() == 4);
        CHECK(read_values(file, "layer.weight") == std::vector<double>{0, 1, 2, 3, 4, 5});
        CHECK(read_values(file, "layer.bias") == std::vector<double>{0, 1});
        std::vector<double> order(12);
        std::iota(order.begin(), order.end(), 0.0);
        CHECK(read_values(file, "order") == order);
        CHECK(read_values(file, "scalar") == std::vector<double>{3});
        CHECK(file.find("layer.bias")->dtype == DType::f64);
        CHECK(file.find("scalar")->sizes.empty());
        CHECK(file.find("layer.weight.npy") == nullptr);
        const auto arrays = read_npz(data_path("arrays/" + name + ".npz"));
        CHECK(arrays.size() == 4);
        CHECK(arrays[2].first == "order");
        CHECK(values_of(arrays[2].second) == order);
    }
}

TEST_CASE("npz: members as they should be, in each form") {
    for (const bool deflated : {false, true}) {
        for (const bool zip64 : {false, true}) {
            const NpzFile file(
                in_memory(zip({{"a.npy", floats, deflated, zip64}, {"b.npy", floats, deflated, zip64}})));
            CHECK(read_values(file, "a") == std::vector<double>{1, 2});
            CHECK(read_values(file, "b") == std::vector<double>{1, 2});
        }
    }
    CHECK(open_zip(zip({})).code == "no error");
    const std::string with_comment = zip({{"a.npy", floats}});
    CHECK(open_zip(with_comment.substr(0, with_comment.size() - 2) + little_endian(7, 2) + "comment").code ==
          "no error");
}

TEST_CASE("npz: sizes that follow the data, as a pipe's writer leaves them") {
    std::string archive = zip({{"a.npy", floats, true, false, 8}});
    for (std::size_t i = 14; i < 26; ++i) archive[i] = '\0';
    CHECK(open_zip(archive).code == "no error");
}

TEST_CASE("npz: names are names, never paths") {
    const TemporaryFolder folder;
    const std::string path =
        folder.write("w.npz", zip({{"../../outside.npy", floats}, {"/etc/passwd.npy", floats}, {"a/b.npy", floats}}));
    const NpzFile file(path);
    CHECK(file.find("../../outside") != nullptr);
    CHECK(read_values(file, "/etc/passwd") == std::vector<double>{1, 2});
    CHECK(std::distance(std::filesystem::directory_iterator(folder.folder()), std::filesystem::directory_iterator()) ==
          1);
}

TEST_CASE("npz: a member that appears twice, or overlaps another") {
    CHECK(open_parts({{"a.npy", floats}, {"a.npy", floats}}).says("`a.npy` appears twice"));
    ZipPart again{"b.npy", floats};
    again.offset = 0;
    again.local_name = "a.npy";
    CHECK(open_parts({{"a.npy", floats}, again}).code == "weights/file");
    ZipPart nested{"b.npy", floats};
    const std::string inner = zip({{"b.npy", floats}});
    const std::string outer =
        npy("{'descr': '|u1', 'fortran_order': False, 'shape': (" + std::to_string(inner.size()) + ",)}", inner);
    nested.offset = static_cast<std::int64_t>(30 + 5 + outer.size() - inner.size());
    CHECK(open_parts({{"a.npy", outer}, nested}).says("overlaps"));
}

TEST_CASE("npz: checksums and sizes that lie") {
    for (const bool deflated : {false, true}) {
        CAPTURE(deflated);
        const auto lie = [&](auto member, std::int64_t value) {
            ZipPart part{"a.npy", floats, deflated};
            part.*member = value;
            return open_parts({part});
        };
        CHECK(lie(&ZipPart::crc, 12345).says("checksum"));
        for (const std::int64_t difference : {-1, 1, -30, 4000}) {
            const auto size = static_cast<std::int64_t>(floats.size()) + difference;
            CHECK(lie(&ZipPart::size, size).code == "weights/file");
        }
        CHECK(lie(&ZipPart::size, 0).code == "weights/file");
        CHECK(lie(&ZipPart::compressed_size, 3).code == "weights/file");
        CHECK(lie(&ZipPart::compressed_size, 4000).code == "weights/file");
        CHECK(lie(&ZipPart::compressed_size, 0xfffffffe).code == "weights/file");
        CHECK(lie(&ZipPart::offset, 0xfffffffe).code == "weights/file");
        CHECK(lie(&ZipPart::offset, 1).code == "weights/file");
    }
}

TEST_CASE("npz: data that goes on, ends early or is no deflate stream") {
    ZipPart part{"a.npy", floats, true};
    const std::string packed = deflate(floats);
    part.deflated = false;
    part.method = 8;
    part.size = static_cast<std::int64_t>(floats.size());
    const auto with = [&](const std::string& data) {
        part.content = data;
        part.crc = 0;
        return open_parts({part});
    };
    CHECK(with(packed + "more").says("longer"));
    CHECK(with(packed.substr(0, packed.size() - 3)).code == "weights/file");
    CHECK(with("\xff\xff\xff\xff").says("inflated"));
    CHECK(with("").code == "weights/file");
    CHECK(with(deflate(floats + "x")).says("longer"));
    CHECK(with(deflate(floats.substr(0, floats.size() - 1))).code == "weights/file");
}

TEST_CASE("npz: a bomb is inflated no further than its .npy header implies") {
    const std::string zeros(std::size_t{64} << 20, '\0');
    ZipPart bomb{"a.npy", npy("{'descr': '|u1', 'fortran_order': False, 'shape': (4,)}", zeros), true};
    const Refusal refusal = open_parts({bomb});
    CHECK(refusal.code == "weights/file");
    CHECK(refusal.says("takes 4 bytes"));
    // A size that deflate cannot reach.
    ZipPart lie{"a.npy", floats, true};
    lie.size = 0xf0000000;
    CHECK(open_parts({lie}).says("cannot hold"));
}

TEST_CASE("npz: members that are no arrays of numbers, all at once") {
    const Refusal refusal =
        open_parts({{"notes.txt", "hello"},
                    {"a.npy", floats},
                    {"b.npy", "no array"},
                    {"c.npy", npy("{'descr': '|O', 'fortran_order': False, 'shape': (1,)}", "12345678")}});
    CHECK(refusal.code == "weights/file");
    CHECK(refusal.diagnostics == 3);
    CHECK(refusal.says("`notes.txt`"));
    CHECK(refusal.says("`b.npy`"));
    CHECK(refusal.says("`c.npy`"));
    CHECK(open_parts({{"archive/data.pkl", "x"}}).says("PyTorch checkpoint"));
}

TEST_CASE("npz: what is not supported is named") {
    ZipPart part{"a.npy", floats};
    part.flags = 1;
    CHECK(open_parts({part}).says("encrypted"));
    part.flags = 0;
    part.method = 12;
    CHECK(open_parts({part}).says("method 12"));
}

TEST_CASE("npz: archives that are damaged") {
    const std::string whole = zip({{"a.npy", floats}, {"b.npy", floats, true, true}});
    for (std::size_t size = 0; size < whole.size(); ++size)
        CHECK(open_zip(whole.substr(0, size)).code == "weights/file");
    CHECK(open_zip(whole + "x").code == "weights/file");
    CHECK(open_zip("x" + whole).code == "weights/file");
    std::string crowded = whole;
    crowded[crowded.size() - 12] = '\x7f';
    CHECK(open_zip(crowded).code == "weights/file");
    ZipPart renamed{"a.npy", floats};
    renamed.local_name = "b.npy";
    CHECK(open_parts({renamed}).says("differs"));
}

TEST_CASE("npz: arrays come back as they were written, and the bytes are the same each time") {
    const TemporaryFolder folder;
    Tensor weight(DType::f32, {2, 3});
    std::iota(weight.data<float>().begin(), weight.data<float>().end(), 0.5F);
    Tensor scalar(DType::i64, {});
    scalar.data<std::int64_t>()[0] = -7;
    const std::vector<std::pair<std::string, TensorView>> arrays{{"layer.weight", weight.view()}, {"ü", scalar.view()}};
    write_npz(folder.path("a.npz"), arrays);
    write_npz(folder.path("b.npz"), arrays);
    CHECK(read_file(folder.path("a.npz")) == read_file(folder.path("b.npz")));
    const NpzFile file(folder.path("a.npz"));
    CHECK(read_values(file, "layer.weight") == values_of(weight));
    CHECK(read_values(file, "ü") == std::vector<double>{-7});
    CHECK(open_zip(read_file(folder.path("a.npz"))).code == "no error");
    const std::vector<std::pair<std::string, TensorView>> twice{{"x", scalar.view()}, {"x", scalar.view()}};
    CHECK_THROWS_AS(write_npz(folder.path("c.npz"), twice), std::invalid_argument);
    CHECK_FALSE(std::filesystem::exists(folder.path("c.npz")));
}

TEST_CASE("npz: more members than a short directory can count") {
    const TemporaryFolder folder;
    const Tensor scalar(DType::u8, {});
    std::vector<std::pair<std::string, TensorView>> arrays;
    for (int i = 0; i < 66'000; ++i) arrays.emplace_back("a" + std::to_string(i), scalar.view());
    write_npz(folder.path("many.npz"), arrays);
    CHECK(NpzFile(folder.path("many.npz")).entries().size() == 66'000);
}

TEST_CASE("npz: reading arrays as inputs says where the fault is") {
    const TemporaryFolder folder;
    const std::string path = folder.write("x.npz", zip({{"a.npy", "no array"}}));
    const Refusal refusal = refusal_of([&] { read_npz(path); });
    CHECK(refusal.code == "io/format");
    CHECK(refusal.says(path));
    CHECK(refusal_of([&] { read_npz(folder.path("none.npz")); }).code == "io/open");
}

}  // namespace
}  // namespace seq::test
