#include <random>

#include "frontend/pictures/picture.hpp"
#include "frontend/weights/npy.hpp"
#include "frontend/weights/npz.hpp"
#include "frontend/weights/safetensors.hpp"
#include "tests/weights/support.hpp"

namespace seq::test {
namespace {

/// Changes, inserts, removes or repeats a few bytes; now and then puts a number there that is large or at an edge.
std::string mutate(std::string content, std::mt19937& random) {
    const auto below = [&](std::size_t n) { return n == 0 ? 0 : random() % n; };
    const std::size_t edits = 1 + below(4);
    for (std::size_t i = 0; i < edits; ++i) {
        const std::size_t at = below(content.size());
        switch (below(7)) {
            case 0: content[at] = static_cast<char>(random()); break;
            case 1: content[at] = static_cast<char>(content[at] ^ (1 << below(8))); break;
            case 2: content.erase(at, 1 + below(16)); break;
            case 3: content.insert(at, content.substr(below(content.size()), below(32))); break;
            case 4: content.resize(at); break;
            case 5: content[at] = "09{}[](),:\"'-\\\xff"[below(15)]; break;
            default: {
                const std::string number = little_endian(
                    below(2) == 0 ? ~std::uint64_t{0} >> below(40) : std::uint64_t{1} << below(64), 1 + below(8));
                content.replace(at, number.size(), number);
            }
        }
        if (content.empty()) content = "x";
    }
    return content;
}

/// Runs `parse` on mutations of each seed; it may throw Error and nothing else. Returns how many were accepted.
int fuzz(const std::vector<std::string>& seeds, int rounds, const std::function<void(const std::string&)>& parse) {
    std::mt19937 random(20240607);
    int accepted = 0;
    for (int i = 0; i < rounds; ++i) {
        const std::string content = mutate(seeds[static_cast<std::size_t>(i) % seeds.size()], random);
        const Refusal refusal = refusal_of([&] { parse(content); });
        accepted += refusal.code == "no error" ? 1 : 0;
    }
    return accepted;
}

void read_everything(const WeightSource& source) {
    for (const WeightSource::Entry& entry : source.entries()) {
        const Tensor tensor = allocate_tensor(entry.dtype, entry.sizes, entry.name);
        source.read(entry, {tensor.view().as<std::byte>(), tensor.byte_count()});
        source.stream(entry, [](std::span<const std::byte>) {});
    }
}

TEST_CASE("fuzz: safetensors") {
    const std::vector<std::string> seeds{
        safetensors(R"({"__metadata__":{"format":"pt"},"a":{"dtype":"F32","shape":[2,1],"data_offsets":[0,8]},)"
                    R"("b":{"dtype":"BOOL","shape":[],"data_offsets":[8,9]}})",
                    "123456789"),
        read_file(data_path("goldens/act_prelu.safetensors"))};
    CHECK(fuzz(seeds, 20'000,
               [](const std::string& content) { read_everything(SafetensorsFile(in_memory(content))); }) < 20'000);
}

TEST_CASE("fuzz: npy") {
    std::vector<std::string> seeds;
    for (const std::string name : {"f4", "big_fortran", "version2", "bool", "empty", "scalar"})
        seeds.push_back(read_file(data_path("arrays/" + name + ".npy")));
    const int accepted = fuzz(seeds, 20'000, [](const std::string& content) {
        const auto source = in_memory(content);
        read_npy(*stream_of(*source, 0, source->size()));
    });
    CHECK(accepted > 0);
    CHECK(accepted < 20'000);
}

TEST_CASE("fuzz: npz") {
    const std::vector<std::string> seeds{read_file(data_path("arrays/stored.npz")),
                                         read_file(data_path("arrays/deflated.npz")),
                                         zip({{"a.npy", read_file(data_path("arrays/f4.npy")), true, true}})};
    CHECK(fuzz(seeds, 20'000, [](const std::string& content) { read_everything(NpzFile(in_memory(content))); }) <
          20'000);
}

TEST_CASE("fuzz: pictures") {
    std::vector<std::string> seeds;
    for (const std::string name :
         {"grey.png", "rgba.png", "palette_transparent.png", "deep.png", "rgb.jpg", "progressive.jpg", "cmyk.jpg"}) {
        seeds.push_back(read_file(data_path("pictures/" + name)));
    }
    const int accepted =
        fuzz(seeds, 10'000, [](const std::string& content) { decode_picture(to_bytes(content), "p"); });
    CHECK(accepted > 0);
    CHECK(accepted < 10'000);
}

}  // namespace
}  // namespace seq::test
