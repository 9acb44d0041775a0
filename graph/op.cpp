#include "graph/op.hpp"

#include <algorithm>
#include <functional>
#include <map>
#include <mutex>
#include <shared_mutex>
#include <stdexcept>
#include <typeinfo>

#include "graph/op_table.hpp"

namespace seq {
namespace {

/// By name where the two are of different libraries.
bool are_of_one_struct(const OpType& a, const OpType& b) {
    const std::unique_ptr<OpModel> first = a.make(), second = b.make();
    return typeid(*first) == typeid(*second);
}

}  // namespace

struct OpTable::Rows {
    std::shared_mutex mutex;
    std::vector<std::unique_ptr<OpType>> rows;
    std::map<std::string, const OpType*, std::less<>> by_name;
};

const Field* OpType::find_field(std::string_view wanted) const {
    const auto found = std::find_if(fields.begin(), fields.end(), [&](const Field& f) { return f.name == wanted; });
    return found == fields.end() ? nullptr : &*found;
}

void Op::make_unique() {
    if (model_.use_count() > 1) model_ = model_->clone();
}

void Op::set(const Field& field, const FieldValue& value) {
    make_unique();
    field.set(model_->fields(), value);
}

void Op::infer(InferContext& context) {
    make_unique();
    model_->infer(context);
}

bool Op::operator==(const Op& other) const {
    if (model_ == other.model_) return true;
    if (!model_ || !other.model_ || &type() != &other.type()) return false;
    const auto& fields = type().fields;
    return std::all_of(fields.begin(), fields.end(), [&](const Field& f) { return get(f) == other.get(f); });
}

OpTable::OpTable() : rows_(std::make_unique<Rows>()) {}
OpTable::~OpTable() = default;

OpTable*& OpTable::adopted() {
    static OpTable own;
    static OpTable* table = &own;
    return table;
}

OpTable& OpTable::instance() { return *adopted(); }

void OpTable::adopt(OpTable& table) {
    if (&table == adopted()) return;
    if (!adopted()->all().empty()) throw std::logic_error("a library has ops of its own before it shares others'");
    adopted() = &table;
}

const OpType* OpTable::find(std::string_view name) const {
    std::shared_lock lock(rows_->mutex);
    const auto found = rows_->by_name.find(name);
    return found == rows_->by_name.end() ? nullptr : found->second;
}

std::vector<const OpType*> OpTable::all() const {
    std::shared_lock lock(rows_->mutex);
    std::vector<const OpType*> all;
    for (const auto& row : rows_->rows) all.push_back(row.get());
    return all;
}

const OpType& OpTable::add(std::unique_ptr<OpType> type) {
    if (takes_builtin_name(*type)) throw Error("spec/duplicate-name", "an op named " + type->name + " is built in");
    std::unique_lock lock(rows_->mutex);
    const auto [row, is_new] = rows_->by_name.emplace(type->name, type.get());
    if (is_new) return *rows_->rows.emplace_back(std::move(type));
    if (are_of_one_struct(*row->second, *type)) return *row->second;
    throw Error("spec/duplicate-name", "an op named " + type->name + " is registered already");
}

}  // namespace seq
