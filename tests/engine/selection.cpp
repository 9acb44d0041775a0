#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <random>
#include <thread>
#include <vector>

#include "engine/selection/pbqp.hpp"
#include "engine/selection/timing_cache.hpp"
#include "engine/selection/unit.hpp"
#include "kernels/cpu/cpu.hpp"
#include "tests/engine/support.hpp"

namespace seq::tests {
namespace {

using Matrix = std::vector<std::vector<double>>;
using Json = nlohmann::json;

/// A problem and the least cost among all choices.
struct Problem {
    Pbqp pbqp;
    std::vector<std::size_t> options;

    double least() const {
        std::vector<std::size_t> choice(options.size(), 0);
        double best = pbqp.cost(choice);
        for (std::size_t at = 0; at < choice.size();) {
            if (++choice[at] == options[at]) {
                choice[at++] = 0;
                continue;
            }
            at = 0;
            best = std::min(best, pbqp.cost(choice));
        }
        return best;
    }
};

class RandomProblems {
   public:
    explicit RandomProblems(unsigned seed) : random_(seed) {}

    std::size_t below(std::size_t bound) { return random_() % bound; }

    void add_node(Problem& problem) {
        const std::size_t count = 1 + below(3);
        std::vector<double> costs(count);
        for (double& cost : costs) cost = static_cast<double>(below(100));
        problem.pbqp.add_node(costs);
        problem.options.push_back(count);
    }

    void add_edge(Problem& problem, std::size_t a, std::size_t b) {
        Matrix costs(problem.options[a], std::vector<double>(problem.options[b]));
        for (auto& row : costs) {
            for (double& cost : row) cost = below(2) == 0 ? 0 : static_cast<double>(below(100));
        }
        problem.pbqp.add_edge(a, b, costs);
    }

