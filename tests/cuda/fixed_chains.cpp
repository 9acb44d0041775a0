#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <random>
#include <typeindex>

#include "graph/convert_tensor.hpp"
#include "graph/ops/activation.hpp"
#include "kernels/cuda/own/epilogue.hpp"
#include "kernels/cuda/own/fixed_chain.hpp"
#include "kernels/cuda/own/program_launch.hpp"
#include "tests/cuda/own_case.hpp"

namespace seq::tests {
namespace {

using namespace cuda::own;

constexpr Storage storages[] = {Storage::f32, Storage::f16, Storage::bf16};

DType dtype_of(Storage storage) {
    return storage == Storage::f32 ? DType::f32 : storage == Storage::f16 ? DType::f16 : DType::bf16;
}

/// How an operand lies: strides in elements, by dimension, and whether a group of it has four elements or one.
struct Lie {
    Sizes strides;
    bool together = false;
};

/// A result's sizes in groups of four elements, and operands that broadcast to it.
struct Arrangement {
    Sizes groups;
    std::vector<Lie> lies;
};

const std::vector<Arrangement>& arrangements() {
    static const std::vector<Arrangement> all{
        {{37}, {{{0}}, {{4}, true}, {{1}}}},
        {{1}, {{{0}}, {{4}, true}}},
        {{9, 1}, {{{0, 4}, true}, {{1, 0}}}},
        {{7, 5}, {{{0, 4}, true}, {{1, 0}}, {{0, 0}}, {{20, 4}, true}}},
        {{1, 7, 1, 5, 1}, {{{0, 0, 0, 4, 4}, true}, {{7, 1, 1, 0, 0}}}},
        {{3, 7, 5}, {{{0, 0, 4}, true}, {{0, 1, 0}}, {{20, 0, 4}, true}, {{7, 1, 0}}, {{0, 20, 4}, true}}},
    };
    return all;
}

std::int64_t elements_of(const Arrangement& arrangement) { return 4 * product(arrangement.groups); }

/// Random numbers, and those that functions may get wrong.
Tensor numbers(Storage storage, std::int64_t count, unsigned seed) {
    constexpr float inf = std::numeric_limits<float>::infinity();
    constexpr float special[] = {std::numeric_limits<float>::quiet_NaN(),
                                 inf,
                                 -inf,
                                 0.0f,
                                 -0.0f,
                                 1e-40f,
                                 -1e-40f,
                                 3e38f,
                                 -3e38f,
                                 3.0f,
                                 -3.0f,
                                 6.0f,
                                 104.0f,
                                 -104.0f,
                                 6e4f,
                                 -6e4f,
                                 1.0f};
    Tensor wide(DType::f32, {count}), kept(dtype_of(storage), {count});
    std::mt19937 generator(seed);
    std::normal_distribution<float> normal;
    for (float& value : wide.data<float>())
        value = generator() % 3 == 0 ? special[generator() % std::size(special)] : 2 * normal(generator);
    REQUIRE(convert(wide.view(), kept.view()));
    return kept;
}

/// How a program gets its running value.
enum class Front { result, load, load_in_place };

/// A program with the steps of a fixed chain, on memory of its own.
class ChainCase {
   public:
    /// Operands that may lie anywhere lie as the arrangement's from number `first` on say.
    ChainCase(const FixedChain& chain, const Arrangement& arrangement, Storage storage, std::size_t first = 0,
              Front front = Front::result, bool in_f32 = true)
        : storage_(storage), count_(elements_of(arrangement)), front_(front), result_(numbers(storage, count_, 1)) {
        program_.width = 4;
        program_.space = space_of(arrangement.groups);
        Lie like{dense_strides(arrangement.groups), true};
        for (std::int64_t& stride : like.strides) stride *= 4;
        if (front != Front::result) push({Step::Kind::load}, like, storage);
        for (const FixedStep& fixed : chain.steps) {
            const Step step{fixed.kind, fixed.unary, fixed.binary, 0, 0.75f, 1.5f};
            const bool anywhere = fixed.access == Access::anywhere;
            if (fixed.access == Access::none) {
                program_.steps[program_.step_count++] = step;
            } else {
                const Lie& lie = anywhere ? arrangement.lies[first++ % arrangement.lies.size()] : like;
                push(step, lie, anywhere && in_f32 ? Storage::f32 : storage);
            }
        }
    }

    /// What would be launched on the result.
    std::optional<FixedLaunch> found() { return fixed_launch(bound(result_), memory(result_), storage_, count_ / 4); }

    /// The elements as they are kept, those that are NaN all alike.
    std::vector<std::uint32_t> run(bool fixed) {
        Tensor result = numbers(storage_, count_, 1);
        const Program program = bound(result);
        test::ImmediateQueue queue;
        if (fixed) {
            const auto launch = fixed_launch(program, memory(result), storage_, count_ / 4);
            REQUIRE(launch);
            launch->chain->launch(queue, launch->data);
        } else {
            launch_interpreted(queue, program, memory(result), storage_, count_ / 4, front_ == Front::result);
        }
        Tensor wide(DType::f32, {count_});
        REQUIRE(convert(result.view(), wide.view()));
        std::vector<std::uint32_t> bits;
        for (const float value : wide.data<float>())
            bits.push_back(std::isnan(value) ? ~0u : std::bit_cast<std::uint32_t>(value));
        return bits;
    }

