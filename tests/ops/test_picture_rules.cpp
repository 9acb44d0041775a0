#include <cmath>

#include "graph/ops/embedding.hpp"
#include "graph/ops/shuffle.hpp"
#include "graph/ops/upsample.hpp"
#include "tests/ops/outcome.hpp"

using namespace seq;
using namespace seq::test;
using ops::ChannelShuffle, ops::Embedding, ops::PixelShuffle, ops::PixelUnshuffle, ops::Upsample,
    ops::UpsamplingBilinear2d, ops::UpsamplingNearest2d;

TEST_CASE("Upsample to a size or by a factor") {
    CHECK(outcome(Upsample{.scale_factor = 2}, {{"N", 6, 12, 10}}) == "[N, 6, 24, 20]");
    CHECK(outcome(Upsample{.size = {20, 31}, .mode = "bilinear"}, {{"N", 6, 12, 10}}) == "[N, 6, 20, 31]");
    CHECK(outcome(Upsample{.size = 9}, {{"N", 6, "H", "W"}}) == "[N, 6, 9, 9]");
    CHECK(outcome(Upsample{.scale_factor = {1.5, 2}}, {{"N", 6, 5, 5}}) == "[N, 6, 7, 10]");
    CHECK(outcome(Upsample{.scale_factor = 3, .mode = "trilinear"}, {{"N", 6, "D", "H", "W"}}) ==
          "[N, 6, 3 * D, 3 * H, 3 * W]");
    CHECK(outcome(UpsamplingNearest2d{.scale_factor = 2}, {{"N", 6, 12, 10}}) == "[N, 6, 24, 20]");
    CHECK(outcome(UpsamplingBilinear2d{.size = {3, 4}}, {{"N", 6, 12, 10}}) == "[N, 6, 3, 4]");
    CHECK(formula(Upsample{.scale_factor = 1.5}, {{"N", 6, 5}}, 2) == "floor(5 · 1.5)");
}

TEST_CASE("Fractional factors of a symbol agree with those of numbers") {
    for (const double scale : {1.5, 0.5, 0.1, 1.0 / 3, 0.75, 1.1, 3.14159, 7.0 / 9, 2.0 / 3, 1e-3, 0.99999, 123.456}) {
        const Inference symbolic = applied(Upsample{.scale_factor = scale}, {{"N", 3, "L"}});
        const Dim length = symbolic.outputs[0].shape[2];
        REQUIRE_FALSE(length.is_unknown());
        for (std::int64_t size = 1; size <= 3000; ++size) {
            const auto wanted = static_cast<std::int64_t>(std::floor(static_cast<double>(size) * scale));
            if (length.evaluate({{"L", size}}) == wanted) continue;
            FAIL_CHECK("scale " << scale << ", size " << size << ": " << length.to_string());
        }
    }
}

TEST_CASE("A factor that leaves nothing is refused") {
    CHECK(outcome(Upsample{.scale_factor = 0.3}, {{"N", 6, 3}}).ends_with("!shape/empty"));
    CHECK(outcome(Upsample{.scale_factor = 0.5}, {{"N", 6, "L"}}) == "[N, 6, floor(L / 2)] ~shape/symbolic");
    CHECK(outcome(Upsample{.scale_factor = 1e300}, {{"N", 6, 3}}).ends_with("!shape/limit"));
    CHECK(outcome(Upsample{.scale_factor = 1e18}, {{"N", 6, 3}}).ends_with("!shape/limit"));
}

TEST_CASE("Upsample takes one target and the options of its mode") {
    CHECK(outcome(Upsample{}, {{"N", 6, 12, 10}}) == "[N, 6, ?, ?] !spec/missing-key");
    CHECK(outcome(Upsample{.size = 4, .scale_factor = 2}, {{"N", 6, 3}}) == "[N, 6, 4] !spec/value");
    CHECK(outcome(Upsample{.scale_factor = 2, .align_corners = false}, {{"N", 6, 3}}) == "[N, 6, 6] !spec/value");
    CHECK(outcome(Upsample{.size = 4, .recompute_scale_factor = true}, {{"N", 6, 3}}) == "[N, 6, 4] !spec/value");
    CHECK(outcome(Upsample{.size = {4, 4, 4}}, {{"N", 6, 3, 3}}).ends_with("!spec/value"));
    CHECK(outcome(Upsample{.scale_factor = 2, .mode = "bicubic"}, {{"N", 6, 3, 3}}) == "[N, 6, 6, 6] !spec/value");
    CHECK(message(Upsample{.scale_factor = 2, .mode = "bicubic"}, {{"N", 6, 3, 3}}).find("bicubic") !=
          std::string::npos);
}

TEST_CASE("A mode has its rank") {
    CHECK(outcome(Upsample{.scale_factor = 2, .mode = "bilinear"}, {{"N", 6, 3}}) == "[N, 6, 6] !shape/rank");
    CHECK(fixes(Upsample{.scale_factor = 2, .mode = "bilinear"}, {{"N", 6, 3}}) == "mode = \"linear\"");
    CHECK(outcome(Upsample{.scale_factor = 2}, {{"N", 6}}) == "error !shape/rank");
    CHECK(outcome(UpsamplingNearest2d{.scale_factor = 2}, {{"N", 6, 3}}).ends_with("!shape/rank"));
    CHECK(outcome(Upsample{.scale_factor = 2, .mode = "linear"}, {{"N", 6, 3}}, DType::i32) ==
          "[N, 6, 6] !dtype/mismatch");
    CHECK(outcome(Upsample{.scale_factor = 2}, {{"N", 6, 3}}, DType::u8) == "[N, 6, 6]");
}

