#include "frontend/json/schema.hpp"

#include "tools/seqc/commands.hpp"
#include "tools/seqc/console.hpp"
#include "tools/seqc/status.hpp"

namespace seqc {

int run_schema(const Arguments&) {
    print(seq::json::schema_text());
    return ok;
}

}  // namespace seqc
