#include "graph/pass.hpp"

namespace seq {

bool PassContext::begin_rewrite(const std::function<std::string()>& describe) {
    if (rewrites_ >= rewrite_limit) return false;
    ++rewrites_;
    if (on_rewrite) on_rewrite(rewrites_, current_pass, describe());
    return true;
}

}  // namespace seq
