#include "frontend/weights/npy.hpp"

#include <unistd.h>

#include <array>
#include <numeric>
#include <thread>

#include "tests/weights/support.hpp"

namespace seq::test {
namespace {

Refusal read_text(const std::string& content) {
    return refusal_of([&] {
        const auto source = in_memory(content);
        const Tensor tensor = read_npy(*stream_of(*source, 0, source->size()));
    });
}

Refusal read_dict(std::string_view dict, std::size_t payload = 8) {
    return read_text(npy(dict, std::string(payload, '\0')));
}

std::vector<double> count_to(std::size_t n) {
    std::vector<double> values(n);
    std::iota(values.begin(), values.end(), 0.0);
    return values;
}

Tensor read_array(const std::string& name) { return read_npy(data_path("arrays/" + name + ".npy")); }

TEST_CASE("npy: what NumPy writes, in every dtype and both byte orders") {
    const std::vector<std::pair<std::string, DType>> cases{
        {"f4", DType::f32},     {"f2", DType::f16},     {"f8", DType::f64},     {"i8", DType::i64},
        {"i4", DType::i32},     {"i1", DType::i8},      {"u1", DType::u8},      {"big_f4", DType::f32},
        {"big_f2", DType::f16}, {"big_f8", DType::f64}, {"big_i8", DType::i64}, {"big_i4", DType::i32}};
    for (const auto& [name, dtype] : cases) {
        CAPTURE(name);
        const Tensor tensor = read_array(name);
        CHECK(tensor.dtype() == dtype);
        CHECK(std::vector(tensor.sizes().begin(), tensor.sizes().end()) == std::vector<std::int64_t>{2, 3, 4});
        CHECK(values_of(tensor) == count_to(24));
    }
}

TEST_CASE("npy: Fortran order becomes row-major, also where it is big-endian") {
    CHECK(values_of(read_array("fortran")) == count_to(24));
    CHECK(values_of(read_array("big_fortran")) == count_to(15));
    std::string large;
    for (int j = 0; j < 301; ++j) {
        for (int i = 0; i < 400; ++i) large += little_endian(static_cast<std::uint64_t>(i * 301 + j), 4);
    }
    const auto source = in_memory(npy("{'descr': '<i4', 'fortran_order': True, 'shape': (400, 301)}", large));
    CHECK(values_of(read_npy(*stream_of(*source, 0, source->size()))) == count_to(400 * 301));
}

TEST_CASE("npy: scalars, vectors, no elements, bools, versions 2 and 3") {
    CHECK(read_array("scalar").sizes().empty());
    CHECK(values_of(read_array("scalar")) == std::vector<double>{7});
    CHECK(values_of(read_array("vector")) == count_to(5));
    CHECK(read_array("empty").element_count() == 0);
    CHECK(read_array("bool").dtype() == DType::boolean);
    CHECK(values_of(read_array("bool")) == std::vector<double>{0, 1, 0, 1, 0, 1});
    CHECK(values_of(read_array("version2")) == count_to(6));
    CHECK(values_of(read_array("version3")) == count_to(6));
}

TEST_CASE("npy: a bool is 0 or 1, whatever its byte") {
    const auto source =
        in_memory(npy("{'descr': '|b1', 'fortran_order': False, 'shape': (3,)}", std::string("\0\2\xff", 3)));
    CHECK(values_of(read_npy(*stream_of(*source, 0, source->size()))) == std::vector<double>{0, 1, 1});
}

TEST_CASE("npy: other ways to write the dict") {
    for (const std::string_view dict : {"{'descr':'<f4','fortran_order':False,'shape':(2,)}",
                                        "{\"shape\": (2L,), \"fortran_order\": False, \"descr\": \"<f4\"}\n",
                                        "  { 'shape' : ( 2 , ) , 'descr' : '=f4' , 'fortran_order' : False , }  \n",
                                        "{'descr': 'f4', 'fortran_order': False, 'shape': (1, 2)}"}) {
        CAPTURE(dict);
        CHECK(read_dict(dict).code == "no error");
    }
}

TEST_CASE("npy: dicts that are not as they should be") {
    for (const std::string_view dict : {"",
                                        "{",
                                        "}",
                                        "[]",
                                        "{}",
                                        "{'descr': '<f4'}",
                                        "{'descr': '<f4', 'fortran_order': False, 'shape': (2,)} x",
                                        "{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (2,)}",
                                        "{'descr': '<f4', 'fortran_order': 0, 'shape': (2,)}",
                                        "{'descr': '<f4', 'fortran_order': False, 'shape': (2)}",
                                        "{'descr': '<f4', 'fortran_order': False, 'shape': [2]}",
                                        "{'descr': '<f4', 'fortran_order': False, 'shape': (-2,)}",
                                        "{'descr': '<f4', 'fortran_order': False, 'shape': (2.0,)}",
                                        "{'descr': '<f4', 'fortran_order': False, 'shape': (1 2)}",
                                        "{'descr': '<f4', 'fortran_order': False, 'shape': (,)}",
                                        "{'descr': '<f4', 'fortran_order': False, 'shape': (2,",
                                        "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), 'more': 1}",
                                        "{'descr': '<f4, 'fortran_order': False, 'shape': (2,)}",
                                        "{'descr': '\\x3cf4', 'fortran_order': False, 'shape': (2,)}",
                                        "{'descr': 5, 'fortran_order': False, 'shape': (2,)}",
                                        "{'descr': '<f4', 'fortran_order': False, 'shape': (1,1,1,1,1,1,1,1,2)}",
                                        "{'descr': __import__('os'), 'fortran_order': False, 'shape': (2,)}"}) {
        CAPTURE(dict);
        CHECK(read_dict(dict).code == "io/format");
    }
}

TEST_CASE("npy: dtypes that are refused, by their names") {
    CHECK(refusal_of([] { read_array("object"); }).says("Python objects"));
    CHECK(refusal_of([] { read_array("structured"); }).says("structured"));
    CHECK(refusal_of([] { read_array("complex"); }).says("`<c8`"));
    for (const std::string_view type : {"<u2", "<U3", "|S4", "|V2", "<M8[ns]", "<f3", "<f16", ""}) {
        const Refusal refusal =
            read_dict("{'descr': '" + std::string(type) + "', 'fortran_order': False, 'shape': (2,)}");
        CHECK(refusal.code == "io/format");
        CHECK(refusal.says("`" + std::string(type) + "`"));
    }
}

TEST_CASE("npy: a header that is too long, of an unknown version, or cut off") {
    const std::string start("\x93NUMPY\2\0", 8);
    CHECK(read_text(start + little_endian(0xffffffff, 4)).says("4294967295 bytes long"));
    CHECK(read_text(start + little_endian(65537, 4) + std::string(65537, ' ')).says("at most 65536"));
    CHECK(read_text(std::string("\x93NUMPY\4\0", 8) + little_endian(2, 4) + "{}").says("version 4"));
    CHECK(read_text(std::string("\x93NUMPY\1\1", 8) + little_endian(2, 2) + "{}").says("version 1.1"));
    CHECK(read_text(std::string("\x93NUMPY\3\xff", 8) + little_endian(2, 4) + "{}").says("version 3.255"));
    CHECK(read_text(std::string("\x93NUMPY\0\0", 8) + little_endian(2, 2) + "{}").says("version 0"));
    CHECK(read_text("PK\3\4 and so on").says("is not a .npy file"));
    const std::string whole = npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2,)}", std::string(8, '\0'));
    for (std::size_t size = 0; size < whole.size(); ++size) CHECK(read_text(whole.substr(0, size)).code == "io/format");
}

