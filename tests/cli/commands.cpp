#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>

#include "engine/reference_run.hpp"
#include "frontend/weights/npy.hpp"
#include "frontend/weights/npz.hpp"
#include "graph/text.hpp"
#include "tests/cli/process.hpp"

namespace seq::tests {
namespace {

using Json = nlohmann::json;

TEST_CASE("check is silent about a sound model and prints every fault of a wrong one") {
    const ProcessResult sound = seqc("check broken/sound_vgg.json");
    CHECK(sound.status == 0);
    CHECK(sound.output.empty());
    CHECK(sound.errors.empty());
    const ProcessResult wrong = seqc("check broken/m0002.json");
    CHECK(wrong.status == 1);
    CHECK(has(wrong.output, "shape/in-features"));
    CHECK(has(wrong.output, "3 errors"));
    CHECK_FALSE(has(wrong.output, "\033["));
    CHECK(has(seqc("check broken/m0002.json --color always").output, "\033["));
}

TEST_CASE("check --format json prints an object a line") {
    const ProcessResult result = seqc("check broken/m0003.json --format json");
    CHECK(result.status == 1);
    std::istringstream lines(result.output);
    int count = 0;
    for (std::string line; std::getline(lines, line); ++count) {
        const Json object = Json::parse(line);
        for (const char* key : {"code", "severity", "message", "layer", "type", "file", "line", "column", "end_column",
                                "expected", "actual", "notes", "fixes"})
            CHECK_MESSAGE(object.contains(key), key);
        CHECK(object.at("severity") == "error");
    }
    CHECK(count == 3);
}

TEST_CASE("a model may come from standard input, and inputs may take other shapes") {
    const std::string spec =
        R"({"seq": 1, "inputs": {"x": ["N", 8]}, "layers": [{"type": "Linear", "in_features": 8, "out_features": 2}]})";
    CHECK(seqc("check -", spec).status == 0);
    CHECK(seqc("check - --shape x=4,8", spec).status == 0);
    const ProcessResult other = seqc("check - --shape x=4,9", spec);
    CHECK(other.status == 1);
    CHECK(has(other.output, "shape/in-features"));
    CHECK(seqc("check - --set N=4", spec).status == 0);
    CHECK(seqc("check - --set M=4", spec).status == 2);
    CHECK(seqc("check - --shape y=4,9", spec).status == 2);
}

TEST_CASE("fix writes a mended model, over the file where asked") {
    const std::string path = scratch_path("mend.json");
    write_file(path, R"({"seq": 1, "inputs": {"x": ["N", 3, 8, 8]},
  "layers": [{"type": "Conv2d", "out_channels": 4, "kernel_size": 3},  "ReLU",
             {"type": "Linear", "in_features": 144, "out_features": 2}]})");
    const ProcessResult printed = seqc("fix " + path);
    CHECK(printed.status == 0);
    CHECK(has(printed.output, "Flatten"));
    CHECK(has(printed.output, R"("kernel_size": 3},  "ReLU",)"));  // the layout stays
    CHECK(seqc("check " + path).status == 1);
    CHECK(seqc("fix --in-place " + path).status == 0);
    CHECK(read_file(path) == printed.output);
    CHECK(seqc("check " + path).status == 0);
    CHECK(seqc("fix --in-place -", "{}").status == 2);
}

TEST_CASE("summary has every layer, totals, and constraints") {
    const ProcessResult text = seqc("summary digits/digits_cnn.json --set N=2");
    CHECK(text.status == 0);
    CHECK(has(text.output, "conv_layers.3"));
    CHECK(has(text.output, "390,410"));
    CHECK(has(text.output, "[2, 64, 14, 14]"));
    const Json json = Json::parse(seqc("summary digits/digits_cnn.json --format json").output);
    CHECK(json.at("parameters") == 390410);
    CHECK(json.at("layers").size() == 13);
    CHECK(json.at("constraints").contains("N"));
}

TEST_CASE("summary says nothing of a symbol that has its value") {
    const std::string path = scratch_path("square.json");
    write_file(path, R"({"seq": 1, "inputs": {"x": ["N", 3, "H", "H"]}, "dims": {"H": {"max": 99}}, "layers": [
  {"type": "MaxPool2d", "kernel_size": 4}, "Flatten", {"type": "Linear", "in_features": 75, "out_features": 2}]})");
    CHECK(seqc("check --set H=22 " + path).status == 0);
    const Json json = Json::parse(seqc("summary --set H=22 --format json " + path).output);
    CHECK(!json.at("constraints").contains("H"));
    CHECK(json.at("constraints").contains("N"));
    CHECK(!has(seqc("summary --set H=22 " + path).output, "works for 1 and more\nN"));
}

