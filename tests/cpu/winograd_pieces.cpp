#include <doctest/doctest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <utility>
#include <vector>

#include "kernels/cpu/cpu.hpp"
#include "kernels/cpu/winograd/task.hpp"

using namespace seq;
using namespace seq::cpu::winograd;

namespace {

/// Floats between two pages that may not be touched, at the end of theirs or at its beginning.
class GuardedFloats {
   public:
    GuardedFloats(std::int64_t count, bool at_end) : count_(static_cast<std::size_t>(count)) {
        const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
        const std::size_t bytes = count_ * sizeof(float), inner = (bytes + page - 1) / page * page;
        mapped_ = inner + 2 * page;
        void* mapping = mmap(nullptr, mapped_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        REQUIRE(mapping != MAP_FAILED);
        base_ = static_cast<std::byte*>(mapping);
        REQUIRE(mprotect(base_ + page, inner, PROT_READ | PROT_WRITE) == 0);
        data_ = reinterpret_cast<float*>(base_ + page + (at_end ? inner - bytes : 0));
    }
    GuardedFloats(const GuardedFloats&) = delete;
    GuardedFloats& operator=(const GuardedFloats&) = delete;
    ~GuardedFloats() { munmap(base_, mapped_); }

    float* data() { return data_; }
    std::vector<float> copy() const { return {data_, data_ + count_}; }
    void fill(unsigned seed) {
        std::mt19937 generator(seed);
        std::normal_distribution<float> normal;
        for (std::size_t i = 0; i < count_; ++i) data_[i] = normal(generator);
    }

   private:
    std::size_t count_ = 0, mapped_ = 0;
    std::byte* base_ = nullptr;
    float* data_ = nullptr;
};

struct LayerSizes {
    std::int64_t batch, in, out, height, width, padding;
    /// Of windows of 3 along the width; 0 where they are 3×3.
    std::int64_t dilation = 0;
    std::int64_t stride = 1;  ///< of 3×3
};

Problem problem_of(const LayerSizes& sizes, int tile, const Layout& input, const Layout& output) {
    Problem problem;
    problem.batch = sizes.batch;
    problem.pad_left = sizes.padding;
    problem.tile = tile;
    problem.lanes = cpu_backend().isa == Isa::avx512 ? 16 : 8;
    problem.in = lay_out(sizes.in, sizes.height, sizes.width, problem.lanes, input);
    if (sizes.dilation == 0) {
        const auto shrink = [&](std::int64_t size) { return (size + 2 * sizes.padding - 3) / sizes.stride + 1; };
        problem.stride = static_cast<int>(sizes.stride);
        problem.pad_top = sizes.padding;
        problem.out = lay_out(sizes.out, shrink(sizes.height), shrink(sizes.width), problem.lanes, output);
        return problem;
    }
    const std::int64_t width = sizes.width + 2 * sizes.padding - 2 * sizes.dilation;
    problem.lines = true;
    problem.dilation = sizes.dilation;
    problem.in = as_lines(problem.in, false, sizes.dilation);
    problem.out = as_lines(lay_out(sizes.out, sizes.height, width, problem.lanes, output), false, sizes.dilation);
    return problem;
}

/// The output of a layer with a bias, a residual and a bound on random data, all of it guarded.
std::vector<float> run(const Problem& problem, bool at_end, int threads, bool careful = false) {
    const Execution execution(problem, cpu_backend().isa, threads);
    GuardedFloats input(problem.batch * problem.in.picture, at_end),
        output(problem.batch * problem.out.picture, at_end);
    GuardedFloats residual(problem.batch * problem.out.picture, at_end);
    GuardedFloats dense(problem.out.channels * problem.in.channels * problem.taps(), at_end);
    GuardedFloats weights(problem.weight_floats(), at_end), bias(problem.out.blocks * problem.lanes, at_end);
    GuardedFloats scratch(execution.scratch_floats(), at_end);
    input.fill(1);
    dense.fill(2);
    residual.fill(3);
    bias.fill(4);
    pack_weights(problem, dense.data(), weights.data());
    Operands operands;
    operands.input = input.data();
    operands.output = output.data();
    operands.weights = weights.data();
    operands.epilogue.bias = bias.data();
    operands.epilogue.residual = residual.data();
    operands.epilogue.low = -1;
    careful ? execution.run_careful(operands, scratch.data()) : execution.run(operands, scratch.data());
    return output.copy();
}

bool has_winograd() { return cpu_backend().isa != Isa::scalar; }

const Layout last = Layout::channels_last(), blocked = Layout::blocked(cpu_backend().isa == Isa::avx512 ? 16 : 8);
const std::vector<std::pair<Layout, Layout>> layout_pairs{
    {last, last}, {last, blocked}, {blocked, last}, {blocked, blocked}};

/// The largest difference, relative to the largest number.
double differ_by(const std::vector<float>& a, const std::vector<float>& b) {
    double difference = 0, largest = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        difference = std::max(difference, std::abs(static_cast<double>(a[i]) - b[i]));
        largest = std::max(largest, std::abs(static_cast<double>(a[i])));
    }
    return difference / largest;
}

}  // namespace

