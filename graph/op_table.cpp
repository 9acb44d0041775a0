#include "graph/op_table.hpp"

#include <map>
#include <typeindex>

namespace seq {
namespace {

std::map<std::string, std::type_index, std::less<>> builtin_models() {
    std::map<std::string, std::type_index, std::less<>> models;
#define SEQ_OP(op) models.emplace(ops::op::name, typeid(detail::OpModelOf<ops::op>));
#include "graph/op_list.def"
#undef SEQ_OP
    return models;
}

}  // namespace

void register_builtin_ops() {
#define SEQ_OP(name) op_type<ops::name>();
#include "graph/op_list.def"
#undef SEQ_OP
}

namespace {

enum class NameOwner { nobody, builtin, other };

NameOwner owner_of_name(const OpType& type) {
    static const auto models = builtin_models();
    const auto found = models.find(type.name);
    if (found == models.end()) return NameOwner::nobody;
    const std::unique_ptr<OpModel> model = type.make();
    return found->second == std::type_index(typeid(*model)) ? NameOwner::builtin : NameOwner::other;
}

}  // namespace

bool is_builtin(const OpType& type) { return owner_of_name(type) == NameOwner::builtin; }
bool takes_builtin_name(const OpType& type) { return owner_of_name(type) == NameOwner::other; }

}  // namespace seq
