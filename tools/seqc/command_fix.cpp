#include "frontend/fix.hpp"
#include "frontend/io/atomic_file.hpp"
#include "tools/seqc/commands.hpp"
#include "tools/seqc/console.hpp"
#include "tools/seqc/model.hpp"
#include "tools/seqc/progress.hpp"
#include "tools/seqc/status.hpp"

namespace seqc {
namespace {

seq::FixResult mend(const Arguments& arguments) {
    const Progress progress("fixing");
    try {
        return seq::fix_file(arguments.spec, check_options(arguments));
    } catch (const std::invalid_argument& error) {
        throw UsageError(error.what());
    }
}

void write_model(const Arguments& arguments, const std::string& text) {
    const std::string target = arguments.in_place ? arguments.spec : arguments.output_file;
    if (target.empty() || target == "-") {
        print(text);
        return;
    }
    seq::AtomicFile file(target);
    file.write(text);
    file.commit();
}

}  // namespace

int run_fix(const Arguments& arguments) {
    if (arguments.in_place && arguments.spec == "-") throw UsageError("--in-place needs a file, not standard input");
    const seq::FixResult result = mend(arguments);
    if (!(arguments.in_place && result.applied.empty())) write_model(arguments, result.text);
    for (const std::string& fix : result.applied) print_note("fixed: " + fix);
    if (result.applied.empty() && result.check.has_error()) print_note("no fix is certain");
    if (result.applied.empty() && !result.check.has_error()) print_note("nothing needs to be fixed");
    print_errors(render(result.check, arguments, color_on_errors()));
    if (result.check.has_error()) return failed;
    require_available(arguments);
    return ok;
}

}  // namespace seqc
