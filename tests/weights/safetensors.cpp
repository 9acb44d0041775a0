#include "frontend/weights/safetensors.hpp"

#include <unistd.h>

#include <fstream>

#include "frontend/weights/weights.hpp"
#include "tests/weights/support.hpp"

namespace seq::test {
namespace {

Refusal open_text(const std::string& content) {
    return refusal_of([&] { const SafetensorsFile file(in_memory(content)); });
}

/// A file of one tensor or several and `size` bytes of data.
Refusal open_header(std::string_view header, std::size_t size) {
    return open_text(safetensors(header, std::string(size, '\0')));
}

const std::string eight_floats = R"("shape":[2],"data_offsets":[0,8])";

TEST_CASE("safetensors: the digits model's tensors are all there") {
    const SafetensorsFile file(data_path("digits/digits_cnn.safetensors"));
    CHECK(file.entries().size() == 10);
    CHECK(file.entries().front().name == "conv_layers.0.bias");
    REQUIRE(file.find("fc_layers.0.weight") != nullptr);
    CHECK(file.find("fc_layers.0.weight")->sizes == std::vector<std::int64_t>{256, 1152});
    CHECK(file.find("fc_layers.1.weight") == nullptr);
    CHECK(read_values(file, "conv_layers.0.weight").size() == 288);
    CHECK(read_values(file, "fc_layers.2.bias").size() == 10);
}

TEST_CASE("safetensors: parts of a tensor are what the whole has there") {
    const SafetensorsFile file(data_path("digits/digits_cnn.safetensors"));
    const WeightSource::Entry& entry = *file.find("conv_layers.0.weight");
    std::vector<float> whole(288), part(100);
    file.read(entry, std::as_writable_bytes(std::span(whole)));
    REQUIRE(file.read_part(entry, 188 * sizeof(float), std::as_writable_bytes(std::span(part))));
    CHECK(part == std::vector<float>(whole.begin() + 188, whole.end()));
    CHECK(file.read_part(entry, 288 * sizeof(float), {}));
    CHECK_THROWS_AS(file.read_part(entry, 189 * sizeof(float), std::as_writable_bytes(std::span(part))),
                    std::invalid_argument);
    CHECK_THROWS_AS(file.read_part(entry, ~std::uint64_t{0}, {}), std::invalid_argument);
}

TEST_CASE("safetensors: every dtype of seq, scalars and tensors of no elements") {
    const std::string header = R"({"__metadata__":{"format":"pt"},)"
                               R"("a":{"dtype":"F32","shape":[],"data_offsets":[0,4]},)"
                               R"("b":{"dtype":"BF16","shape":[2],"data_offsets":[4,8]},)"
                               R"("none":{"dtype":"F64","shape":[2,0,3],"data_offsets":[8,8]},)"
                               R"("nothing":{"dtype":"F32","shape":[0],"data_offsets":[8,8]},)"
                               R"("c":{"dtype":"BOOL","shape":[3],"data_offsets":[8,11]},)"
                               R"("d":{"dtype":"I8","shape":[1],"data_offsets":[11,12]},)"
                               R"("e":{"dtype":"F16","shape":[1],"data_offsets":[12,14], "more": {"x": [1, {}]}},)"
                               R"("f":{"dtype":"U8","shape":[2],"data_offsets":[14,16]},)"
                               R"("g":{"dtype":"I64","shape":[1],"data_offsets":[16,24]},)"
                               R"("h":{"dtype":"I32","shape":[1],"data_offsets":[24,28]},)"
                               R"("i":{"dtype":"F64","shape":[1],"data_offsets":[28,36]}}   )";
    const std::string data = little_endian(0x40490fdb, 4) + little_endian(0xc000'3f80, 4) + std::string("\0\1\2", 3) +
                             "\xff" + little_endian(0x3c00, 2) + "\x01\xff" + little_endian(0xffffffffffffffff, 8) +
                             little_endian(5, 4) + little_endian(0x3ff8000000000000, 8);
    const SafetensorsFile file(in_memory(safetensors(header, data)));
    CHECK(file.entries().size() == 11);
    CHECK(read_values(file, "a").front() == doctest::Approx(3.14159274));
    CHECK(read_values(file, "b") == std::vector<double>{1, -2});
    CHECK(read_values(file, "c") == std::vector<double>{0, 1, 1});
    CHECK(read_values(file, "d") == std::vector<double>{-1});
    CHECK(read_values(file, "e") == std::vector<double>{1});
    CHECK(read_values(file, "f") == std::vector<double>{1, 255});
    CHECK(read_values(file, "g") == std::vector<double>{-1});
    CHECK(read_values(file, "h") == std::vector<double>{5});
    CHECK(read_values(file, "i") == std::vector<double>{1.5});
    CHECK(read_values(file, "none").empty());
    CHECK(read_values(file, "nothing").empty());
}

TEST_CASE("safetensors: a header without tensors") {
    CHECK(open_header("{}", 0).code == "no error");
    CHECK(open_header(R"({"__metadata__":{}})", 0).code == "no error");
}

TEST_CASE("safetensors: lengths that cannot be") {
    for (const std::string& content : {std::string(), std::string(7, '\0')}) {
        CHECK(open_text(content).code == "weights/file");
        CHECK(open_text(content).says("too few"));
    }
    CHECK(open_text(little_endian(0xffffffffffffffff, 8) + "{}").says("18446744073709551615"));
    CHECK(open_text(little_endian(100'000'001, 8) + "{}").says("at most 100000000"));
    CHECK(open_text(little_endian(3, 8) + "{}").says("the file has 10"));
    CHECK(open_text(little_endian(0, 8)).code == "weights/file");
}

TEST_CASE("safetensors: headers that are no JSON object") {
    for (const std::string_view header :
         {"[]", "null", "3", "\"a\"", " {}", "\xef\xbb\xbf{}", "{", "{}x", "{\"a\":}", "{'a':1}", "{\"\xff\":{}}"}) {
        CAPTURE(header);
        CHECK(open_header(header, 0).code == "weights/file");
    }
    CHECK(open_text(safetensors(std::string_view("{}\0{}", 5), "")).says("NUL"));
    std::string deep = R"({"a":{"x":)";
    CHECK(open_header(deep + std::string(100'000, '['), 0).says("nested too deeply"));
    deep.clear();
    for (int i = 0; i < 100'000; ++i) deep += R"({"a":)";
    CHECK(open_header(deep, 0).says("nested too deeply"));
}

TEST_CASE("safetensors: tensors that are not described as they should be") {
    const auto tensor = [](std::string_view body) {
        return open_header(std::string(R"({"odd":)") + std::string(body) + "}", 8);
    };
    for (const std::string_view body :
         {"1", "[]", "null", "true", "{}", R"({"dtype":"F32","shape":[2]})", R"({"dtype":"F32","data_offsets":[0,8]})",
          R"({"shape":[2],"data_offsets":[0,8]})", R"({"dtype":7,"shape":[2],"data_offsets":[0,8]})",
          R"({"dtype":"F32","shape":2,"data_offsets":[0,8]})", R"({"dtype":"F32","shape":[-2],"data_offsets":[0,8]})",
          R"({"dtype":"F32","shape":[2.0],"data_offsets":[0,8]})",
          R"({"dtype":"F32","shape":["2"],"data_offsets":[0,8]})",
          R"({"dtype":"F32","shape":[[2]],"data_offsets":[0,8]})", R"({"dtype":"F32","shape":[2],"data_offsets":[0]})",
          R"({"dtype":"F32","shape":[2],"data_offsets":[0,8,8]})", R"({"dtype":"F32","shape":[2],"data_offsets":{}})",
          R"({"dtype":"F32","shape":[36893488147419103232],"data_offsets":[0,8]})",
          R"({"dtype":"F32","shape":[1,1,1,1,1,1,1,1,2],"data_offsets":[0,8]})"}) {
        CAPTURE(body);
        const Refusal refusal = tensor(body);
        CHECK(refusal.code == "weights/file");
        CHECK(refusal.says("`odd`"));
        CHECK(refusal.diagnostics == 1);
    }
    CHECK(open_header(R"({"__metadata__":{"a":1}})", 0).says("metadata"));
    CHECK(open_header(R"({"__metadata__":[]})", 0).says("metadata"));
}

TEST_CASE("safetensors: bytes that are not shape times dtype") {
    CHECK(open_header(R"({"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}})", 8)
              .says("has 8 bytes, but F32 of shape [3] takes 12"));
    CHECK(open_header(R"({"a":{"dtype":"F64",)" + eight_floats + "}}", 8).code == "weights/file");
    CHECK(open_header(R"({"a":{"dtype":"F32","shape":[4294967296,4294967296,4294967296],"data_offsets":[0,8]}})", 8)
              .says("too large"));
    CHECK(open_header(R"({"a":{"dtype":"F32","shape":[9223372036854775807],"data_offsets":[0,8]}})", 8)
              .says("too large"));
    CHECK(open_header(R"({"a":{"dtype":"F32","shape":[0,9223372036854775807,2],"data_offsets":[0,0]}})", 0).code ==
          "no error");
}

TEST_CASE("safetensors: a dtype that nobody knows is named") {
    for (const std::string_view dtype : {"F8_E4M3", "F8_E5M2", "I16", "U64", "f32", "C64", ""}) {
        const Refusal refusal =
            open_header(std::string(R"({"odd":{"dtype":")") + std::string(dtype) + R"(",)" + eight_floats + "}}", 8);
        CHECK(refusal.code == "weights/file");
        CHECK(refusal.says("`odd`"));
        CHECK(refusal.says("`" + std::string(dtype) + "`"));
    }
}

TEST_CASE("safetensors: offsets that overlap, leave holes, are reversed, or miss the data's end") {
    const auto two = [](std::string_view a, std::string_view b, std::size_t size) {
        return open_header(R"({"one":{"dtype":"F32","shape":[2],"data_offsets":)" + std::string(a) +
                               R"(},"two":{"dtype":"F32","shape":[2],"data_offsets":)" + std::string(b) + "}}",
                           size);
    };
    CHECK(two("[0,8]", "[8,16]", 16).code == "no error");
    CHECK(two("[8,16]", "[0,8]", 16).code == "no error");
    const Refusal overlap = two("[0,8]", "[4,12]", 12);
    CHECK(overlap.says("tensors `one` and `two` overlap in the bytes 4 to 8"));
    CHECK(overlap.diagnostics == 1);
    CHECK(two("[0,8]", "[0,8]", 8).says("overlap"));
    CHECK(two("[0,8]", "[12,20]", 20).says("the bytes 8 to 12 before tensor `two`"));
    CHECK(two("[4,12]", "[12,20]", 20).says("the bytes 0 to 4 before tensor `one`"));
    CHECK(two("[8,0]", "[8,16]", 16).says("tensor `one`: its data_offsets [8, 0] are reversed"));
    CHECK(two("[0,8]", "[8,16]", 17).says("1 bytes follow"));
    CHECK(two("[0,8]", "[8,16]", 15).says("truncated: tensor `two` ends at byte 16"));
    CHECK(two("[0,8]", "[18446744073709551608,18446744073709551615]", 16).code == "weights/file");
    CHECK(open_header("{}", 1).says("1 bytes follow"));
}

TEST_CASE("safetensors: a tensor of no bytes inside another one") {
    CHECK(open_header(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},)"
                      R"("b":{"dtype":"F32","shape":[0],"data_offsets":[4,4]}})",
                      8)
              .says("overlap"));
}

TEST_CASE("safetensors: names and keys that appear twice") {
    const std::string tensor = R"("a":{"dtype":"F32",)" + eight_floats + "}";
    CHECK(open_header("{" + tensor + "," + tensor + "}", 8).says("`a` appears twice"));
    CHECK(open_header(R"({"a":{"dtype":"F32","dtype":"F32",)" + eight_floats + "}}", 8).says("twice"));
    CHECK(open_header(R"({"__metadata__":{"k":"1","k":"2"}})", 0).says("twice"));
}

TEST_CASE("safetensors: all problems at once, each with its tensor") {
    const Refusal refusal = open_header(
        R"({"a":{"dtype":"F9","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[3],"data_offsets":[8,16]},)"
        R"("c":{"dtype":"F32","shape":"x","data_offsets":[16,24]},)"
        R"("d":{"dtype":"F32","shape":[2],"data_offsets":[24,32]}})",
        32);
    CHECK(refusal.diagnostics == 3);
    CHECK(refusal.says("`a`"));
    CHECK(refusal.says("`b`"));
    CHECK(refusal.says("`c`"));
    CHECK_FALSE(refusal.says("`d`"));
}

TEST_CASE("safetensors: a hundred thousand tensors, and as many faults") {
    std::string sound = "{";
    std::string broken = "{";
    for (int i = 0; i < 100'000; ++i) {
        const std::string name = std::string(i == 0 ? "" : ",") + "\"t" + std::to_string(i) + "\":";
        sound += name + R"({"dtype":"U8","shape":[1],"data_offsets":[)" + std::to_string(i) + "," +
                 std::to_string(i + 1) + "]}";
        broken += name + "7";
    }
    CHECK(open_header(sound + "}", 100'000).code == "no error");
    const Refusal refusal = open_header(broken + "}", 0);
    CHECK(refusal.code == "weights/file");
    CHECK(refusal.diagnostics < 30);
}

TEST_CASE("safetensors: a file that shrinks after it was opened") {
    const TemporaryFolder folder;
    const std::string path = folder.write(
        "w.safetensors", safetensors(R"({"a":{"dtype":"F32",)" + eight_floats + "}}", std::string(8, '\1')));
    const SafetensorsFile file(path);
    REQUIRE(truncate(path.c_str(), 60) == 0);
    std::vector<std::byte> bytes(8);
    const Refusal refusal = refusal_of([&] { file.read(file.entries().front(), bytes); });
    CHECK(refusal.code == "weights/file");
    CHECK(refusal.says("truncated while it was read"));
    CHECK(refusal_of([&] { file.stream(file.entries().front(), [](std::span<const std::byte>) {}); }).code ==
          "weights/file");
}

TEST_CASE("safetensors: a buffer of the wrong size is refused") {
    const SafetensorsFile file(
        in_memory(safetensors(R"({"a":{"dtype":"F32",)" + eight_floats + "}}", std::string(8, '\1'))));
    std::vector<std::byte> bytes(9);
    CHECK_THROWS_AS(file.read(file.entries().front(), bytes), std::invalid_argument);
}

TEST_CASE("safetensors: control characters in a name do not reach the message") {
    const Refusal refusal = open_header(R"({"a\u001b[31m\n":3})", 0);
    CHECK(refusal.says("\\x1b[31m\\x0a"));
    CHECK_FALSE(refusal.says("\x1b"));
}

}  // namespace
}  // namespace seq::test
