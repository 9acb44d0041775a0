#include <doctest/doctest.h>

#include "graph/op_table.hpp"

namespace seq::tests {
namespace {

struct Twice {
    static constexpr const char* name = "TestTwice";
    static void declare(FieldTable<Twice>&) {}
    void infer(InferContext& context) { context.output(context.input()); }
};

/// As a library of its own would have it.
template <class T>
std::unique_ptr<OpType> another_row() {
    return detail::make_op_type<T>();
}

namespace other {
struct Twice {
    static constexpr const char* name = "TestTwice";
    static void declare(FieldTable<Twice>&) {}
    void infer(InferContext& context) { context.output(context.input()); }
};
}  // namespace other

TEST_CASE("an op has one row, however many libraries add it, and another op of its name is refused") {
    const OpType& row = op_type<Twice>();
    CHECK(&OpTable::instance().add(another_row<Twice>()) == &row);
    CHECK(&OpTable::instance().add(another_row<ops::ReLU>()) == &op_type<ops::ReLU>());
    try {
        OpTable::instance().add(another_row<other::Twice>());
        CHECK(false);
    } catch (const Error& error) {
        CHECK(error.code() == "spec/duplicate-name");
    }
    CHECK(OpTable::instance().find("TestTwice") == &row);
}

}  // namespace
}  // namespace seq::tests
