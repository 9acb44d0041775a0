#include "frontend/json/reader_context.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "frontend/naming.hpp"
#include "frontend/suggest.hpp"

namespace seq::json {

std::string_view name_of(Kind kind) {
    switch (kind) {
        case Kind::null: return "null";
        case Kind::boolean: return "true or false";
        case Kind::integer: return "an integer";
        case Kind::number: return "a number";
        case Kind::string: return "a text";
        case Kind::array: return "a list";
        case Kind::object: return "an object";
    }
    return {};
}

std::string shown(const Document& document, NodeId id) {
    const Node& node = document[id];
    const std::string_view source = document.source(id);
    constexpr std::size_t longest = 40;
    if (node.kind == Kind::object) return "an object";
    if (node.kind == Kind::array && (source.size() > longest || source.find('\n') != std::string_view::npos))
        return "a list";
    if (source.size() <= longest) return std::string(source);
    std::size_t end = longest;
    while (end > 0 && (static_cast<unsigned char>(source[end]) & 0xC0) == 0x80) --end;
    return std::string(source.substr(0, end)) + "…";
}

std::vector<PatchOperation> rename_patch(const Document& document, NodeId member, std::string_view key) {
    const std::string parent = document.pointer(document[member].parent);
    return {{"remove", document.pointer(member), ""},
            {"add", parent + "/" + escape_pointer(key), std::string(document.source(member))}};
}

Problem& ReaderContext::report(std::string code, std::string message, SourceSpan where) {
    Problem& problem = reading.problems.emplace_back();
    problem.diagnostic.code = std::move(code);
    problem.diagnostic.message = std::move(message);
    problem.diagnostic.where = std::move(where);
    return problem;
}

Problem& ReaderContext::report_value(std::string code, std::string message, NodeId value) {
    Problem& problem = report(std::move(code), std::move(message), document.value_span(value));
    problem.place = value;
    return problem;
}

Problem& ReaderContext::report_key(std::string code, std::string message, NodeId member) {
    Problem& problem = report(std::move(code), std::move(message), document.key_span(member));
    problem.place = member;
    return problem;
}

bool ReaderContext::expect(NodeId id, Kind kind, std::string_view what) {
    if (node(id).kind == kind) return true;
    const std::string subject =
        what.starts_with("a ") || what.starts_with("the ") ? std::string(what) : fmt::format("`{}`", what);
    Problem& problem = report_value(
        "spec/type", fmt::format("{} takes {}, but gets {}", subject, name_of(kind), shown(document, id)), id);
    problem.diagnostic.expected = name_of(kind);
    problem.diagnostic.actual = shown(document, id);
    return false;
}

std::vector<ReaderContext::UnknownKey> ReaderContext::report_unknown_keys(NodeId object, std::string_view subject,
                                                                          std::initializer_list<std::string_view> known,
                                                                          NodeId layer) {
    std::vector<UnknownKey> unknown;
    for (NodeId id = node(object).first; id != no_node; id = node(id).next) {
        if (std::find(known.begin(), known.end(), node(id).key) != known.end()) continue;
        std::vector<std::string_view> free;
        std::copy_if(known.begin(), known.end(), std::back_inserter(free),
                     [&](std::string_view key) { return find(object, key) == no_node; });
        const auto near = nearest(node(id).key, free);
        Problem& problem = report_key("spec/unknown-key",
                                      fmt::format("{} has no `{}`{}", subject, node(id).key, did_you_mean(near)), id);
        problem.layer = layer;
        problem.subject = false;
        problem.diagnostic.actual = node(id).key;
        unknown.push_back({id, near.size() == 1 ? near.front() : ""});
        if (near.size() == 1) {
            problem.diagnostic.expected = near.front();
            problem.diagnostic.fixes.push_back({fmt::format("rename \"{}\" to \"{}\"", node(id).key, near.front()),
                                                true, rename_patch(document, id, near.front())});
        } else {
            problem.diagnostic.fixes.push_back(
                {fmt::format("remove \"{}\"", node(id).key), false, {{"remove", pointer(id), ""}}});
        }
    }
    return unknown;
}

bool ReaderContext::check_name(NodeId id, std::string_view name, NodeId layer) {
    const std::optional<NameRefusal> refusal = refuse_name(name);
    if (!refusal) return true;
    const bool is_key = layer == no_node;
    Problem& problem =
        report(refusal->code, refusal->message, is_key ? document.key_span(id) : document.value_span(id));
    problem.layer = layer;
    problem.subject = false;
    problem.diagnostic.actual = refusal->actual;
    if (refusal->code == "spec/limit") reading.fatal = true;
    return false;
}

std::vector<Reference> ReaderContext::read_references(NodeId id, std::string_view what, bool single) {
    if (node(id).kind == Kind::string) {
        if (single) return {{std::string(node(id).text), id}};
        expect(id, Kind::array, what);
        reading.problems.back().diagnostic.fixes.push_back(
            {fmt::format("use [{}]", document.source(id)),
             true,
             {{"replace", pointer(id), fmt::format("[{}]", document.source(id))}}});
        return {{std::string(node(id).text), id}};
    }
    std::vector<Reference> references;
    std::optional<NodeId> unusable;
    if (node(id).kind != Kind::array) {
        report_value("spec/type",
                     fmt::format("`{}` takes {}a list of names, but gets {}", what, single ? "a name or " : "",
                                 shown(document, id)),
                     id);
        unusable = id;
    } else if (node(id).count == 0) {
        report_value("spec/value", fmt::format("`{}` is an empty list", what), id);
        unusable = id;
    }
    for (NodeId item = node(id).first; item != no_node && node(id).kind == Kind::array; item = node(item).next) {
        if (node(item).kind == Kind::string) {
            references.push_back({std::string(node(item).text), item});
        } else if (!unusable) {
            expect(item, Kind::string, "a name");
            unusable = item;
        }
    }
    if (unusable && single) references.push_back({{}, *unusable, true});
    return references;
}

}  // namespace seq::json
