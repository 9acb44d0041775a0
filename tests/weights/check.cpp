#include "frontend/weights/check.hpp"

#include "frontend/weights/safetensors.hpp"
#include "tests/weights/support.hpp"

namespace seq::test {
namespace {

struct FileTensor {
    std::string name;
    std::vector<std::int64_t> sizes;
    std::string dtype = "F32";
    char fill = '\0';
};

SafetensorsFile file_of(const std::vector<FileTensor>& tensors) {
    std::string header = "{";
    std::string data;
    for (const FileTensor& tensor : tensors) {
        std::int64_t bytes = tensor.dtype == "I64" || tensor.dtype == "F64"    ? 8
                             : tensor.dtype == "F16" || tensor.dtype == "BF16" ? 2
                                                                               : 4;
        std::string shape;
        for (std::int64_t size : tensor.sizes) {
            bytes *= size;
            shape += (shape.empty() ? "" : ",") + std::to_string(size);
        }
        const std::size_t begin = data.size();
        data.append(static_cast<std::size_t>(bytes), tensor.fill);
        header += (begin == 0 && header.size() == 1 ? "" : ",") +
                  ("\"" + tensor.name + R"(":{"dtype":")" + tensor.dtype + R"(","shape":[)" + shape +
                   R"(],"data_offsets":[)") +
                  std::to_string(begin) + "," + std::to_string(data.size()) + "]}";
    }
    return SafetensorsFile(in_memory(safetensors(header + "}", data), "w.safetensors"));
}

NeededParameter needs(const std::string& name, Shape shape, DType dtype = DType::f32) {
    return {name, {dtype, std::move(shape)}, name.substr(0, name.rfind('.')), "Linear", {}};
}

std::vector<std::string> codes_of(const WeightCheck& check) {
    std::vector<std::string> codes;
    for (const Diagnostic& diagnostic : check.diagnostics) codes.push_back(diagnostic.code);
    return codes;
}

using Codes = std::vector<std::string>;

TEST_CASE("check: all is well, with other float dtypes and counters") {
    const SafetensorsFile file = file_of({{"a.weight", {2, 3}, "F16"},
                                          {"a.bias", {2}, "F64"},
                                          {"b.weight", {1}, "BF16"},
                                          {"b.num_batches_tracked", {}, "I64"},
                                          {"num_batches_tracked", {}, "I64"}});
    const std::vector<NeededParameter> needed{needs("a.weight", {2, 3}), needs("a.bias", {2}), needs("b.weight", {1})};
    const WeightCheck check = check_weights(needed, file);
    CHECK(check.diagnostics.empty());
    REQUIRE(check.entries.size() == 3);
    CHECK(check.entries[1] == file.find("a.bias"));
}

TEST_CASE("check: everything at once") {
    const SafetensorsFile file =
        file_of({{"a.weight", {3, 2}}, {"b.weight", {4}, "I64"}, {"c.weight", {5}, "I64"}, {"something.else", {7}}});
    const std::vector<NeededParameter> needed{needs("a.weight", {2, 3}), needs("b.weight", {4}), needs("c.weight", {6}),
                                              needs("d.weight", {9})};
    const WeightCheck check = check_weights(needed, file);
    CHECK(codes_of(check) == Codes{"weights/shape", "weights/dtype", "weights/dtype", "weights/shape",
                                   "weights/missing", "weights/unexpected"});
    CHECK(check.diagnostics[0].message == "Linear `a` takes `a.weight` as [2, 3], but w.safetensors has [3, 2]");
    CHECK(check.diagnostics[0].expected == "[2, 3]");
    CHECK(check.diagnostics[0].actual == "[3, 2]");
    CHECK(check.diagnostics[0].notes.size() == 1);
    CHECK(check.diagnostics[1].message == "Linear `b` takes `b.weight` as f32, but w.safetensors has i64");
    CHECK(check.diagnostics[4].message == "Linear `d` needs `d.weight`, which w.safetensors does not have");
    CHECK(check.diagnostics[4].layer == "d");
    CHECK(check.diagnostics[5].message == "w.safetensors has `something.else`, which nothing uses");
    CHECK(check.diagnostics[5].actual == "something.else");
    for (const WeightSource::Entry* entry : check.entries) CHECK(entry == nullptr);
}

TEST_CASE("check: a number for an index is no float") {
    const SafetensorsFile file = file_of({{"a.index", {2}, "F32"}});
    CHECK(codes_of(check_weights(std::vector{needs("a.index", {2}, DType::i64)}, file)) == Codes{"weights/dtype"});
}

TEST_CASE("check: a misspelled name is one fault, a misspelled layer too") {
    const SafetensorsFile file = file_of({{"conv1.wieght", {2, 3}}, {"head_.weight", {4}}, {"head_.bias", {5}}});
    const std::vector<NeededParameter> needed{needs("conv1.weight", {2, 3}), needs("head.weight", {4}),
                                              needs("head.bias", {5})};
    const WeightCheck check = check_weights(needed, file);
    CHECK(codes_of(check) == Codes{"weights/missing", "weights/missing"});
    CHECK(check.diagnostics[0].message.find("did you mean its `conv1.wieght`?") != std::string::npos);
    CHECK(check.diagnostics[1].message.find("`head_.weight`") != std::string::npos);
    REQUIRE(check.diagnostics[1].notes.size() == 1);
    CHECK(check.diagnostics[1].notes[0].find("`head_.bias`") != std::string::npos);
}

TEST_CASE("check: names that are alike but hold something else are two faults") {
    const SafetensorsFile file = file_of({{"conv1.wieght", {3, 3}}});
    CHECK(codes_of(check_weights(std::vector{needs("conv1.weight", {2, 3})}, file)) ==
          Codes{"weights/missing", "weights/unexpected"});
}

TEST_CASE("check: a prefix on all names is said once, whoever has it") {
    const std::vector<NeededParameter> plain{needs("0.weight", {2}), needs("2.weight", {2}), needs("4.weight", {3})};
    const SafetensorsFile wrapped =
        file_of({{"module.0.weight", {2}}, {"module.2.weight", {2}}, {"module.4.weight", {3}}});
    WeightCheck check = check_weights(plain, wrapped);
    CHECK(codes_of(check) == Codes{"weights/missing"});
    CHECK(check.diagnostics[0].message ==
          "3 of the model's 3 parameters are in w.safetensors with names that begin with `module.`");

    const std::vector<NeededParameter> nested{needs("net.body.0.weight", {2}), needs("net.body.2.weight", {2})};
    const SafetensorsFile bare = file_of({{"0.weight", {2}}, {"2.weight", {2}}, {"other.thing", {9}}});
    check = check_weights(nested, bare);
    CHECK(codes_of(check) == Codes{"weights/missing", "weights/unexpected"});
    CHECK(check.diagnostics[0].message.find("do not begin with `net.body.`") != std::string::npos);
}

TEST_CASE("check: a shared layer's tensor may stand under any of its names, under several where they are equal") {
    const ParameterAliases aliases{{"again.weight", "enc.weight"}, {"third.weight", "enc.weight"}};
    const std::vector<NeededParameter> needed{needs("enc.weight", {2})};
    CHECK(check_weights(needed, file_of({{"enc.weight", {2}}}), aliases).diagnostics.empty());
    CHECK(check_weights(needed, file_of({{"enc.weight", {2}, "F32", 1}, {"again.weight", {2}, "F32", 1}}), aliases)
              .diagnostics.empty());
    const SafetensorsFile only_alias = file_of({{"third.weight", {2}}});
    const WeightCheck found = check_weights(needed, only_alias, aliases);
    CHECK(found.diagnostics.empty());
    CHECK(found.entries[0] == only_alias.find("third.weight"));
    for (const FileTensor& other : {FileTensor{"again.weight", {2}, "F32", 2},
                                    {"again.weight", {3}, "F32", 1},
                                    {"again.weight", {2}, "F16", 1}}) {
        const WeightCheck check = check_weights(needed, file_of({{"enc.weight", {2}, "F32", 1}, other}), aliases);
        CHECK(codes_of(check) == Codes{"weights/unexpected"});
        CHECK(check.diagnostics[0].message.find("another name of the shared `enc.weight`") != std::string::npos);
    }
    CHECK(codes_of(check_weights({}, file_of({{"again.weight", {2}}}), aliases)) == Codes{"weights/unexpected"});
}

TEST_CASE("check: a type that is not known is only looked up") {
    const SafetensorsFile file = file_of({{"a.weight", {2, 3}}, {"b.weight", {2, 3}}});
    NeededParameter unknown = needs("a.weight", {});
    unknown.type = TensorType::make_error();
    NeededParameter symbolic = needs("b.weight", {Dim("N"), 3});
    CHECK(check_weights(std::vector{unknown, symbolic, needs("c.weight", {1})}, file).diagnostics.size() == 1);
}

TEST_CASE("check: another model's file of many names takes no time") {
    std::vector<FileTensor> tensors;
    std::vector<NeededParameter> needed;
    for (int i = 0; i < 20'000; ++i) {
        tensors.push_back({"weight.of.block" + std::to_string(i) + ".weight", {1}});
        needed.push_back(needs("layer" + std::to_string(i) + ".weight", {1}));
    }
    CHECK(check_weights(needed, file_of(tensors)).diagnostics.size() == 40'000);
}

}  // namespace
}  // namespace seq::test
