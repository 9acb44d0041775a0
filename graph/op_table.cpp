#include "graph/op_table.hpp"

namespace seq {

void register_builtin_ops() {
#define SEQ_OP(name) op_type<ops::name>();
#include "graph/op_list.def"
#undef SEQ_OP
}

}  // namespace seq
