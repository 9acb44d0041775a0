#include "kernels/cuda/cudnn/engine.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <iterator>
#include <stdexcept>

namespace seq::cuda {
namespace {

bool has(const EngineChoice& choice, cudnnBackendNumericalNote_t note) {
    return std::find(choice.numerical_notes.begin(), choice.numerical_notes.end(), note) !=
           choice.numerical_notes.end();
}

/// Whether it transforms what several windows see together, and so brings Inf and NaN to all of them.
bool mixes_windows(const EngineChoice& choice) {
    constexpr cudnnBackendNumericalNote_t notes[] = {
        CUDNN_NUMERICAL_NOTE_FFT, CUDNN_NUMERICAL_NOTE_WINOGRAD, CUDNN_NUMERICAL_NOTE_WINOGRAD_TILE_4x4,
        CUDNN_NUMERICAL_NOTE_WINOGRAD_TILE_6x6, CUDNN_NUMERICAL_NOTE_WINOGRAD_TILE_13x13};
    return std::any_of(std::begin(notes), std::end(notes), [&](auto note) { return has(choice, note); });
}

/// Takes `before` and a number from the front; false where they are not there.
bool take_number(std::string_view& text, std::string_view before, std::int64_t& number) {
    if (!text.starts_with(before)) return false;
    const char* const begin = text.data() + before.size();
    const auto [end, error] = std::from_chars(begin, text.data() + text.size(), number);
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    return error == std::errc();
}

Descriptor knob_choice(const Cudnn& cudnn, std::int64_t knob, std::int64_t value) {
    Descriptor choice(cudnn, CUDNN_BACKEND_KNOB_CHOICE_DESCRIPTOR);
    choice.set(CUDNN_ATTR_KNOB_CHOICE_KNOB_TYPE, static_cast<cudnnBackendKnobType_t>(knob));
    choice.set(CUDNN_ATTR_KNOB_CHOICE_KNOB_VALUE, value);
    choice.finalize();
    return choice;
}

}  // namespace

EngineChoice::EngineChoice(Descriptor proposed) : config(std::move(proposed)) {
    const auto engines = config.get_descriptors(CUDNN_ATTR_ENGINECFG_ENGINE, CUDNN_BACKEND_ENGINE_DESCRIPTOR, 1);
    if (engines.empty()) throw std::logic_error("cuDNN's configuration has no engine");
    const Descriptor& described = engines.front();
    engine = described.get<std::int64_t>(CUDNN_ATTR_ENGINE_GLOBAL_INDEX);
    numerical_notes = described.get_all<cudnnBackendNumericalNote_t>(CUDNN_ATTR_ENGINE_NUMERICAL_NOTE);
    behavior_notes = described.get_all<cudnnBackendBehaviorNote_t>(CUDNN_ATTR_ENGINE_BEHAVIOR_NOTE);
    for (const Descriptor& knob : config.get_descriptors(
             CUDNN_ATTR_ENGINECFG_KNOB_CHOICES, CUDNN_BACKEND_KNOB_CHOICE_DESCRIPTOR, CUDNN_KNOB_TYPE_COUNTS)) {
        knobs.emplace_back(knob.get<cudnnBackendKnobType_t>(CUDNN_ATTR_KNOB_CHOICE_KNOB_TYPE),
                           knob.get<std::int64_t>(CUDNN_ATTR_KNOB_CHOICE_KNOB_VALUE));
    }
}

std::string EngineChoice::text() const {
    std::string text = fmt::format("engine {}", engine);
    for (const auto& [knob, value] : knobs)
        text += fmt::format("{}{}={}", &knob == &knobs.front().first ? ", knobs " : " ", knob, value);
    return text;
}

std::vector<Descriptor> propose_engines(const Cudnn& cudnn, const OperationGraph& graph, const PlanTarget& target,
                                        cudnnBackendHeurMode_t mode) {
    Descriptor heuristic(cudnn, CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR);
    heuristic.set(CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, graph.descriptor());
    heuristic.set(CUDNN_ATTR_ENGINEHEUR_MODE, mode);
    if (target.handle == nullptr) heuristic.set(CUDNN_ATTR_ENGINEHEUR_DEVICEPROP, target.properties->descriptor());
    heuristic.finalize();
    return heuristic.get_descriptors(CUDNN_ATTR_ENGINEHEUR_RESULTS, CUDNN_BACKEND_ENGINECFG_DESCRIPTOR);
}

std::optional<Descriptor> configure_engine(const Cudnn& cudnn, const OperationGraph& graph, const PlanTarget& target,
                                           std::string_view text) {
    std::int64_t number = 0;
    if (!take_number(text, "engine ", number)) return std::nullopt;
    std::vector<std::pair<std::int64_t, std::int64_t>> knobs;
    while (!text.empty()) {
        auto& [knob, value] = knobs.emplace_back();
        if (!take_number(text, knobs.size() == 1 ? ", knobs " : " ", knob) || !take_number(text, "=", value) ||
            knob < 0 || knob >= CUDNN_KNOB_TYPE_COUNTS)
            return std::nullopt;
    }
    Descriptor engine(cudnn, CUDNN_BACKEND_ENGINE_DESCRIPTOR);
    engine.set(CUDNN_ATTR_ENGINE_OPERATION_GRAPH, graph.descriptor());
    engine.set(CUDNN_ATTR_ENGINE_GLOBAL_INDEX, number);
    if (target.handle == nullptr) engine.set(CUDNN_ATTR_ENGINE_DEVICEPROP, target.properties->descriptor());
    engine.finalize();
    std::vector<Descriptor> choices;
    for (const auto& [knob, value] : knobs) choices.push_back(knob_choice(cudnn, knob, value));
    std::vector<const Descriptor*> chosen;
    for (const Descriptor& choice : choices) chosen.push_back(&choice);
    Descriptor config(cudnn, CUDNN_BACKEND_ENGINECFG_DESCRIPTOR);
    config.set(CUDNN_ATTR_ENGINECFG_ENGINE, engine);
    if (!chosen.empty()) config.set_all(CUDNN_ATTR_ENGINECFG_KNOB_CHOICES, chosen);
    config.finalize();
    return config;
}

std::string_view fault_of(const EngineChoice& choice, MathMode math) {
    if (has(choice, CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC)) return "its result differs from run to run";
    if (has(choice, CUDNN_NUMERICAL_NOTE_REDUCED_PRECISION_REDUCTION)) return "it sums in less than f32";
    if (mixes_windows(choice)) return "it brings NaN and Inf to windows that do not see them";
    if (math == MathMode::f32 && has(choice, CUDNN_NUMERICAL_NOTE_TENSOR_CORE))
        return "it uses tensor cores, which round f32 to tf32";
    if ((math == MathMode::f32 || math == MathMode::tf32) && has(choice, CUDNN_NUMERICAL_NOTE_DOWN_CONVERT_INPUTS))
        return "it rounds its inputs";
    return {};
}

bool compiles_at_run_time(const EngineChoice& choice) {
    return std::find(choice.behavior_notes.begin(), choice.behavior_notes.end(),
                     CUDNN_BEHAVIOR_NOTE_RUNTIME_COMPILATION) != choice.behavior_notes.end();
}

}  // namespace seq::cuda
