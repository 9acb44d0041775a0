#include "graph/text_call.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <set>

#include "graph/text_format.hpp"

namespace seq::text_call {
namespace {

FieldValue read_scalar(TextCursor& cursor) {
    if (cursor.peek() == '"') return cursor.quoted();
    if (cursor.take_word("null")) return {};
    if (cursor.take_word("true")) return true;
    if (cursor.take_word("false")) return false;
    const std::size_t position = cursor.position();
    const std::string_view text = cursor.number("a field's value");
    const char* end = text.data() + text.size();
    std::int64_t integer = 0;
    if (const auto read = std::from_chars(text.data(), end, integer); read.ec == std::errc() && read.ptr == end)
        return integer;
    double number = 0;
    if (const auto read = std::from_chars(text.data(), end, number); read.ec == std::errc() && read.ptr == end)
        return number;
    cursor.fail_at(position, fmt::format("{} is no number", text));
}

FieldValue read_list(TextCursor& cursor) {
    std::vector<std::int64_t> integers;
    std::vector<double> numbers;
    bool all_integers = true;
    for (bool first = true; !cursor.take("]"); first = false) {
        if (!first) cursor.expect(",");
        const std::size_t position = cursor.position();
        const FieldValue element = read_scalar(cursor);
        if (const auto* integer = std::get_if<std::int64_t>(&element)) {
            integers.push_back(*integer);
            numbers.push_back(static_cast<double>(*integer));
        } else if (const auto* number = std::get_if<double>(&element)) {
            numbers.push_back(*number);
            all_integers = false;
        } else if (std::holds_alternative<std::monostate>(element)) {
            integers.push_back(null_entry);
            numbers.push_back(static_cast<double>(null_entry));
        } else {
            cursor.fail_at(position, "a list holds numbers");
        }
    }
    if (all_integers) return integers;
    return numbers;
}

void read_fields(TextCursor& cursor, Op& op) {
    std::set<std::string> seen;
    const OpType& type = op.type();
    if (cursor.take("{")) {
        for (bool first = true; !cursor.take("}"); first = false) {
            if (!first) cursor.expect(",");
            const std::size_t position = cursor.position();
            const std::string name = cursor.name("a field");
            const Field* field = type.find_field(name);
            if (field == nullptr) cursor.fail_at(position, fmt::format("{} has no field {}", type.name, name));
            if (!seen.insert(name).second) cursor.fail_at(position, fmt::format("{} is given twice", name));
            cursor.expect("=");
            const FieldValue value = cursor.take("[") ? read_list(cursor) : read_scalar(cursor);
            if (const auto fault = field->check(value)) cursor.fail_at(position, type.name + " " + fault->message);
            op.set(*field, value);
        }
    }
    for (const Field& field : type.fields) {
        if (field.required && !seen.contains(field.name))
            cursor.fail(fmt::format("expected {} of {} in braces", field.name, type.name));
    }
}

Op read_op(TextCursor& cursor) {
    const std::size_t position = cursor.position();
    const std::string name = cursor.name("an op");
    const OpType* type = OpTable::instance().find(name);
    if (type == nullptr) cursor.fail_at(position, fmt::format("there is no op {}", name));
    return Op(*type);
}

Value* read_value(TextCursor& cursor, const Lookup& lookup) { return lookup(read_label(cursor)); }

void check_arity(TextCursor& cursor, std::size_t position, const OpType& type, std::size_t count) {
    const auto fits = [&](int limit) { return count <= static_cast<std::size_t>(limit); };
    const bool enough = count >= static_cast<std::size_t>(std::max(0, type.arity.min));
    if (enough && (type.arity.max < 0 || fits(type.arity.max))) return;
    cursor.fail_at(position, fmt::format("{} does not take {} inputs", type.name, count));
}

}  // namespace

std::string spell(const std::string& name) {
    return "%" + (text_format::is_bare(name) ? name : to_string(FieldValue(name)));
}

Label read_label(TextCursor& cursor) {
    Label label;
    label.position = cursor.position();
    cursor.expect("%");
    if (cursor.at_name()) label.name = cursor.name("a value's name");
    label.spelling = label.name.empty() ? "%" : spell(label.name);
    if (cursor.take("~")) {
        label.spelling += fmt::format("~{}", cursor.integer("a number"));
    } else if (label.name.empty()) {
        cursor.fail("expected a name, or '~' and a number");
    }
    return label;
}

Call read(TextCursor& cursor, const Lookup& lookup) {
    Call call;
    const std::size_t position = cursor.position();
    call.op = read_op(cursor);
    cursor.expect("(");
    if (cursor.peek() == '%') {
        do call.data.push_back(read_value(cursor, lookup));
        while (cursor.take(","));
    }
    if (cursor.take(";")) {
        do {
            std::string name = cursor.name("a parameter");
            cursor.expect("=");
            call.parameters.emplace_back(std::move(name), read_value(cursor, lookup));
        } while (cursor.take(","));
    }
    cursor.expect(")");
    check_arity(cursor, position, call.op.type(), call.data.size());
    read_fields(cursor, call.op);
    return call;
}

PostOpSpec read_post(TextCursor& cursor, const Lookup& lookup) {
    PostOpSpec post;
    const std::size_t position = cursor.position();
    post.op = read_op(cursor);
    cursor.expect("(");
    int running = -1;
    do {
        if (cursor.take_word("_")) {
            if (running >= 0) cursor.fail_at(position, "the running result stands once");
            running = static_cast<int>(post.operands.size());
        } else {
            post.operands.push_back(read_value(cursor, lookup));
        }
    } while (cursor.take(",") || cursor.take(";"));
    cursor.expect(")");
    if (running < 0) cursor.fail_at(position, "expected '_', the running result, among the inputs");
    const bool takes_data = post.op.type().arity.max != 1;
    if (!takes_data && running != 0) cursor.fail_at(position, "the running result comes first");
    check_arity(cursor, position, post.op.type(), takes_data ? post.operands.size() + 1 : 1);
    read_fields(cursor, post.op);
    post.position = running;
    return post;
}

}  // namespace seq::text_call
