#pragma once

// What the workers of tools/peers that are written in C++ have in common: worker.py says what goes over the lines.

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <seq/seq.hpp>
#include <string>
#include <vector>

namespace peers {

using Clock = std::chrono::steady_clock;

// As worker.py has them.
inline constexpr std::int64_t sample_ns = 50'000;
inline constexpr std::int64_t long_run_ns = 20'000'000;
inline constexpr double warm_up = 0.2;

inline std::int64_t nanoseconds_since(Clock::time_point start) {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - start).count();
}

/// The most memory that the process held so far.
inline std::int64_t peak_kib() {
    std::ifstream status("/proc/self/status");
    for (std::string word; status >> word;) {
        std::int64_t value = 0;
        if (word == "VmHWM:" && status >> value) return value;
    }
    return 0;
}

/// A net whose `run` returns before all is done has `finish`, which waits for it.
template <class Net>
std::int64_t sample(Net& net, std::int64_t repeats) {
    const auto start = Clock::now();
    for (std::int64_t i = 0; i < repeats; ++i) net.run();
    if constexpr (requires { net.finish(); }) net.finish();
    return nanoseconds_since(start);
}

/// How many runs take `least_ns`.
template <class Net>
std::int64_t choose_repeats(Net& net, std::int64_t least_ns = sample_ns) {
    if (sample(net, 1) >= std::max(long_run_ns, least_ns)) return 1;
    std::int64_t repeats = 1;
    while (true) {
        const std::int64_t took = std::min({sample(net, repeats), sample(net, repeats), sample(net, repeats)});
        if (took >= least_ns) return repeats;
        const double factor =
            1.1 * static_cast<double>(least_ns) / static_cast<double>(std::max<std::int64_t>(took, 1));
        repeats = std::max(2 * repeats, static_cast<std::int64_t>(static_cast<double>(repeats) * factor));
    }
}

template <class Net>
std::vector<std::int64_t> time_slice(Net& net, std::int64_t repeats, double milliseconds) {
    const auto warm_start = Clock::now();
    sample(net, 1);
    while (static_cast<double>(nanoseconds_since(warm_start)) < milliseconds * warm_up * 1e6) sample(net, repeats);
    std::vector<std::int64_t> times;
    const auto start = Clock::now();
    do times.push_back(sample(net, repeats));
    while (static_cast<double>(nanoseconds_since(start)) < milliseconds * 1e6);
    return times;
}

inline void say(const std::string& line) {
    fmt::print("{}\n", line);
    std::fflush(stdout);
}

inline void say_times(std::int64_t repeats, const std::vector<std::int64_t>& times) {
    say(fmt::format("times {} {}", repeats, fmt::join(times, " ")));
}

/// The answer, or the first of several; the others lie beside it, as answers.py has them.
template <class Net>
void write_answers(Net& net, const std::string& path) {
    if constexpr (requires { net.answers(); }) {
        for (std::size_t i = 0; i < net.answers().size(); ++i)
            seq::write_npy(i == 0 ? path : fmt::format("{}.{}", path, i), net.answers()[i]);
    } else {
        seq::write_npy(path, net.answer());
    }
}

template <class Net>
void serve(Net& net) {
    std::int64_t repeats = 0;
    for (std::string line; std::getline(std::cin, line);) {
        const std::size_t space = std::min(line.find(' '), line.size());
        const std::string word = line.substr(0, space);
        const std::string value = line.substr(std::min(space + 1, line.size()));
        if (word == "time") {
            if (repeats == 0) repeats = choose_repeats(net);
            say_times(repeats, time_slice(net, repeats, std::stod(value)));
        } else if (word == "write") {
            write_answers(net, value);
            say("written");
        } else if constexpr (requires { net.obey(word, value); }) {
            net.obey(word, value);
        } else if (word == "save") {
            net.save(value);
            say("saved");
        }
    }
}

/// Loads a network with `load`, runs it once, and does what standard input says until that ends. Net: run(), answer()
/// or answers(), and save(path), or obey(word, value) for all that is said beyond `time` and `write`. Returns the exit
/// status.
template <class Load>
int work(const char* name, const Load& load) {
    try {
        const std::int64_t base_kib = peak_kib();
        const auto start = Clock::now();
        auto net = load();
        net.run();
        say(fmt::format("ready {:.3f} {}", static_cast<double>(nanoseconds_since(start)) / 1e6, base_kib));
        serve(net);
        return 0;
    } catch (const std::exception& error) {
        fmt::print(stderr, "{}: {}\n", name, error.what());
        return 1;
    }
}

}  // namespace peers