TEST_CASE("Forms of upsampling") {
    CHECK(ops::upsample_form(UpsamplingBilinear2d{.scale_factor = 2})->align_corners);
    CHECK(ops::upsample_form(UpsamplingBilinear2d{.scale_factor = 2})->scales[1] == 2.0);
    CHECK_FALSE(ops::upsample_form(UpsamplingNearest2d{.size = 2})->scales[0]);
    CHECK_FALSE(ops::upsample_form(Upsample{.scale_factor = 2, .recompute_scale_factor = true})->scales[0]);
    CHECK(ops::upsample_form(Upsample{.scale_factor = {2, 3}})->scales[1] == 3.0);
    CHECK_FALSE(ops::upsample_form(ChannelShuffle{}));
}

TEST_CASE("Pixel shuffles trade channels for pixels") {
    CHECK(outcome(PixelShuffle{2}, {{"N", 12, 12, 10}}) == "[N, 3, 24, 20]");
    CHECK(outcome(PixelShuffle{2}, {{12, "H", "W"}}) == "[3, 2 * H, 2 * W]");
    CHECK(outcome(PixelUnshuffle{2}, {{"N", 6, 12, 8}}) == "[N, 24, 6, 4]");
    CHECK(outcome(ChannelShuffle{3}, {{"N", 12, 12, 10}}) == "[N, 12, 12, 10]");
    CHECK(formula(PixelShuffle{2}, {{"N", 12, 12, 10}}, 1) == "12 / 2²");
}

TEST_CASE("Shuffles refuse what does not divide") {
    const Inference shuffle = applied(PixelShuffle{2}, {{"N", 10, 12, 10}});
    REQUIRE(shuffle.faults.size() == 1);
    CHECK(shuffle.faults[0].code == "shape/in-channels");
    CHECK(shuffle.faults[0].message == "takes a number of channels that 4 divides, but gets 10 in [N, 10, 12, 10]");
    CHECK(shuffle.outputs[0].shape[1].is_unknown());
    CHECK(outcome(PixelUnshuffle{2}, {{"N", 6, 12, 7}}).ends_with("!shape/reshape"));
    CHECK(outcome(PixelUnshuffle{2}, {{"N", 6, "H", 8}}) == "[N, 24, floor(H / 2), 4] ?shape/symbolic");
    CHECK(outcome(PixelUnshuffle{2}, {{"N", 6, 11, 7}}) == "[N, 24, ?, ?] !shape/reshape");
    CHECK(outcome(PixelUnshuffle{2}, {{"N", 6, "H", "H"}}) == "[N, 24, floor(H / 2), floor(H / 2)] ?shape/symbolic");
    CHECK(outcome(ChannelShuffle{5}, {{"N", 12, 12, 10}}) == "[N, 12, 12, 10] !shape/groups");
    CHECK(outcome(PixelShuffle{2}, {{12, 10}}) == "error !shape/rank");
    CHECK(outcome(ChannelShuffle{2}, {{12, 10}}) == "[12, 10] !shape/rank");
}

TEST_CASE("Embedding takes integers and gives rows") {
    const Embedding layer{.num_embeddings = 10, .embedding_dim = 6};
    const Inference inference = applied(layer, {{"N", 9}}, DType::i64);
    CHECK(outcome(inference) == "[N, 9, 6]");
    CHECK(inference.outputs[0].dtype == DType::f32);
    REQUIRE(inference.parameters.size() == 1);
    CHECK(inference.parameters[0].name == "weight");
    CHECK(inference.parameters[0].type.shape == Shape{10, 6});
    CHECK(outcome(layer, {Shape{}}, DType::i32) == "[6]");
}

TEST_CASE("Embedding refuses other dtypes and what it cannot do") {
    CHECK(outcome(Embedding{.num_embeddings = 10, .embedding_dim = 6}, {{"N", 9}}) == "[N, 9, 6] !dtype/mismatch");
    CHECK(outcome(Embedding{.num_embeddings = 10, .embedding_dim = 6, .max_norm = 1.0}, {{9}}, DType::i64) ==
          "[9, 6] !spec/value");
    CHECK(outcome(Embedding{.num_embeddings = 10, .embedding_dim = 6, .padding_idx = 10}, {{9}}, DType::i64) ==
          "[9, 6] !spec/value");
    CHECK(outcome(Embedding{.num_embeddings = 10, .embedding_dim = 6, .padding_idx = -10}, {{9}}, DType::i64) ==
          "[9, 6]");
    CHECK(outcome(Embedding{.num_embeddings = 10, .embedding_dim = 6}, {{1, 1, 1, 1, 1, 1, 1, 1}}, DType::i64) ==
          "error !shape/rank");
}