   private:
    std::mt19937 random_;
};

Json read_json(const ScratchFile& file) { return Json::parse(std::ifstream(file.path)); }
void write(const ScratchFile& file, const std::string& text) { std::ofstream(file.path) << text; }

TEST_CASE("the choice is the best one where nodes form a chain with residual sums") {
    for (unsigned seed = 0; seed < 200; ++seed) {
        RandomProblems random(seed);
        Problem problem;
        const std::size_t count = 2 + random.below(8);
        for (std::size_t node = 0; node < count; ++node) random.add_node(problem);
        for (std::size_t node = 1; node < count; ++node) random.add_edge(problem, node - 1, node);
        for (std::size_t node = 3; node < count; node += 3) random.add_edge(problem, node - 3, node);
        CAPTURE(seed);
        CHECK(problem.pbqp.cost(problem.pbqp.solve()) == problem.least());
    }
}

TEST_CASE("the choice is near the best one where nodes are joined in any way") {
    double cost = 0, least = 0;
    for (unsigned seed = 0; seed < 200; ++seed) {
        RandomProblems random(seed);
        Problem problem;
        const std::size_t count = 4 + random.below(6);
        for (std::size_t node = 0; node < count; ++node) random.add_node(problem);
        for (std::size_t node = 1; node < count; ++node) {
            for (std::size_t other = 0; other < node; ++other) {
                if (random.below(2) == 0) random.add_edge(problem, other, node);
            }
        }
        const double found = problem.pbqp.cost(problem.pbqp.solve());
        CHECK(found >= problem.least());
        cost += found;
        least += problem.least();
    }
    CHECK(cost <= 1.05 * least);
}

Candidate candidate(const std::string& kernel, double warm) {
    return {kernel, "", {}, {Layout::plain()}, {Layout::blocked(16)}, warm, 2 * warm};
}

TEST_CASE("times are kept by machine and layer, and what two processes add to one file is kept") {
    const ScratchFile file("merge.json");
    TimingCache first(file.path, "machine");
    TimingCache second(file.path, "machine");
    TimingCache other(file.path, "another machine");
    first.add("a", {candidate("k", 1)});
    second.add("b", {candidate("k", 2), candidate("l", 3)});
    other.add("a", {candidate("k", 4)});
    CHECK(first.save());
    CHECK(second.save());
    CHECK(other.save());
    const TimingCache read(file.path, "machine");
    REQUIRE(read.find("a") != nullptr);
    REQUIRE(read.find("b") != nullptr);
    CHECK(read.find("c") == nullptr);
    CHECK(read.find("a")->front().warm == 1);
    CHECK(read.find("b")->at(1).kernel == "l");
    CHECK(read.find("b")->at(1).cold == 6);
    CHECK(read.find("b")->at(1).outputs.front() == Layout::blocked(16));
}

TEST_CASE("what several threads add to one file at a time is kept, and no draft is left") {
    const ScratchFile folder("together");
    const std::string file = folder.path + "/times.json";
    constexpr int writers = 6, rounds = 12;
    std::vector<std::thread> threads;
    for (int writer = 0; writer < writers; ++writer) {
        threads.emplace_back([&, writer] {
            TimingCache cache(file, "machine");
            for (int round = 0; round < rounds; ++round) {
                cache.add(fmt::format("{} {}", writer, round), {candidate("k", writer)});
                cache.save();
            }
        });
    }
    for (std::thread& thread : threads) thread.join();
    CHECK(Json::parse(std::ifstream(file))["machines"]["machine"].size() == writers * rounds);
    CHECK(std::filesystem::remove_all(folder.path) == 2);
}

TEST_CASE("times that cannot be kept are told of, once") {
    const ScratchFile file("no_folder");
    write(file, "text");
    std::vector<std::string> told;
    TimingCache cache(file.path + "/times.json", "machine", [&](const std::string& reason) { told.push_back(reason); });
    CHECK(cache.save());
    cache.add("a", {candidate("k", 1)});
    CHECK_FALSE(cache.save());
    CHECK_FALSE(cache.save());
    REQUIRE(told.size() == 1);
    CHECK(told[0] == file.path + "/times.json: Not a directory");
    CHECK(cache.find("a") != nullptr);
}

TEST_CASE("where there are more times than fit into a file, other machines' go first") {
    const ScratchFile file("large.json");
    TimingCache other(file.path, "another machine");
    other.add(std::string(std::size_t{60} << 20, 'a'), {});
    CHECK(other.save());
    TimingCache cache(file.path, "machine");
    cache.add("a", {candidate("k", 1)});
    CHECK(cache.save());
    CHECK(read_json(file)["machines"].size() == 2);
    cache.add(std::string(std::size_t{5} << 20, 'b'), {});
    CHECK(cache.save());
    CHECK(std::filesystem::file_size(file.path) < std::size_t{6} << 20);
    CHECK(TimingCache(file.path, "machine").find("a") != nullptr);
}

TEST_CASE("a timing cache that cannot be read counts as empty and is replaced") {
    const char* const files[] = {"",
                                 "{\"seq_timings\":",
                                 "{ \"seq_timings\" : 1, \"machines\": {\"m",
                                 "{\"machines\": {}, \"seq_timings\": 2}",
                                 "{\"seq_timings\": 99, \"machines\": {}}",
                                 "{\"seq_timings\": 1}",
                                 R"({"seq_timings": 1, "machines": {"m": {"a": [{"kernel": 3}]}}})",
                                 R"({"seq_timings": 1, "machines": {"m": {"a": 7}}})"};
    for (const char* text : files) {
        const ScratchFile file("broken.json");
        write(file, text);
        TimingCache cache(file.path, "m");
        CHECK(cache.find("a") == nullptr);
        cache.add("a", {candidate("k", 1)});
        CHECK(cache.save());
        CHECK(TimingCache(file.path, "m").find("a") != nullptr);
    }
}

TEST_CASE("what is no timing cache is left as it is") {
    for (const char* text :
         {"{\"seq\": 1, \"inputs\": {\"x\": [1]}}", "a text that someone wrote", "[1, 2, 3, 4, 5, 6, 7, 8, 9]", "short",
          "\n", "{", "[]", "{}", "42", "{\"seq_timings", "{\"machines\": {\"a\": \"of someone else\"}}",
          "{\"machines\": {\"a\": ", "{\"seq_timings_of_mine\": 1}", "{\"a\": 0, \"seq_timings\": \"none\"}"}) {
        CAPTURE(text);
        const ScratchFile file("other.json");
        write(file, text);
        CHECK(TimingCache::holds_other(file.path));
        TimingCache cache(file.path, "m");
        cache.add("a", {candidate("k", 1)});
        CHECK(!cache.save());
        std::ifstream again(file.path);
        CHECK(std::string(std::istreambuf_iterator<char>(again), {}) == text);
    }
    CHECK(TimingCache::holds_other("/proc"));
    CHECK(!TimingCache::holds_other("/nowhere/at/all.json"));
    const ScratchFile file("times.json");
    TimingCache cache(file.path, "m");
    cache.add("a", {candidate("k", 1)});
    CHECK(cache.save());
    CHECK(!TimingCache::holds_other(file.path));
}

TEST_CASE("times are kept apart by the kernels that there were") {
    Backend backend = cpu_backend();
    const std::string all = timed_on(backend);
    CHECK(all.starts_with(backend.identity()));
    KernelList fewer = *backend.kernels;
    fewer.erase(fewer.begin());
    backend.kernels = &fewer;
    CHECK(timed_on(backend) != all);
    backend.kernels = cpu_backend().kernels;
    CHECK(timed_on(backend) == all);
    const GroupKernelList none;
    backend.groups = &none;
    CHECK(timed_on(backend) != all);
}

TEST_CASE("a timing cache that cannot be written is no failure of the model") {
    check_golden(load_golden("cifar_cnn"), measuring("/proc/none/timings.json"));
}

int measured_layers(const Golden& golden, const std::string& cache) {
    int count = 0;
    CompileOptions options = measuring(cache);
    options.on_tuning = [&](std::size_t done, std::size_t total, const std::string&) { count += done < total ? 1 : 0; };
    check_golden(golden, options);
    return count;
}

TEST_CASE("what was measured once is not measured again") {
    const ScratchFile file("again.json");
    const Golden golden = load_golden("residual_block");
    CHECK(measured_layers(golden, file.path) > 0);
    CHECK(measured_layers(golden, file.path) == 0);
}

TEST_CASE("a node and a group of that node alone are two things to measure") {
    const Graph graph = graph_of(R"({"seq": 1, "inputs": {"x": [1, 33]}, "layers": [
        {"type": "Linear", "out_features": 50}]})");
    const Node& node = *graph.first_node();
    ComputeOptions options;
    const GroupKernel& kernel = *cpu_backend().groups->front();
    const Unit alone = group_unit({&kernel, {&node}, {node.inputs[0]}});
    CHECK(key_of(node_unit(node), options) != key_of(alone, options));

