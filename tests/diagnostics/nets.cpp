#include "tests/diagnostics/nets.hpp"

namespace seq::test {
namespace {

Json conv(const std::string& name, int in, int out, int kernel = 3, int padding = 1) {
    return {{"type", "Conv2d"},    {"name", name},          {"in_channels", in},
            {"out_channels", out}, {"kernel_size", kernel}, {"padding", padding}};
}
Json linear(const std::string& name, int in, int out) {
    return {{"type", "Linear"}, {"name", name}, {"in_features", in}, {"out_features", out}};
}
Json norm(const std::string& type, const std::string& name, int channels) {
    return {{"type", type}, {"name", name}, {"num_features", channels}};
}
Json plain(const std::string& type, const std::string& name) { return {{"type", type}, {"name", name}}; }
Json pool(const std::string& type, const std::string& name, int kernel) {
    return {{"type", type}, {"name", name}, {"kernel_size", kernel}};
}
Json from(Json layer, Json names) {
    layer["from"] = std::move(names);
    return layer;
}

void add_head(Json& layers, int features) {
    layers.push_back({{"type", "AdaptiveAvgPool2d"}, {"name", "gap"}, {"output_size", 1}});
    layers.push_back(plain("Flatten", "flat"));
    layers.push_back(linear("fc", features, 10));
}

Json net(Json shape, Json layers) {
    return {{"seq", 1}, {"inputs", {{"x", {{"shape", std::move(shape)}}}}}, {"layers", std::move(layers)}};
}

Json mlp(Random& random) {
    int width = pick<int>(random, {12, 20, 33});
    Json shape{"N", width};
    Json layers = Json::array();
    for (int i = 0, depth = 2 + below(random, 4); i < depth; ++i) {
        const int next = pick<int>(random, {10, 16, 24, 48, 64});
        layers.push_back(linear("fc" + std::to_string(i), width, next));
        const std::string kind = pick<std::string>(random, {"LayerNorm", "RMSNorm", "BatchNorm1d"});
        if (kind == "BatchNorm1d") {
            layers.push_back(norm(kind, "norm" + std::to_string(i), next));
        } else {
            layers.push_back({{"type", kind}, {"name", "norm" + std::to_string(i)}, {"normalized_shape", next}});
        }
        layers.push_back(plain(pick<std::string>(random, {"ReLU", "Tanh", "Sigmoid"}), "act" + std::to_string(i)));
        width = next;
    }
    return net(shape, layers);
}

Json vgg(Random& random) {
    const int side = pick<int>(random, {24, 28, 32});
    int channels = 3;
    int size = side;
    Json features = Json::array();
    for (int i = 0; i < 2; ++i) {
        const std::string n = std::to_string(i);
        const int next = pick<int>(random, {8, 12, 17});
        features.push_back(conv("conv" + n + "a", channels, next));
        features.push_back(norm("BatchNorm2d", "bn" + n, next));
        features.push_back(plain("ReLU", "relu" + n + "a"));
        features.push_back(conv("conv" + n + "b", next, next));
        features.push_back(plain("ReLU", "relu" + n + "b"));
        features.push_back(pool("MaxPool2d", "pool" + n, 2));
        channels = next;
        size /= 2;
    }
    Json head = {plain("Flatten", "flat"), linear("fc0", channels * size * size, 48), plain("ReLU", "relu_fc"),
                 linear("fc1", 48, 10)};
    const Json shape{"N", 3, side, side};
    if (below(random, 2) == 0) {
        return net(shape, {{{"type", "Sequential"}, {"name", "features"}, {"layers", features}},
                           {{"type", "Sequential"}, {"name", "head"}, {"layers", head}}});
    }
    for (Json& layer : head) features.push_back(std::move(layer));
    return net(shape, features);
}

Json residual(Random& random) {
    const int width = pick<int>(random, {8, 16, 21});
    Json layers = {conv("stem", 3, width)};
    std::string previous = "stem";
    for (int i = 0, blocks = 1 + below(random, 3); i < blocks; ++i) {
        const std::string n = std::to_string(i);
        layers.push_back(from(conv("a" + n, width, width), previous));
        layers.push_back(norm("BatchNorm2d", "n" + n, width));
        layers.push_back(plain("ReLU", "r" + n));
        layers.push_back(conv("b" + n, width, width));
        layers.push_back(from(plain("Add", "s" + n), {"b" + n, previous}));
        previous = "s" + n;
    }
    add_head(layers, width);
    return net({"N", 3, 16, 16}, layers);
}

Json branches(Random& random) {
    const int in = pick<int>(random, {3, 6});
    const int p = pick<int>(random, {8, 10});
    const int q = pick<int>(random, {4, 5});
    Json average = pool("AvgPool2d", "r", 3);
    average["stride"] = 1;
    average["padding"] = 1;
    Json layers = {from(conv("p", in, p), "x"),
                   from(conv("q", in, q, 1, 0), "x"),
                   from(average, "x"),
                   from({{"type", "Concat"}, {"name", "joined"}, {"dim", 1}}, {"p", "q", "r"}),
                   norm("BatchNorm2d", "bn", p + q + in),
                   plain("ReLU", "relu"),
                   conv("mixed", p + q + in, 10, 1, 0)};
    add_head(layers, 10);
    return net({"N", in, 20, 20}, layers);
}

Json sequence(Random& random) {
    const int width = pick<int>(random, {16, 24});
    const auto conv1d = [](const std::string& name, int in, int out, int kernel) {
        return Json{
            {"type", "Conv1d"}, {"name", name}, {"in_channels", in}, {"out_channels", out}, {"kernel_size", kernel}};
    };
    return net({"N", 4, 64}, {conv1d("c0", 4, width, 5), plain("ReLU", "r0"), pool("MaxPool1d", "p0", 2),
                              conv1d("c1", width, 24, 3), norm("BatchNorm1d", "b1", 24), plain("ReLU", "r1"),
                              conv1d("c2", 24, 8, 3), plain("Flatten", "flat"), linear("fc", 8 * 26, 6)});
}

Json u_net(Random& random) {
    const int width = pick<int>(random, {6, 8});
    Json up{{"type", "ConvTranspose2d"}, {"name", "up"},     {"in_channels", 2 * width},
            {"out_channels", width},     {"kernel_size", 2}, {"stride", 2}};
    return net({"N", 1, 24, 24}, {conv("down0", 1, width), plain("ReLU", "act0"), pool("MaxPool2d", "pool", 2),
                                  conv("down1", width, 2 * width), plain("ReLU", "act1"), up,
                                  from(plain("Concat", "joined"), {"up", "act0"}), conv("mixed", 2 * width, width),
                                  plain("ReLU", "act2"), conv("last", width, 2, 1, 0)});
}

void walk(Json& layers, const std::string& prefix, std::vector<LayerSpot>& places) {
    for (std::size_t i = 0; i < layers.size(); ++i) {
        const std::string path = prefix + layers[i]["name"].get<std::string>();
        if (layers[i].contains("layers")) {
            walk(layers[i]["layers"], path + ".", places);
        } else {
            places.push_back({&layers, i, path});
        }
    }
}

}  // namespace

int below(Random& random, int limit) { return static_cast<int>(random() % static_cast<unsigned>(limit)); }

Json random_net(Random& random) {
    switch (below(random, 6)) {
        case 0: return mlp(random);
        case 1: return vgg(random);
        case 2: return residual(random);
        case 3: return branches(random);
        case 4: return sequence(random);
        default: return u_net(random);
    }
}

std::vector<LayerSpot> places_in(Json& net) {
    std::vector<LayerSpot> places;
    walk(net["layers"], "", places);
    return places;
}

}  // namespace seq::test