TEST_CASE("symbols that depend on each other take values that work together") {
    const std::string path = scratch_path("sides.json");
    const auto summary = [&](const std::string& first, const std::string& features) {
        write_file(path, R"({"seq": 1, "inputs": {"x": ["N", 3, "H", "W"]}, "layers": [)" + first +
                             R"({"type": "Conv2d", "out_channels": 8, "kernel_size": 3}, "Flatten",
  {"type": "Linear", "in_features": )" +
                             features + R"(, "out_features": 2}]})");
        return seqc("summary --format json " + path);
    };
    const Json square = Json::parse(summary("", "800").output);
    CHECK(square.at("bindings").at("H") == 12);
    CHECK(square.at("bindings").at("W") == 12);
    const Json oblong = Json::parse(summary("", "56").output);
    CHECK(oblong.at("bindings").at("H") == 3);
    CHECK(oblong.at("bindings").at("W") == 9);
    // 8 * 109 = 8 * (7H - 2) * (7W - 2): a prime that is no such product.
    const ProcessResult none = summary(R"({"type": "Upsample", "scale_factor": 7}, )", "872");
    CHECK(none.status == 0);
    const Json json = Json::parse(none.output);
    CHECK(json.at("layers").size() == 4);
    CHECK(json.at("bindings").empty());
    CHECK(json.at("macs").is_null());
    CHECK(json.at("steps").is_null());
    CHECK(has(seqc("summary " + path).output, "7·H - 2"));
    CHECK(seqc("bench --duration 0.01 " + path).status == 1);
}

TEST_CASE("summary counts parameters as PyTorch does: running statistics are none") {
    const std::string path = scratch_path("statistics.json");
    write_file(path, R"({"seq": 1, "inputs": {"x": ["N", 3, 8, 8]},
  "layers": [{"type": "Conv2d", "out_channels": 4, "kernel_size": 3}, "BatchNorm2d", {"type": "PReLU", "num_parameters": 4}]})");
    const Json json = Json::parse(seqc("summary --random-weights 1 --format json " + path).output);
    CHECK(json.at("parameters") == 112 + 8 + 4);
    CHECK(json.at("running_statistics") == 8);
    CHECK(json.at("layers")[1].at("parameters") == 8);
    CHECK(has(seqc("summary --random-weights 1 " + path).output, "124 (496 B as f32), and 8 running statistics"));
}

TEST_CASE("run gives PyTorch's numbers, to .npy, .npz and standard output") {
    const Tensor expected = read_npy(std::string(SEQ_TEST_DATA) + "/goldens/cifar_cnn.out.fc2.npy");
    const std::string y = scratch_path("y.npy");
    CHECK(seqc("run goldens/cifar_cnn.json --input x=goldens/cifar_cnn.in.x.npy --output fc2=" + y).status == 0);
    CHECK(relative_difference(read_npy(y), expected) < 1e-4);
    const std::string all = scratch_path("all.npz");
    CHECK(seqc("run goldens/cifar_cnn.json --input goldens/cifar_cnn.in.x.npy --output " + all + " --output relu1=" + y)
              .status == 0);
    CHECK(relative_difference(read_npz(all)[0].second, expected) < 1e-4);
    CHECK(read_npy(y).sizes()[1] == 16);
    const std::string piped = scratch_path("piped.npy");
    write_file(piped, seqc("run goldens/cifar_cnn.json --input goldens/cifar_cnn.in.x.npy --output -").output);
    CHECK(relative_difference(read_npy(piped), expected) < 1e-4);
}

TEST_CASE("run reads pictures") {
    for (const char* digit : {"0", "1", "2"}) {
        const ProcessResult result = seqc(std::string("run digits/digits_cnn.json --input digits/digit_") + digit +
                                          ".png --mean 0.1307 --std 0.3081 --top 1");
        CHECK(result.status == 0);
        CHECK(has(result.output, std::string("  ") + digit + ": "));
    }
}

TEST_CASE("run says what it lacks") {
    CHECK(seqc("run goldens/cifar_cnn.json").status == 2);
    CHECK(seqc("run goldens/cifar_cnn.json --input y=goldens/cifar_cnn.in.x.npy").status == 2);
    CHECK(seqc("run goldens/cifar_cnn.json --input goldens/none.npy").status == 1);
    CHECK(seqc("run goldens/cifar_cnn.json --input goldens/op_linear.in.x.npy").status == 1);
    CHECK(seqc("run goldens/cifar_cnn.json --input goldens/op_embedding.in.x.npy").status == 1);
    CHECK(
        seqc("run goldens/cifar_cnn.json --input goldens/cifar_cnn.in.x.npy --output nothing=" + scratch_path("n.npy"))
            .status == 2);
    const ProcessResult bare =
        seqc("run - --input goldens/op_linear.in.x.npy",
             R"({"seq": 1, "inputs": {"x": ["N", 18]}, "layers": [{"type": "Linear", "out_features": 2}]})");
    CHECK(bare.status == 1);
    CHECK(has(bare.errors, "--random-weights"));
}

