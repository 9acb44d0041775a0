#include "frontend/pictures/picture.hpp"

#include <zlib.h>

#include <algorithm>
#include <cmath>

#include "frontend/weights/npy.hpp"
#include "tests/weights/support.hpp"

namespace seq::test {
namespace {

Picture read(const std::string& name) { return read_picture(data_path("pictures/" + name)); }

/// Compares with [height, width, channels] of Pillow; `tolerance` in steps of 8-bit values.
void check_against(const Picture& picture, const std::string& expected_name, int tolerance) {
    CAPTURE(expected_name);
    const Tensor expected = read_npy(data_path("pictures/" + expected_name));
    REQUIRE(std::vector(expected.sizes().begin(), expected.sizes().end()) ==
            std::vector<std::int64_t>{picture.height, picture.width, picture.channels});
    int worst = 0;
    for (std::size_t i = 0; i < picture.pixels.size(); ++i)
        worst = std::max(worst, std::abs(picture.pixels[i] - expected.data<std::uint8_t>()[i]));
    CHECK(worst <= tolerance);
}

TEST_CASE("pictures: every kind of PNG") {
    for (const std::string name :
         {"grey", "rgb", "grey_alpha", "rgba", "palette", "palette_transparent", "bits", "deep"}) {
        check_against(read(name + ".png"), name + ".png.npy", 0);
    }
}

TEST_CASE("pictures: JPEG, as another build of the library decodes it") {
    for (const std::string name : {"rgb", "progressive", "grey", "cmyk"})
        check_against(read(name + ".jpg"), name + ".jpg.npy", 2);
}

TEST_CASE("pictures: resized bit for bit as Pillow does") {
    const Picture picture = read("rgb.png");
    for (const auto& [height, width] :
         {std::pair(13, 5), {4, 17}, {6, 8}, {29, 40}, {1, 1}, {3, 51}, {13, 17}, {64, 2}}) {
        check_against(resize(picture, height, width),
                      "resized_" + std::to_string(height) + "_" + std::to_string(width) + ".npy", 0);
    }
    CHECK(refusal_of([&] { resize(picture, 2'000'000'000, 2'000'000'000); }).code == "io/limit");
    CHECK(refusal_of([&] { resize(picture, 0, 5); }).code == "io/limit");
}

TEST_CASE("pictures: channels") {
    check_against(convert_channels(read("rgb.png"), 1), "luma.npy", 0);
    check_against(convert_channels(read("rgba.png"), 1), "luma.npy", 0);
    check_against(convert_channels(read("rgba.png"), 3), "rgb.png.npy", 0);
    check_against(convert_channels(read("grey_alpha.png"), 1), "grey.png.npy", 0);
    const Picture grey{1, 2, 1, {7, 9}};
    CHECK(convert_channels(grey, 3).pixels == std::vector<std::uint8_t>{7, 7, 7, 9, 9, 9});
    CHECK(convert_channels(grey, 2).pixels == std::vector<std::uint8_t>{7, 255, 9, 255});
    CHECK(convert_channels(grey, 4).pixels == std::vector<std::uint8_t>{7, 7, 7, 255, 9, 9, 9, 255});
    const Picture grey_alpha{1, 1, 2, {7, 100}};
    CHECK(convert_channels(grey_alpha, 4).pixels == std::vector<std::uint8_t>{7, 7, 7, 100});
    const Picture colour{1, 1, 4, {10, 20, 30, 40}};
    CHECK(convert_channels(colour, 2).pixels == std::vector<std::uint8_t>{18, 40});
}

TEST_CASE("pictures: values are (pixel * scale - mean) / std, in [N, C, H, W]") {
    const Picture picture{1, 2, 3, {0, 51, 102, 153, 204, 255}};
    Tensor out(DType::f32, {2, 3, 1, 2});
    to_input(picture, {.mean = {0, 0.2, 0.4}, .std = {1, 0.5, 2}}, out, 1);
    const std::vector<double> expected{0, 0, 0, 0, 0, 0, 0, 0.6, 0, 1.2, 0, 0.3};
    for (std::size_t i = 0; i < expected.size(); ++i) CHECK(values_of(out)[i] == doctest::Approx(expected[i]));

    Tensor single(DType::f64, {1, 1, 2});
    to_input(picture, {.scale = 1}, single);
    CHECK(values_of(single) == std::vector<double>{42, 195});

    Tensor bytes(DType::u8, {3, 1, 2});
    to_input(picture, {.scale = 2, .mean = {10}}, bytes);
    CHECK(values_of(bytes) == std::vector<double>{0, 255, 92, 255, 194, 255});

    Tensor narrow(DType::bf16, {1, 3, 1, 2});
    to_input(picture, {.scale = 1}, narrow);
    CHECK(values_of(narrow) == std::vector<double>{0, 153, 51, 204, 102, 255});
}

TEST_CASE("pictures: the digits come in as PyTorch saw them") {
    const Tensor expected = read_npy(data_path("digits/images_u8.npy"));
    const Tensor inputs = read_npy(data_path("digits/input.npy"));
    for (int i = 0; i < 3; ++i) {
        const Picture picture = read_picture(data_path("digits/digit_" + std::to_string(i) + ".png"));
        CAPTURE(picture.channels);
        Tensor out(DType::f32, {1, 1, 28, 28});
        to_input(picture, {.mean = {0.1307}, .std = {0.3081}}, out);
        bool found = false;
        for (std::int64_t k = 0; k < 256 && !found; ++k) {
            float worst = 0;
            for (std::size_t p = 0; p < 784; ++p)
                worst = std::max(worst, std::fabs(out.data<float>()[p] -
                                                  inputs.data<float>()[static_cast<std::size_t>(k) * 784 + p]));
            found = worst < 1e-6F;
        }
        CHECK(found);
    }
    CHECK(expected.element_count() == inputs.element_count());
}

TEST_CASE("pictures: what does not fit is refused") {
    const Picture picture{1, 1, 1, {5}};
    const auto refuse = [&](const PictureOptions& options, std::initializer_list<std::int64_t> sizes,
                            std::int64_t n = 0) {
        return refusal_of([&] { to_input(picture, options, Tensor(DType::f32, sizes), n); }).code;
    };
    CHECK(refuse({}, {1, 1, 1, 1}) == "no error");
    CHECK(refuse({}, {1, 1}) == "io/value");
    CHECK(refuse({}, {1, 1, 1, 1, 1}) == "io/value");
    CHECK(refuse({}, {1, 5, 1, 1}) == "io/value");
    CHECK(refuse({}, {1, 1, 0, 1}) == "io/value");
    CHECK(refuse({}, {2, 1, 1, 1}, 2) == "io/value");
    CHECK(refuse({}, {2, 1, 1, 1}, -1) == "io/value");
    CHECK(refuse({.mean = {1, 2}}, {1, 3, 1, 1}) == "io/value");
    CHECK(refuse({.std = {0}}, {1, 1, 1, 1}) == "io/value");
    CHECK(refuse({.std = {}}, {1, 1, 1, 1}) == "io/value");
    CHECK(refuse({.scale = std::nan("")}, {1, 1, 1, 1}) == "io/value");
}

Refusal decode(std::string_view content) {
    return refusal_of([&] { decode_picture(to_bytes(content), "p"); });
}

TEST_CASE("pictures: damaged, truncated and foreign files") {
    for (const std::string name : {"rgb.png", "palette.png", "rgb.jpg", "progressive.jpg"}) {
        CAPTURE(name);
        const std::string whole = read_file(data_path("pictures/" + name));
        CHECK(decode(whole).code == "no error");
        for (std::size_t size = 0; size + 12 < whole.size(); size += 3)
            CHECK(decode(whole.substr(0, size)).code == "io/format");
    }
    CHECK(decode("GIF89a").says("neither"));
    CHECK(decode("").says("neither"));
    CHECK(refusal_of([] { read_picture("/nowhere.png"); }).code == "io/open");
    CHECK(refusal_of([] { read_picture("/dev/zero"); }).code == "io/limit");
}

std::string big_endian(std::uint32_t value) {
    std::string text = little_endian(value, 4);
    std::reverse(text.begin(), text.end());
    return text;
}

TEST_CASE("pictures: a few bytes that claim to be a large picture") {
    const std::string png = read_file(data_path("pictures/rgb.png"));
    const auto claim = [&](std::uint32_t width, std::uint32_t height) {
        const std::string header = "IHDR" + big_endian(width) + big_endian(height) + png.substr(24, 5);
        const auto crc = static_cast<std::uint32_t>(crc32(0, reinterpret_cast<const Bytef*>(header.data()), 17));
        return decode(std::string(png).replace(12, 21, header + big_endian(crc)));
    };
    CHECK(claim(17, 13).code == "no error");
    CHECK(claim(65'535, 65'535).code == "io/limit");
    CHECK(claim(2'147'483'647, 2'147'483'647).code == "io/format");
    CHECK(claim(10'000, 10'000).says("truncated"));
    CHECK(claim(0, 13).code == "io/format");
    std::string jpeg = read_file(data_path("pictures/rgb.jpg"));
    const std::size_t frame = jpeg.find("\xff\xc0");
    REQUIRE(frame != std::string::npos);
    jpeg.replace(frame + 5, 4, "\xff\x10\xff\x10");
    CHECK(decode(jpeg).code == "io/limit");
}

}  // namespace
}  // namespace seq::test