TEST_CASE("npy: shapes that do not fit the bytes are refused before they are read") {
    const auto shape = [](std::string_view sizes, std::size_t payload) {
        return read_dict("{'descr': '<f4', 'fortran_order': False, 'shape': " + std::string(sizes) + "}", payload);
    };
    CHECK(shape("(3,)", 8).says("takes 12 bytes, and 8 follow"));
    CHECK(shape("(1,)", 8).says("takes 4 bytes, and 8 follow"));
    CHECK(shape("(1000000000000,)", 8).says("takes 4000000000000 bytes"));
    CHECK(shape("(9223372036854775808,)", 8).says("9223372036854775808, which is too large"));
    CHECK(shape("(18446744073709551616,)", 8).says("too large"));
    CHECK(shape("(4294967296, 4294967296)", 8).says("too large"));
    CHECK(shape("(2305843009213693952,)", 8).says("too large"));
    CHECK(shape("(" + std::string(5000, '9') + ",)", 8).code == "io/format");
}

TEST_CASE("npy: more than the machine's memory is refused, even where the file is as long") {
    const TemporaryFolder folder;
    const std::string path =
        folder.write("sparse.npy", npy("{'descr': '|u1', 'fortran_order': False, 'shape': (1099511627776000,)}", ""));
    if (truncate(path.c_str(), static_cast<off_t>(std::filesystem::file_size(path) + 1099511627776000u)) != 0) return;
    CHECK(refusal_of([&] { read_npy(path); }).code == "io/limit");
}