TEST_CASE("run --format json prints JSON, whatever the names") {
    const std::string spec =
        R"({"seq": 1, "inputs": {"x": ["N", 3]}, "layers": [{"type": "ReLU", "name": "a\"b\\c"}]})";
    const float values[] = {2, std::nanf(""), 3, -1, 5, 4};
    const std::string x = scratch_path("x.npy");
    Tensor input(DType::f32, {2, 3});
    std::copy(std::begin(values), std::end(values), input.data<float>().begin());
    write_npy(x, input.view());
    const Json statistics = Json::parse(seqc("run - --format json --input " + x, spec).output);
    CHECK(statistics.at("output") == "a\"b\\c");
    CHECK(statistics.at("finite") == false);
    std::istringstream rows(seqc("run - --format json --top 2 --input " + x, spec).output);
    std::string line;
    REQUIRE(std::getline(rows, line));
    const Json first = Json::parse(line);
    CHECK(first.at("top")[0].at("index") == 1);
    CHECK(first.at("top")[0].at("value").is_null());
    CHECK(first.at("top")[1].at("value") == 3);
    REQUIRE(std::getline(rows, line));
    CHECK(Json::parse(line).at("row") == 1);
    const Json dump = Json::parse(seqc("dump goldens/cifar_cnn.json --format json --stage fused").output);
    CHECK(dump.at("stage") == "fused");
    CHECK(parse_graph(dump.at("text").get<std::string>()).output_names().size() == 1);
}

TEST_CASE("outputs that would overwrite each other are a wrong command line") {
    const std::string run = "run goldens/cifar_cnn.json --input goldens/cifar_cnn.in.x.npy ";
    const std::string a = scratch_path("same.npy");
    const std::string z = scratch_path("same.npz");
    for (const std::string& outputs : {
             "--output conv1=" + a + " --output fc2=" + a,
             "--output conv1=" + a + " --output fc2=" + scratch_path("./same.npy"),
             "--output fc2=" + a + " --output fc2=" + a,
             "--output " + z + " --output " + z,
             "--output " + z + " --output fc2=" + z,
             std::string("--output - --output conv1=-"),
             std::string("--output - --output conv1=/dev/stdout"),
             std::string("--output - --top 3"),
             std::string("--output fc2="),
             std::string("--output ''"),
         }) {
        CAPTURE(outputs);
        CHECK(seqc(run + outputs).status == 2);
        CHECK(read_file(a).empty());
    }
    CHECK(seqc(run + "--output conv1=" + z + " --output fc2=" + z).status == 0);
    CHECK(read_npz(z).size() == 2);
    CHECK(seqc(run + "--output conv1=/dev/null --output fc2=/dev/null").status == 0);
    const ProcessResult misspelled = seqc(run + "--output conv11=" + a);
    CHECK(misspelled.status == 2);
    CHECK(has(misspelled.errors, "did you mean `conv1`"));
}

TEST_CASE("run inflates no array that it does not need") {
    const std::string path = scratch_path("inputs.npz");
    const Tensor x = read_npy(std::string(SEQ_TEST_DATA) + "/goldens/cifar_cnn.in.x.npy");
    const std::vector<std::pair<std::string, TensorView>> arrays{{"other", x.view()}, {"x", x.view()}};
    write_npz(path, arrays);
    std::string bytes = read_file(path);
    bytes[300] = static_cast<char>(bytes[300] ^ 1);  // an element of `other`, so that its checksum is wrong
    write_file(path, bytes);
    CHECK_THROWS_AS(read_npz(path), Error);
    CHECK(seqc("run goldens/cifar_cnn.json --input " + path).status == 0);
    const ProcessResult missing = seqc("run digits/digits_cnn.json --input x=" + path);
    CHECK(missing.status == 1);
}

TEST_CASE("the command line is checked whether or not it matters") {
    CHECK(seqc("dump goldens/cifar_cnn.json --stage graph --passes bogus").status == 2);
    CHECK(seqc("dump goldens/cifar_cnn.json --stage graph --device cuda").status == 3);
    CHECK(seqc("run digits/digits_cnn.json --input digits/digit_0.png --mean 1,2").status == 2);
    const std::string spec = R"({"seq": 1, "inputs": {"x": ["N", 3]}, "layers": ["ReLU"], "weights": ""})";
    CHECK(has(seqc("check -", spec).output, "spec/value"));
}

