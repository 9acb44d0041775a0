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

bool takes_builtin_name(const OpType& type) {
    static const auto models = builtin_models();
    const auto found = models.find(type.name);
    if (found == models.end()) return false;
    const std::unique_ptr<OpModel> model = type.make();
    return found->second != std::type_index(typeid(*model));
}

}  // namespace seq