    const ScratchFile file("alone.json");
    std::vector<int> measured;
    for (int i = 0; i < 2; ++i) {
        CompileOptions compiling = measuring(file.path);
        int& count = measured.emplace_back(0);
        compiling.on_tuning = [&](std::size_t done, std::size_t total, const std::string&) { count += done < total; };
        build(graph, compiling).plan();
    }
    CHECK(measured[0] > 0);
    CHECK(measured[1] == 0);
}

TEST_CASE("reference code of a library is not measured where there is other code") {
    const ScratchFile file("reference.json");
    build(graph_of(R"({"seq": 1, "inputs": {"x": [1, 34, 5, 5]}, "layers": [
        {"type": "ConvTranspose2d", "out_channels": 34, "kernel_size": 2, "stride": 2}]})"),
          measuring(file.path))
        .plan();
    const Json json = read_json(file);
    for (const auto& [machine, keys] : json["machines"].items()) {
        for (const auto& [key, candidates] : keys.items()) {
            for (std::size_t i = 1; i < candidates.size(); ++i)
                CHECK_MESSAGE(candidates[i].dump().find("ref:any") == std::string::npos, key);
        }
    }
}

TEST_CASE("times that do not fit the layer are measured again") {
    const ScratchFile file("unfit.json");
    const Golden golden = load_golden("cifar_cnn");
    const int layers = measured_layers(golden, file.path);
    Json json = read_json(file);
    for (auto& [machine, keys] : json["machines"].items()) {
        for (auto& [key, candidates] : keys.items()) {
            if (key.find("Linear") != std::string::npos) candidates[0]["outputs"] = {"blocked16"};
            if (key.find("Conv2d") != std::string::npos) candidates[0]["inputs"] = {"plain"};
            if (key.find("Pool") != std::string::npos) candidates[0]["kernel"] = "no.such.kernel";
        }
    }
    write(file, json.dump());
    CHECK(measured_layers(golden, file.path) > 0);
    CHECK(measured_layers(golden, file.path) < layers);
}

/// Makes candidate `k` of every layer the cheapest one; false where no layer has so many.
bool prefer(Json& json, std::size_t k) {
    bool any = false;
    for (auto& [machine, keys] : json["machines"].items()) {
        for (auto& [key, candidates] : keys.items()) {
            any = any || candidates.size() > k;
            for (std::size_t i = 0; i < candidates.size(); ++i) {
                const double time = i == std::min(k, candidates.size() - 1) ? 1 : 1e6;
                candidates[i]["warm_us"] = candidates[i]["cold_us"] = time;
            }
        }
    }
    return any;
}

TEST_CASE("whichever candidates are chosen, networks agree with PyTorch") {
    for (const std::string& name : golden_names()) {
        const Golden golden = load_golden(name);
        const ScratchFile file("each.json");
        for (const int threads : {1, 2}) {
            const CompileOptions options = measuring(file.path, threads);
            check_golden(golden, options);
            if (!std::filesystem::exists(file.path)) continue;
            Json json = read_json(file);
            for (std::size_t k = 0; prefer(json, k); ++k) {
                write(file, json.dump());
                check_golden(golden, options);
            }
        }
    }
}

}  // namespace
}  // namespace seq::tests
