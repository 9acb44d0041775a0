// The worker of tools/peers for RTNeural, whose networks are types: the MLPs of the board, written out here.
//
//     rtneural_worker mlp|mlp_small WEIGHTS.safetensors X.npy

#include <fmt/format.h>
#include <RTNeural/RTNeural.h>

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <memory>
#include <seq/seq.hpp>
#include <stdexcept>
#include <string>
#include <vector>

#include "tools/peers_board/worker.hpp"

namespace {

template <int inputs, int outputs>
using Dense = RTNeural::DenseT<float, inputs, outputs>;
template <int size>
using ReLU = RTNeural::ReLuActivationT<float, size>;
using Mlp = RTNeural::ModelT<float, 784, 10, Dense<784, 512>, ReLU<512>, Dense<512, 256>, ReLU<256>, Dense<256, 10>>;
using SmallMlp = RTNeural::ModelT<float, 10, 2, Dense<10, 50>, ReLU<50>, Dense<50, 2>>;

/// The linear layer that is `index`th in an nn.Sequential, from PyTorch's [outputs, inputs] and [outputs].
template <class Layer>
void set_dense(Layer& layer, const seq::WeightSource& weights, int index) {
    const auto read = [&](const std::string& name) {
        const seq::WeightSource::Entry* entry = weights.find(name);
        if (entry == nullptr || entry->dtype != seq::DType::f32) throw std::runtime_error("there is no f32 " + name);
        seq::Tensor tensor(entry->dtype, entry->sizes);
        weights.read(*entry, {tensor.view().as<std::byte>(), tensor.byte_count()});
        return tensor;
    };
    const seq::Tensor weight = read(fmt::format("{}.weight", index));
    const seq::Tensor bias = read(fmt::format("{}.bias", index));
    std::vector<std::vector<float>> rows;
    const float* row = weight.view().as<float>();
    for (int i = 0; i < Layer::out_size; ++i, row += Layer::in_size) rows.emplace_back(row, row + Layer::in_size);
    layer.setWeights(rows);
    layer.setBias(bias.view().as<float>());
}

void set_weights(Mlp& model, const seq::WeightSource& weights) {
    set_dense(model.get<0>(), weights, 0);
    set_dense(model.get<2>(), weights, 2);
    set_dense(model.get<4>(), weights, 4);
}

void set_weights(SmallMlp& model, const seq::WeightSource& weights) {
    set_dense(model.get<0>(), weights, 0);
    set_dense(model.get<2>(), weights, 2);
}

template <class Model, int outputs>
class Net {
   public:
    Net(const std::string& weights, const std::string& x)
        : model_(std::make_unique<Model>()), x_(seq::read_npy(x)), y_(seq::DType::f32, {1, outputs}) {
        set_weights(*model_, *seq::load_weights(weights));
        model_->reset();
    }

    void run() { model_->forward(x_.view().as<float>()); }
    const seq::Tensor& answer() {
        std::copy_n(model_->getOutputs(), outputs, y_.view().as<float>());
        return y_;
    }
    void save(const std::string&) const { throw std::runtime_error("RTNeural compiles no plans"); }

   private:
    std::unique_ptr<Model> model_;
    seq::Tensor x_;
    seq::Tensor y_;
};

}  // namespace

int main(int argc, char** argv) {
    const std::string name = argc > 1 ? argv[1] : "";
    if (argc != 4 || (name != "mlp" && name != "mlp_small")) {
        fmt::print(stderr, "usage: rtneural_worker mlp|mlp_small WEIGHTS.safetensors X.npy\n");
        return 2;
    }
    if (name == "mlp") return peers::work("rtneural_worker", [&] { return Net<Mlp, 10>(argv[2], argv[3]); });
    return peers::work("rtneural_worker", [&] { return Net<SmallMlp, 2>(argv[2], argv[3]); });
}