TEST_CASE("npy: every tensor comes back as it was written") {
    const TemporaryFolder folder;
    const std::string path = folder.path("x.npy");
    for (const DType dtype : {DType::f32, DType::f16, DType::f64, DType::i64, DType::i32, DType::i8, DType::u8}) {
        for (const std::vector<std::int64_t>& sizes :
             {std::vector<std::int64_t>{}, {5}, {2, 3}, {0, 4}, {1, 2, 3, 1, 2}}) {
            Tensor tensor(dtype, sizes);
            for (std::size_t i = 0; i < tensor.byte_count(); ++i)
                tensor.view().as<std::uint8_t>()[i] = static_cast<std::uint8_t>(i % 50);
            write_npy(path, tensor);
            const Tensor again = read_npy(path);
            CHECK(again.dtype() == dtype);
            CHECK(std::vector(again.sizes().begin(), again.sizes().end()) == sizes);
            CHECK(values_of(again) == values_of(tensor));
            CHECK(std::filesystem::file_size(path) == encoded_npy_size(tensor));
            CHECK((std::filesystem::file_size(path) - tensor.byte_count()) % 64 == 0);
        }
    }
}

TEST_CASE("npy: the bytes are NumPy's") {
    const TemporaryFolder folder;
    for (const std::string name : {"f4", "scalar", "vector", "empty", "bool", "u1"}) {
        write_npy(folder.path("x.npy"), read_array(name));
        CHECK(read_file(folder.path("x.npy")) == read_file(data_path("arrays/" + name + ".npy")));
    }
}

TEST_CASE("npy: bf16 is written as f32, and strides are followed") {
    const TemporaryFolder folder;
    Tensor brain(DType::bf16, {2});
    brain.data<std::uint16_t>()[0] = 0x3f80;
    brain.data<std::uint16_t>()[1] = 0xc000;
    write_npy(folder.path("b.npy"), brain);
    CHECK(read_npy(folder.path("b.npy")).dtype() == DType::f32);
    CHECK(values_of(read_npy(folder.path("b.npy"))) == std::vector<double>{1, -2});

    Tensor tensor(DType::i32, {2, 3});
    std::iota(tensor.data<std::int32_t>().begin(), tensor.data<std::int32_t>().end(), 0);
    TensorView transposed = tensor.view();
    std::swap(transposed.shape[0], transposed.shape[1]);
    std::swap(transposed.strides[0], transposed.strides[1]);
    write_npy(folder.path("t.npy"), transposed);
    CHECK(values_of(read_npy(folder.path("t.npy"))) == std::vector<double>{0, 3, 1, 4, 2, 5});
}

/// What `read` makes of a pipe that holds `content`; a thread writes it.
template <class Read>
auto through_pipe(const std::string& content, Read read) {
    std::array<int, 2> ends{};
    REQUIRE(pipe(ends.data()) == 0);
    std::jthread writer([&] {
        for (std::string_view rest = content; !rest.empty();) {
            const ssize_t count = ::write(ends[1], rest.data(), rest.size());
            if (count <= 0) break;
            rest.remove_prefix(static_cast<std::size_t>(count));
        }
        close(ends[1]);
    });
    auto result = read("/dev/fd/" + std::to_string(ends[0]));
    writer.join();
    close(ends[0]);
    return result;
}

TEST_CASE("npy: a pipe is read to its end, however long it says it is") {
    const std::string dict = "{'descr': '|u1', 'fortran_order': False, 'shape': (40000000,)}";
    const std::string large(40'000'000, '\3');
    const Tensor tensor = through_pipe(npy(dict, large), [](const std::string& path) { return read_npy(path); });
    CHECK(tensor.element_count() == 40'000'000);
    CHECK(tensor.data<std::uint8_t>().back() == 3);

    const auto refuse = [](const std::string& path) { return refusal_of([&] { read_npy(path); }); };
    CHECK(through_pipe(npy("{'descr': '|u1', 'fortran_order': False, 'shape': (9000000000000000000,)}", "abc"), refuse)
              .says("ends in the middle"));
    CHECK(through_pipe(npy("{'descr': '|u1', 'fortran_order': False, 'shape': (3,)}", "abcd"), refuse)
              .says("bytes follow"));
}

TEST_CASE("npy: paths that cannot be read") {
    CHECK(refusal_of([] { read_npy("/nowhere/x.npy"); }).code == "io/open");
    CHECK(refusal_of([] { read_npy("/tmp"); }).code == "io/open");
    CHECK(refusal_of([] { read_npy("/dev/zero"); }).code == "io/format");
    CHECK(refusal_of([] { read_npy("/dev/null"); }).code == "io/format");
}

}  // namespace
}  // namespace seq::test
