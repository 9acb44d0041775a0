#include "kernels/cuda/cudnn/stored_plan.hpp"

#include <fmt/format.h>

#include <charconv>
#include <stdexcept>

namespace seq::cuda {
namespace {

constexpr std::string_view heading = "seq cudnn plan 1";

/// The rest of the next line, which has to begin with `name` and a space; nullopt where it does not.
std::optional<std::string_view> take_line(std::string_view& bytes, std::string_view name) {
    const std::size_t end = bytes.find('\n');
    if (end == std::string_view::npos || !bytes.starts_with(name)) return std::nullopt;
    std::string_view line = bytes.substr(name.size(), end - name.size());
    if (!line.starts_with(' ')) return std::nullopt;
    bytes.remove_prefix(end + 1);
    return line.substr(1);
}

template <class Number>
bool take_number(std::string_view& bytes, std::string_view name, Number& number) {
    const auto line = take_line(bytes, name);
    if (!line) return false;
    const auto [end, error] = std::from_chars(line->data(), line->data() + line->size(), number);
    return error == std::errc() && end == line->data() + line->size();
}

bool take_text(std::string_view& bytes, std::string_view name, std::string& text) {
    const auto line = take_line(bytes, name);
    if (line) text = *line;
    return line.has_value();
}

}  // namespace

PlanOrigin origin_of(const Cudnn& cudnn, std::string device) {
    return {cudnn.version(), CUDART_VERSION, std::move(device)};
}

std::string plan_key(const GraphSpec& graph, const std::string& engine, MathMode math, const PlanOrigin& origin) {
    return fmt::format("{} | {} | {} | {} | cuDNN {} | CUDA {}", text_of(graph), engine, name_of(math), origin.device,
                       origin.cudnn, origin.cuda);
}

StoredPlan store(const Plan& plan, PlanOrigin origin) {
    return {std::move(origin), plan.engine(), plan.workspace(), plan.serialised()};
}

std::string to_bytes(const StoredPlan& stored) {
    return fmt::format("{}\ncudnn {}\ncuda {}\ndevice {}\nengine {}\nworkspace {}\njson {}\n{}", heading,
                       stored.origin.cudnn, stored.origin.cuda, stored.origin.device, stored.engine, stored.workspace,
                       stored.json.size(), stored.json);
}

std::optional<StoredPlan> parse_stored_plan(std::string_view bytes) {
    StoredPlan stored;
    std::size_t size = 0;
    if (!bytes.starts_with(heading) || !bytes.substr(heading.size()).starts_with('\n')) return std::nullopt;
    bytes.remove_prefix(heading.size() + 1);
    const bool read = take_number(bytes, "cudnn", stored.origin.cudnn) &&
                      take_number(bytes, "cuda", stored.origin.cuda) &&
                      take_text(bytes, "device", stored.origin.device) && take_text(bytes, "engine", stored.engine) &&
                      take_number(bytes, "workspace", stored.workspace) && take_number(bytes, "json", size);
    if (!read || size != bytes.size() || stored.workspace < 0) return std::nullopt;
    stored.json = bytes;
    return stored;
}

std::string stale_because(const StoredPlan& stored, const PlanOrigin& here) {
    const auto differs = [](std::string_view what, const auto& then, const auto& now) {
        return fmt::format("it was made {} {}, and here is {}", what, then, now);
    };
    if (stored.origin.cudnn != here.cudnn) return differs("by cuDNN", stored.origin.cudnn, here.cudnn);
    if (stored.origin.cuda != here.cuda) return differs("with CUDA", stored.origin.cuda, here.cuda);
    if (stored.origin.device != here.device) return differs("for", stored.origin.device, here.device);
    return {};
}

Plan restore(const Cudnn& cudnn, const StoredPlan& stored, const PlanTarget& target) {
    return {cudnn, stored.json, stored.engine, target};
}

Plan restore(const Cudnn& cudnn, std::string_view bytes, const std::string& engine, const PlanOrigin& here,
             const PlanTarget& target) {
    const auto stored = parse_stored_plan(bytes);
    if (!stored) throw std::runtime_error("it is no plan that was kept");
    if (const std::string stale = stale_because(*stored, here); !stale.empty()) throw std::runtime_error(stale);
    if (stored->engine != engine) throw std::runtime_error("it is of " + stored->engine);
    Plan plan = restore(cudnn, *stored, target);
    if (plan.workspace() != stored->workspace)
        throw std::runtime_error(
            fmt::format("it takes {} bytes of workspace, and took {}", plan.workspace(), stored->workspace));
    return plan;
}

}  // namespace seq::cuda
