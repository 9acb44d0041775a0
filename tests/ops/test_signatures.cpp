#include <doctest/doctest.h>

#include <algorithm>
#include <fstream>

#include "tests/ops/support.hpp"

namespace seq::tests {
namespace {

/// A default as a field would hold it: a list of equal entries is not told from one number.
bool is_default(const Field& field, const nlohmann::json& expected) {
    const std::string actual = to_string(field.default_value);
    if (expected.is_number() && field.kind == FieldKind::number) {
        const auto* number = std::get_if<double>(&field.default_value);
        return number != nullptr && *number == expected.get<double>();
    }
    return actual == expected.dump();
}

TEST_CASE("layers take the arguments of PyTorch's constructors, in their order and with their defaults") {
    register_builtin_ops();
    std::ifstream file(SEQ_TEST_DATA "/torch_signatures.json");
    const nlohmann::json signatures = nlohmann::json::parse(file);
    CHECK(signatures.size() > 60);
    for (const auto& [name, arguments] : signatures.items()) {
        CAPTURE(name);
        const OpType* type = OpTable::instance().find(name);
        REQUIRE(type != nullptr);
        REQUIRE(type->fields.size() == arguments.size());
        for (std::size_t i = 0; i < arguments.size(); ++i) {
            const Field& field = type->fields[i];
            CAPTURE(field.name);
            CHECK(field.name == arguments[i].at("name").get<std::string>());
            CHECK_FALSE(field.doc.empty());
            CHECK((field.required || field.inferred) == !arguments[i].contains("default"));
            if (arguments[i].contains("default")) CHECK(is_default(field, arguments[i].at("default")));
        }
    }
}

TEST_CASE("the defaults of fields that may be left out are values that the field takes") {
    register_builtin_ops();
    for (const OpType* type : OpTable::instance().all()) {
        for (const Field& field : type->fields) {
            if (field.required || field.inferred) continue;
            CAPTURE(type->name);
            CAPTURE(field.name);
            CHECK_FALSE(field.check(field.default_value));
        }
    }
}

TEST_CASE("the registered types are those of the list, each once") {
    register_builtin_ops();
    register_builtin_ops();
    std::vector<std::string> names;
    for (const OpType* type : OpTable::instance().all()) names.push_back(type->name);
    std::sort(names.begin(), names.end());
    CHECK(std::adjacent_find(names.begin(), names.end()) == names.end());
    for (const char* name : {"Conv2d", "ConvTranspose3d", "AdaptiveMaxPool1d", "LocalResponseNorm", "GLU", "Identity"})
        CHECK(std::binary_search(names.begin(), names.end(), name));
}

}  // namespace
}  // namespace seq::tests
