#include "engine/selection/timing_cache.hpp"

#include <fmt/format.h>

#include <charconv>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <span>
#include <stdexcept>
#include <utility>

#include "engine/cache_folder.hpp"
#include "engine/file_lock.hpp"
#include "engine/kernels_version.hpp"
#include "engine/whole_file.hpp"
#include "graph/diagnostic.hpp"

namespace seq {
namespace {

using Json = nlohmann::json;

constexpr int format = 1;
/// For others that write the file, each some tenths of a second: only one that hangs has it for longer.
constexpr std::chrono::seconds longest_wait{60};
constexpr std::uintmax_t most_bytes = std::uintmax_t{64} << 20;

Json layouts_json(const std::vector<Layout>& layouts) {
    Json json = Json::array();
    for (const Layout& layout : layouts) json.push_back(layout.to_string());
    return json;
}

std::vector<Layout> parse_layouts(const Json& json) {
    std::vector<Layout> layouts;
    for (const Json& layout : json) layouts.push_back(parse_layout(layout.get<std::string>()));
    return layouts;
}

Json candidate_json(const Candidate& candidate) {
    Json json{{"kernel", candidate.kernel},
              {"description", candidate.description},
              {"offer", layouts_json({candidate.offer.input, candidate.offer.output})},
              {"inputs", layouts_json(candidate.inputs)},
              {"outputs", layouts_json(candidate.outputs)},
              {"warm_us", candidate.warm},
              {"cold_us", candidate.cold}};
    if (!candidate.offer.variant.empty()) json["variant"] = candidate.offer.variant;
    if (!candidate.measured_for.empty()) json["measured_for"] = candidate.measured_for;
    return json;
}

double parse_time(const Json& json) {
    const double time = json.get<double>();
    if (!std::isfinite(time) || time < 0) throw std::invalid_argument("no time");
    return time;
}

Candidate parse_candidate(const Json& json) {
    Candidate candidate;
    candidate.kernel = json.at("kernel").get<std::string>();
    candidate.description = json.at("description").get<std::string>();
    const auto offer = parse_layouts(json.at("offer"));
    candidate.offer = {offer.at(0), offer.at(1)};
    if (json.contains("variant")) candidate.offer.variant = json.at("variant").get<std::string>();
    candidate.inputs = parse_layouts(json.at("inputs"));
    candidate.outputs = parse_layouts(json.at("outputs"));
    candidate.warm = parse_time(json.at("warm_us"));
    candidate.cold = parse_time(json.at("cold_us"));
    if (json.contains("measured_for")) candidate.measured_for = json.at("measured_for").get<std::string>();
    return candidate;
}

/// Whether the first key is the cache's, as `save` writes it: the rest may be damaged, cut off, or of another format.
bool begins_as_cache(const std::string& path) {
    constexpr std::string_view begin = "{\"seq_timings\":";
    constexpr std::string_view blanks = " \n\r\t";
    std::ifstream file(path, std::ios::binary);
    std::size_t matched = 0;
    for (char c = 0; matched < begin.size() && file.get(c);) {
        if (blanks.find(c) != std::string_view::npos) continue;
        if (c != begin[matched]) return false;
        ++matched;
    }
    return matched == begin.size();
}

/// With the key anywhere.
bool is_cache(const std::string& path) {
    std::ifstream file(path);
    const Json json = Json::parse(file, nullptr, false);
    return json.is_object() && json.contains("seq_timings") && json["seq_timings"].is_number_integer();
}

std::string text_of(const std::map<std::string, std::map<std::string, std::vector<Candidate>>>& machines) {
    Json all = Json::object();
    for (const auto& [machine, layers] : machines) {
        Json& object = all[machine] = Json::object();
        for (const auto& [key, candidates] : layers) {
            Json& list = object[key] = Json::array();
            for (const Candidate& candidate : candidates) list.push_back(candidate_json(candidate));
        }
    }
    return nlohmann::ordered_json{{"seq_timings", format}, {"machines", std::move(all)}}.dump(1) + "\n";
}

void make_folder_of(const std::filesystem::path& path) {
    std::error_code failure;
    if (path.has_parent_path()) std::filesystem::create_directories(path.parent_path(), failure);
}

}  // namespace

Layout parse_layout(const std::string& text) {
    if (const std::size_t space = text.find(' '); space != std::string::npos) {
        const std::string_view kept = std::string_view(text).substr(space + 1);
        for (const Kept lowered : {Kept::bf16, Kept::f16}) {
            if (kept == name_of(dtype_of(lowered))) return parse_layout(text.substr(0, space)).kept(lowered);
        }
        throw std::invalid_argument("no layout: " + text);
    }
    if (text == "plain") return Layout::plain();
    if (text == "channels_last") return Layout::channels_last();
    constexpr std::string_view prefix = "blocked";
    int block = 0;
    if (text.starts_with(prefix)) std::from_chars(text.data() + prefix.size(), text.data() + text.size(), block);
    if (block != 4 && block != 8 && block != 16) throw std::invalid_argument("no layout: " + text);
    return Layout::blocked(block);
}

std::string timed_on(const Backend& backend) {
    return fmt::format("{}, {}", backend.identity(), kernels_version(backend));
}

TimingCache::TimingCache(std::string path, std::string machine, NotKept on_not_kept)
    : path_(std::move(path)),
      machine_(std::move(machine)),
      on_not_kept_(std::move(on_not_kept)),
      layers_(read(path_)[machine_]) {}

TimingCache::Machines TimingCache::read(const std::string& path) {
    std::error_code failure;
    if (path.empty() || std::filesystem::file_size(path, failure) > most_bytes || failure) return {};
    std::ifstream file(path);
    try {
        const Json json = Json::parse(file);
        if (json.at("seq_timings") != format) return {};
        Machines machines;
        for (const auto& [machine, layers] : json.at("machines").items()) {
            for (const auto& [key, candidates] : layers.items()) {
                std::vector<Candidate>& known = machines[machine][key];
                for (const Json& candidate : candidates) known.push_back(parse_candidate(candidate));
            }
        }
        return machines;
    } catch (const std::exception&) {
        return {};
    }
}

const std::vector<Candidate>* TimingCache::find(const std::string& key) const {
    const auto found = layers_.find(key);
    return found == layers_.end() || found->second.empty() ? nullptr : &found->second;
}

void TimingCache::add(const std::string& key, std::vector<Candidate> candidates) {
    added_[key] = candidates;
    layers_[key] = std::move(candidates);
}

void TimingCache::add_unsaved(const std::string& key, std::vector<Candidate> candidates) {
    added_.erase(key);
    layers_[key] = std::move(candidates);
}

bool TimingCache::save() {
    if (path_.empty() || added_.empty()) return true;
    const std::string problem = write();
    if (problem.empty()) {
        added_.clear();
        return true;
    }
    if (on_not_kept_) std::exchange(on_not_kept_, nullptr)(problem);
    return false;
}

std::string TimingCache::write() const {
    if (holds_other(path_)) return path_ + " is there and is no timing cache";
    make_folder_of(path_);
    const FileLock lock(path_, longest_wait);
    if (lock.is_others()) return fmt::format("{}: others have been writing it for {} s", path_, longest_wait.count());
    Machines machines = read(path_);
    for (const auto& [key, candidates] : added_) machines[machine_][key] = candidates;
    std::string text = text_of(machines);
    if (text.size() > most_bytes) text = text_of({{machine_, machines[machine_]}});
    if (text.size() > most_bytes) text = text_of({{machine_, added_}});
    if (text.size() > most_bytes) return fmt::format("{}: more than {} MiB", path_, most_bytes >> 20);
    try {
        const std::span<const std::byte> pieces[] = {std::as_bytes(std::span(text))};
        write_whole(path_, pieces);
    } catch (const Error& error) {
        return error.what();
    }
    return {};
}

bool TimingCache::holds_other(const std::string& path) {
    std::error_code failure;
    const auto status = std::filesystem::status(path, failure);
    if (!std::filesystem::exists(status)) return false;
    if (!std::filesystem::is_regular_file(status)) return true;
    const std::uintmax_t bytes = std::filesystem::file_size(path, failure);
    if (failure) return true;
    return bytes > 0 && !begins_as_cache(path) && (bytes > most_bytes || !is_cache(path));
}

std::string TimingCache::default_path() {
    const std::string folder = cache_folder();
    return folder.empty() ? folder : folder + "/timings.json";
}

}  // namespace seq
