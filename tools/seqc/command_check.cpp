#include "tools/seqc/commands.hpp"
#include "tools/seqc/console.hpp"
#include "tools/seqc/model.hpp"
#include "tools/seqc/status.hpp"

namespace seqc {

int run_check(const Arguments& arguments) {
    const seq::CheckResult checked = check_model(arguments);
    print(render(checked, arguments, color_on_output()));
    if (checked.has_error()) return failed;
    require_available(arguments);
    return ok;
}

}  // namespace seqc