TEST_CASE("what does not fit into memory is refused with its name") {
    const std::string wide =
        R"({"seq": 1, "inputs": {"x": ["N", 500000]}, "layers": [{"type": "Linear", "name": "fc", "out_features": 500000}]})";
    for (const char* command : {"explain", "bench", "verify", "summary"}) {
        CAPTURE(command);
        const ProcessResult result = seqc(std::string(command) + " -", wide);
        CHECK(result.status == 1);
        CHECK(has(result.errors, "error[shape/limit]"));
    }
    CHECK(has(seqc("bench -", wide).errors, "`fc.weight`"));
    for (const char* command : {"bench", "verify"}) {
        CAPTURE(command);
        const std::string net = std::string(command) + " goldens/cifar_cnn.json --memory-limit ";
        const ProcessResult small = seqc(net + "64K");
        CHECK(small.status == 1);
        CHECK(has(small.errors, "error[shape/limit]"));
        CHECK(seqc(net + "x").status == 2);
        CHECK(seqc(net + "99999999999T").status == 2);
    }
    CHECK(seqc("verify goldens/cifar_cnn.json --memory-limit 1G").status == 0);
    const std::string half =  // a weight of 513 KiB
        R"({"seq": 1, "inputs": {"x": [1, 131328]}, "layers": [{"type": "Linear", "out_features": 1, "bias": false}]})";
    CHECK(has(seqc("bench - --memory-limit 525300", half).errors, "525312 B, more than the memory limit of 525300 B"));
}

TEST_CASE("dump prints a graph that reads back, at every stage") {
    for (const char* stage : {"graph", "fused", "plan"}) {
        CAPTURE(stage);
        const ProcessResult result = seqc(std::string("dump goldens/residual_block.json --stage ") + stage);
        CHECK(result.status == 0);
        const Graph graph = parse_graph(result.output);
        CHECK(graph.output_names() == std::vector<std::string>{"out"});
        CHECK(print(parse_graph(print(graph))) == print(graph));
    }
}

TEST_CASE("verify compares the passes and the plan with the reference") {
    const ProcessResult result = seqc("verify goldens/residual_block.json");
    CHECK(result.status == 0);
    CHECK(has(result.output, "batch_norm_folding"));
    CHECK(has(result.output, "compiled plan"));
    const ProcessResult impossible = seqc("verify goldens/residual_block.json --tolerance 1e-30");
    CHECK(impossible.status == 1);
    CHECK(has(impossible.output, "DRIFTS"));
}

TEST_CASE("devices and schema") {
    CHECK(has(seqc("devices").output, "cpu: available"));
    const ProcessResult schema = seqc("schema");
    CHECK(schema.status == 0);
    CHECK(Json::parse(schema.output).contains("$schema"));
}

TEST_CASE("a wrong command line is status 2, with a word of help") {
    CHECK(seqc("").status == 2);
    const ProcessResult misspelled = seqc("chekc x.json");
    CHECK(misspelled.status == 2);
    CHECK(has(misspelled.errors, "check"));
    CHECK(seqc("check").status == 2);
    CHECK(seqc("check a.json b.json").status == 2);
    CHECK(seqc("check broken/sound_vgg.json --colour always").status == 2);
    CHECK(seqc("check broken/sound_vgg.json --format yaml").status == 2);
    CHECK(seqc("check broken/sound_vgg.json --set N=x").status == 2);
    CHECK(seqc("summary broken/sound_vgg.json --threads -1").status == 2);
    CHECK(seqc("summary broken/sound_vgg.json --passes nonsense").status == 2);
    CHECK(seqc("--help").status == 0);
    CHECK(seqc("check --help").status == 0);
    CHECK(has(seqc("--version").output, "seqc "));
}

TEST_CASE("files that cannot be read or written are status 1, and nothing is half-written") {
    CHECK(seqc("check nowhere.json").status == 1);
    CHECK(seqc("check .").status == 1);
    CHECK(seqc("summary goldens/cifar_cnn.json >/dev/full").status == 1);
    CHECK(seqc("check broken/m0002.json >/dev/full").status == 1);
    CHECK(seqc("run goldens/cifar_cnn.json --input goldens/cifar_cnn.in.x.npy --output fc2=/dev/full").status == 1);
    CHECK(seqc("run goldens/cifar_cnn.json --input goldens/cifar_cnn.in.x.npy --output fc2=/nowhere/y.npy").status ==
          1);
    CHECK(seqc("schema | true").status == 0);
    CHECK(seqc("check goldens/cifar_cnn.json --weights digits/digits_cnn.safetensors").status == 1);
    CHECK(seqc("check goldens/cifar_cnn.json --weights goldens/cifar_cnn.json").status == 1);
}

}  // namespace
}  // namespace seq::tests