TEST_CASE("Winograd reads and writes nothing outside of its tensors") {
    if (!has_winograd()) return;
    const std::vector<LayerSizes> examples{
        {1, 17, 33, 9, 7, 1},        {2, 5, 3, 6, 6, 0},           {1, 1, 1, 1, 1, 1},         {2, 16, 32, 8, 8, 1},
        {1, 33, 8, 3, 20, 3},        {1, 40, 100, 13, 4, 2},       {2, 17, 33, 1, 37, 8, 8},   {1, 16, 32, 5, 9, 1, 1},
        {1, 5, 3, 1, 6, 12, 7},      {2, 17, 33, 18, 13, 1, 0, 2}, {1, 33, 8, 3, 20, 3, 0, 2}, {1, 1, 1, 3, 4, 0, 0, 2},
        {3, 16, 40, 16, 17, 1, 0, 2}};
    for (const LayerSizes& sizes : examples) {
        for (const auto& [input, output] : layout_pairs) {
            for (const int tile : {2, 4}) {
                CAPTURE(sizes.in);
                CAPTURE(tile);
                CAPTURE(input.to_string());
                CAPTURE(output.to_string());
                Problem problem = problem_of(sizes, tile, input, output);
                cut_into_tasks(problem, 2);
                const auto at_start = run(problem, false, 2);
                CHECK(run(problem, true, 2) == at_start);
                CHECK(differ_by(run(problem, true, 2, true), at_start) <= 1e-5);
            }
        }
    }
}

TEST_CASE("Winograd gives the same numbers however it is cut") {
    if (!has_winograd()) return;
    for (const int tile : {2, 4}) {
        for (const auto& [input, output] : layout_pairs) {
            for (const LayerSizes& sizes : {LayerSizes{3, 20, 150, 11, 14, 1}, LayerSizes{3, 20, 150, 1, 140, 2, 3},
                                            LayerSizes{3, 20, 150, 21, 28, 1, 0, 2}}) {
                Problem problem = problem_of(sizes, tile, input, output);
                const auto expected = run(problem, true, 1);
                for (const std::int64_t blocks : {1, 2, 5}) {
                    for (const std::int64_t parts : {1, 2, 3}) {
                        for (const std::int64_t chunk : {1, 2, 4}) {
                            problem.blocks = blocks;
                            problem.parts = parts;
                            problem.chunk_columns = chunk;
                            CAPTURE(blocks);
                            CAPTURE(parts);
                            CAPTURE(chunk);
                            for (const int threads : {1, 5}) CHECK(run(problem, true, threads) == expected);
                        }
                    }
                }
            }
        }
    }
}

TEST_CASE("a layer is cut into pieces that exist, and seldom reads many weights") {
    for (const int lanes : {8, 16}) {
        for (const int threads : {1, 2, 3, 64}) {
            for (const std::int64_t side : {1, 5, 14, 28, 56, 225}) {
                for (const std::int64_t channels : {1, 17, 64, 150, 512, 1024}) {
                    Problem problem;
                    problem.batch = 1;
                    problem.lanes = lanes;
                    problem.in = lay_out(channels, side, side, lanes, Layout::channels_last());
                    problem.out = problem.in;
                    Problem strided = problem;
                    strided.stride = 2;
                    strided.out = lay_out(channels, (side + 1) / 2, (side + 1) / 2, lanes, Layout::channels_last());
                    cut_into_tasks(strided, threads);
                    CHECK(strided.blocks >= 1);
                    CHECK(strided.blocks <= strided.tiles());
                    CHECK(strided.parts >= 1);
                    CHECK(strided.parts <= strided.columns());
                    CHECK(strided.chunk_columns >= 1);
                    cut_into_tasks(problem, threads);
                    CAPTURE(lanes);
                    CAPTURE(threads);
                    CAPTURE(side);
                    CAPTURE(channels);
                    CHECK(problem.blocks >= 1);
                    CHECK(problem.blocks <= problem.tiles());
                    CHECK(problem.parts >= 1);
                    CHECK(problem.parts <= problem.columns());
                    CHECK(problem.chunk_columns >= 1);
                    if (threads == 2 && channels == 512 && side == 28) CHECK(problem.blocks == 1);
                    if (threads == 2 && channels == 64 && side == 225) CHECK(problem.chunk_columns == 1);
                    const bool smallest = problem.block_tiles() <= problem.largest_group();
                    CHECK((smallest || problem.input_floats() <= 2 * 1024 * 1024));
                }
            }
        }
    }
}

TEST_CASE("lines are cut into blocks for every thread, unless their weights leave the cache") {
    for (const int lanes : {8, 16}) {
        for (const int threads : {1, 2, 3, 64}) {
            for (const std::int64_t length : {1, 5, 100, 4000}) {
                for (const std::int64_t channels : {1, 17, 64, 150, 512}) {
                    Problem problem;
                    problem.batch = 1;
                    problem.lanes = lanes;
                    problem.lines = true;
                    problem.in = as_lines(lay_out(channels, 1, length, lanes, Layout::channels_last()), false, 1);
                    problem.out = problem.in;
                    cut_into_tasks(problem, threads);
                    CAPTURE(lanes);
                    CAPTURE(threads);
                    CAPTURE(length);
                    CAPTURE(channels);
                    CHECK(problem.blocks >= 1);
                    CHECK(problem.blocks <= problem.tiles());
                    CHECK(problem.parts >= 1);
                    CHECK(problem.parts <= problem.columns());
                    CHECK(problem.chunk_columns >= 1);
                    if (channels <= 64) CHECK(problem.parts == 1);
                    if (channels <= 64 && problem.tiles() >= threads) CHECK(problem.blocks % threads == 0);
                }
            }
        }
    }
}

TEST_CASE("a cut covers everything once") {
    for (const std::int64_t count : {1, 5, 16, 49, 197}) {
        for (const std::int64_t parts : {1, 2, 5, 16}) {
            if (parts > count) continue;
            const Cut cut(count, parts);
            std::int64_t next = 0;
            for (std::int64_t part = 0; part < parts; ++part) {
                CHECK(cut.start(part) == next);
                CHECK(cut.size(part) >= 1);
                CHECK(cut.size(part) <= cut.size(0));
                next += cut.size(part);
            }
            CHECK(next == count);
        }
    }
}