    Program& program() { return program_; }

   private:
    static void* memory(Tensor& tensor) { return tensor.view().data; }

    void push(Step step, const Lie& lie, Storage storage) {
        step.operand = static_cast<std::uint8_t>(program_.operand_count);
        program_.steps[program_.step_count++] = step;
        program_.operands[program_.operand_count++] = {nullptr, strides_for(lie.strides), storage, lie.together};
        data_.push_back(numbers(storage, count_, 7 + step.operand));
    }

    Program bound(Tensor& result) {
        Program program = program_;
        for (std::size_t k = 0; k < data_.size(); ++k) program.operands[k].data = memory(data_[k]);
        if (front_ == Front::load_in_place) program.operands[0].data = memory(result);
        return program;
    }

    Storage storage_;
    std::int64_t count_;
    Front front_;
    Program program_;
    Tensor result_;
    std::vector<Tensor> data_;
};

template <class Body>
void for_each_chain(const Body& body) {
    int count = 0;
    for (const std::span<const FixedChain> chains : fixed_chains()) {
        for (const FixedChain& chain : chains) {
            const int number = ++count;
            CAPTURE(number);
            for (const Storage storage : storages) body(chain, storage);
        }
    }
    CHECK(count >= 50);
}

/// The chain that is found for what `append` appends to a result; nullptr where that is interpreted.
template <class Append>
const FixedChain* chosen(const Placed& output, std::size_t inputs, const Append& append) {
    ProgramChain chain(output);
    append(chain);
    chain.finish();
    std::vector<Tensor> data;
    std::vector<void*> pointers;
    for (std::size_t i = 0; i <= inputs; ++i)
        pointers.push_back(data.emplace_back(DType::f32, output.sizes).view().data);
    const auto program = chain.fused_in_groups(pointers.data(), pointers.back());
    REQUIRE(program);
    const auto found = fixed_launch(*program, pointers.back(), storage_of(output), count_of(output) / 4);
    return found ? found->chain : nullptr;
}

/// Its steps in words: "add_like relu".
std::string text(const FixedChain* chain) {
    if (chain == nullptr) return "interpreted";
    std::string text;
    for (const FixedStep& step : chain->steps) {
        const char* const name = step.kind == Step::Kind::unary ? "unary"
                                 : step.binary == Binary::add   ? "add"
                                 : step.binary == Binary::mul   ? "mul"
                                                                : "prelu";
        text += (text.empty() ? "" : " ") + std::string(name);
        if (step.kind == Step::Kind::unary) text += std::to_string(static_cast<int>(step.unary));
        if (step.access == Access::like_result) text += "_like";
    }
    return text;
}

std::string of(Unary function) { return "unary" + std::to_string(static_cast<int>(function)); }

TEST_CASE("every fixed chain is found for its steps, after the result and after a value like it") {
    for_each_chain([](const FixedChain& chain, Storage storage) {
        for (const Front front : {Front::result, Front::load}) {
            const auto found = ChainCase(chain, arrangements()[3], storage, 0, front).found();
            REQUIRE(found);
            CHECK(found->chain == &chain);
        }
    });
}

TEST_CASE("every fixed chain gives the bits that its interpreted program gives") {
    for_each_chain([](const FixedChain& chain, Storage storage) {
        for (const Arrangement& arrangement : arrangements()) {
            for (std::size_t first = 0; first < arrangement.lies.size(); ++first) {
                for (const Front front : {Front::result, Front::load, Front::load_in_place}) {
                    for (const bool in_f32 : {true, false}) {
                        ChainCase example(chain, arrangement, storage, first, front, in_f32);
                        CHECK(example.run(true) == example.run(false));
                    }
                }
            }
        }
    });
}

/// Knows what was last handed to it by its type, and does nothing.
class TypeQueue final : public test::ImmediateQueue {
   public:
    void submit(std::function<void()> work) override { type = work.target_type(); }
    std::type_index type = typeid(void);
};

TEST_CASE("launch_program launches the fixed chain where there is one") {
    for_each_chain([](const FixedChain& chain, Storage storage) {
        ChainCase example(chain, arrangements()[3], storage);
        FixedLaunch launch = *example.found();
        TypeQueue fixed, interpreted, either;
        chain.launch(fixed, launch.data);
        launch_interpreted(interpreted, example.program(), nullptr, storage, 1, true);
        CHECK(fixed.type != interpreted.type);
        launch_program(either, example.program(), nullptr, storage, 1, true);
        CHECK(either.type == fixed.type);
        example.program().steps[0] = {Step::Kind::unary, Unary::softsign};
        launch_program(either, example.program(), nullptr, storage, 1, true);
        CHECK(either.type == interpreted.type);
    });
}

TEST_CASE("what no fixed chain does is interpreted") {
    const FixedChain& sum = fixed_sums()[0];
    const Arrangement& plain = arrangements()[0];
    const auto is_found = [&](const auto& change, const Arrangement& arrangement) {
        ChainCase example(sum, arrangement, Storage::f16);
        change(example.program());
        return example.found().has_value();
    };
    CHECK(is_found([](Program&) {}, plain));
    CHECK_FALSE(is_found([](Program& program) { program.width = 1; }, plain));
    CHECK_FALSE(is_found([](Program& program) { program.step_count = 0; }, plain));
    CHECK_FALSE(is_found([](Program& program) { program.steps[0] = {Step::Kind::unary, Unary::softsign}; }, plain));
    CHECK_FALSE(is_found([](Program& program) { program.steps[0].kind = Step::Kind::combine; }, plain));
    CHECK_FALSE(is_found([](Program& program) { program.operands[0].storage = Storage::bf16; }, plain));
    CHECK_FALSE(is_found([](Program& program) { program.operands[0].strides.of[0] = std::int64_t{1} << 31; }, plain));
    CHECK_FALSE(is_found([](Program& program) { program.steps[program.step_count++].unary = Unary::softsign; }, plain));
    CHECK_FALSE(is_found([](Program&) {}, {{2, 3, 2, 3}, {}}));
    ChainCase large(sum, plain, Storage::f16);
    CHECK(fixed_launch(large.program(), nullptr, Storage::f16, (std::int64_t{1} << 31) - 1));
    CHECK_FALSE(fixed_launch(large.program(), nullptr, Storage::f16, std::int64_t{1} << 31));
}

TEST_CASE("an operand that does not lie like the result is read where it lies") {
    for (const Storage storage : {Storage::f16, Storage::bf16}) {
        ChainCase example(fixed_sums()[0], arrangements()[3], storage);
        Operand& operand = example.program().operands[0];
        CHECK(text(example.found()->chain) == "add_like");
        operand.strides.of[0] = 24;
        CHECK(text(example.found()->chain) == "add");
        operand.strides.of[0] = 20;
        operand.together = false;
        CHECK(text(example.found()->chain) == "add");
    }
}

TEST_CASE("what layers and their epilogues append is compiled, in either order and however values are kept") {
    for (const Layout& order : {Layout::plain(), Layout::channels_last()}) {
        for (const Kept kept : {Kept::own, Kept::f16, Kept::bf16}) {
            const auto place = [&](const Sizes& sizes) { return Placed{DType::f32, sizes, {}}.in(order.kept(kept)); };
            const Placed value = place({2, 16, 4, 4}), gate = place({2, 16, 1, 1});
            const Placed weight{DType::f32, {16, 1, 1}, {}};
            const auto check = [&](const std::string& wanted, std::size_t inputs, const auto& append) {
                CHECK(text(chosen(value, inputs, append)) == wanted);
            };
            constexpr int result = ProgramChain::result;
            check(of(Unary::silu), 0, [](ProgramChain& chain) { chain.append(*unary_call(ops::SiLU{})); });
            check(of(Unary::hardtanh), 1, [&](ProgramChain& chain) {
                chain.append_load(*chain.add_operand(0, value));
                chain.append(*unary_call(ops::ReLU6{}));
            });
            check("interpreted", 0, [](ProgramChain& chain) { chain.append(*unary_call(ops::Softsign{})); });
            check("add " + of(Unary::relu), 1, [&](ProgramChain& chain) {
                chain.append(Binary::add, std::vector<int>{result, *chain.add_operand(0, weight)});
                chain.append(*unary_call(ops::ReLU{}));
            });
            check("add_like " + of(Unary::relu), 1, [&](ProgramChain& chain) {
                chain.append(Binary::add, std::vector<int>{*chain.add_operand(0, value), result});
                chain.append(*unary_call(ops::ReLU{}));
            });
            check("add_like " + of(Unary::relu), 2, [&](ProgramChain& chain) {
                chain.append(Binary::add, std::vector<int>{*chain.add_operand(0, value), *chain.add_operand(1, value)});
                chain.append(*unary_call(ops::ReLU{}));
            });
            check("mul", 2, [&](ProgramChain& chain) {
                chain.append(Binary::mul, std::vector<int>{*chain.add_operand(0, value), *chain.add_operand(1, gate)});
            });
            check("mul", 2, [&](ProgramChain& chain) {
                chain.append(Binary::mul, std::vector<int>{*chain.add_operand(0, gate), *chain.add_operand(1, value)});
            });
            check("prelu", 1, [&](ProgramChain& chain) {
                chain.append(Binary::prelu, std::vector<int>{result, *chain.add_operand(0, weight)});
            });
        }
    }
}

}  // namespace
}  // namespace seq::tests
