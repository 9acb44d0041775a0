// Runs the digits network on 256 handwritten digits and shows what it sees.
//
//     digits_demo FOLDER      with digits_cnn.json, its weights, images_u8.npy, labels.npy, logits_pytorch.npy

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <seq/seq.hpp>
#include <string>
#include <vector>

namespace {

constexpr std::int64_t side = 28;
constexpr std::int64_t classes = 10;
// The mean and the standard deviation of MNIST's pixels, as the network was trained with.
constexpr float pixel_mean = 0.1307f;
constexpr float pixel_deviation = 0.3081f;

seq::Tensor normalise(const seq::Tensor& images) {
    const std::int64_t count = images.sizes()[0];
    seq::Tensor x(seq::DType::f32, {count, 1, side, side});
    const auto pixels = images.data<std::uint8_t>();
    std::transform(pixels.begin(), pixels.end(), x.data<float>().begin(), [](std::uint8_t pixel) {
        return (static_cast<float>(pixel) / 255.0f - pixel_mean) / pixel_deviation;
    });
    return x;
}

std::int64_t best_class(std::span<const float> logits) {
    return std::max_element(logits.begin(), logits.end()) - logits.begin();
}

double probability(std::span<const float> logits, std::int64_t label) {
    double sum = 0;
    for (const float logit : logits)
        sum += std::exp(static_cast<double>(logit - logits[static_cast<std::size_t>(label)]));
    return 1 / sum;
}

std::int64_t label_of(const seq::Tensor& labels, std::size_t i) {
    if (labels.dtype() == seq::DType::i64) return labels.data<std::int64_t>()[i];
    if (labels.dtype() == seq::DType::i32) return labels.data<std::int32_t>()[i];
    return labels.data<std::uint8_t>()[i];
}

/// Two rows of pixels to a line of half blocks.
std::vector<std::string> draw(std::span<const std::uint8_t> picture) {
    constexpr int dark = 96;
    std::vector<std::string> lines;
    for (std::size_t y = 4; y < side - 4; y += 2) {
        std::string line;
        for (std::size_t x = 4; x < side - 4; ++x) {
            const bool upper = picture[y * side + x] > dark;
            const bool lower = picture[(y + 1) * side + x] > dark;
            line += upper && lower ? "█" : upper ? "▀" : lower ? "▄" : " ";
        }
        lines.push_back(line);
    }
    return lines;
}

struct Answers {
    seq::Tensor logits;
    double pictures_per_second = 0;
};

Answers run(const std::string& folder, const seq::Tensor& x) {
    const seq::Graph graph = seq::load_model(folder + "/digits_cnn.json");
    seq::CompileOptions options;
    options.weights = seq::load_weights(folder + "/digits_cnn.safetensors");
    const seq::Executable executable = seq::compile(graph, options);
    seq::Session session = executable.session();
    const std::string output = executable.outputs().front().name;

    Answers answers{seq::Tensor(seq::DType::f32, {x.sizes()[0], classes}), 0};
    seq::BoundRun bound = session.bind({{"x", x}}, {{output, answers.logits}});
    bound.run();
    constexpr int rounds = 20;
    const auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < rounds; ++i) bound.run();
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    answers.pictures_per_second = static_cast<double>(x.sizes()[0]) * rounds / seconds;
    return answers;
}

/// Pictures side by side, with what the network takes them for below; wrong ones among them where there are any.
void show(const seq::Tensor& images, const seq::Tensor& labels, const seq::Tensor& logits) {
    const auto count = static_cast<std::size_t>(images.sizes()[0]);
    std::vector<std::size_t> right;
    std::vector<std::size_t> wrong;
    for (std::size_t i = 0; i < count; ++i)
        (best_class(logits.data<float>().subspan(i * classes, classes)) == label_of(labels, i) ? right : wrong)
            .push_back(i);
    std::vector<std::size_t> chosen;
    for (std::size_t i = 0; i < 4 && i < right.size(); ++i) chosen.push_back(right[i * 7 % right.size()]);
    if (!wrong.empty()) chosen.push_back(wrong.front());

    std::vector<std::string> lines(side / 2 - 4);
    std::string answers;
    for (const std::size_t i : chosen) {
        const auto picture = draw(images.data<std::uint8_t>().subspan(i * side * side, side * side));
        for (std::size_t y = 0; y < picture.size(); ++y) lines[y] += "  " + picture[y];
        const auto row = logits.data<float>().subspan(i * classes, classes);
        const std::int64_t seen = best_class(row);
        const bool correct = seen == label_of(labels, i);
        const std::string text = correct ? fmt::format("sees {} ({:.0f}%)", seen, 100 * probability(row, seen))
                                         : fmt::format("sees {}, it is {}", seen, label_of(labels, i));
        answers += fmt::format("  {:<20}", text);
    }
    for (const std::string& line : lines) fmt::print("{}\n", line);
    fmt::print("{}\n\n", answers);
}

void report(const std::string& folder) {
    const seq::Tensor images = seq::read_npy(folder + "/images_u8.npy");
    const seq::Tensor labels = seq::read_npy(folder + "/labels.npy");
    const seq::Tensor expected = seq::read_npy(folder + "/logits_pytorch.npy");
    const Answers answers = run(folder, normalise(images));
    show(images, labels, answers.logits);

    const auto count = static_cast<std::size_t>(images.sizes()[0]);
    const auto logits = answers.logits.data<float>();
    std::size_t correct = 0;
    float difference = 0;
    for (std::size_t i = 0; i < count; ++i) {
        correct += best_class(logits.subspan(i * classes, classes)) == label_of(labels, i) ? 1 : 0;
        for (std::size_t c = 0; c < classes; ++c)
            difference =
                std::max(difference, std::abs(logits[i * classes + c] - expected.data<float>()[i * classes + c]));
    }
    fmt::print("accuracy    {:.1f}% ({} of {} right)\n",
               100.0 * static_cast<double>(correct) / static_cast<double>(count), correct, count);
    fmt::print("difference  {:.2g} from PyTorch's logits at most\n", difference);
    fmt::print("speed       {:.0f} pictures a second\n", answers.pictures_per_second);
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) {
        fmt::print(stderr, "usage: digits_demo FOLDER\n");
        return 2;
    }
    try {
        report(argv[1]);
        return 0;
    } catch (const std::exception& error) {
        fmt::print(stderr, "error: {}\n", error.what());
        return 1;
    }
}
