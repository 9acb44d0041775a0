#include "tests/passes/random_net.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include "graph/infer.hpp"
#include "graph/op_table.hpp"

using namespace seq;

namespace {

class Generator {
   public:
    Generator(std::mt19937& random, bool symbolic) : random_(random) {
        register_builtin_ops();
        const Dim height = symbolic ? Dim("H") : Dim(pick(5, 9));
        if (symbolic) graph_.ranges["H"] = {5, 9, 1};
        graph_.bounded_symbols.insert("H");
        values_.push_back(graph_.add_input("x", {DType::f32, {"N", pick(2, 4), height, pick(5, 9)}, false}));
    }

    Graph run() {
        const int steps = pick(4, 14);
        for (int i = 0; i < steps; ++i) step();
        std::vector<Value*> outputs{values_.back()};
        if (pick(0, 2) == 0) outputs.push_back(any_value());
        std::vector<std::string> names;
        for (std::size_t i = 0; i < outputs.size(); ++i) names.push_back("out" + std::to_string(i));
        graph_.set_outputs(std::move(outputs), std::move(names));
        return std::move(graph_);
    }

   private:
    int pick(int first, int last) { return std::uniform_int_distribution<int>(first, last)(random_); }
    bool chance(int percent) { return pick(1, 100) <= percent; }
    template <class T>
    const T& one_of(const std::vector<T>& list) {
        return list[static_cast<std::size_t>(pick(0, static_cast<int>(list.size()) - 1))];
    }

    Value* any_value() { return one_of(values_); }
    /// Mostly the last one, so that chains come about.
    Value* some_value() { return chance(80) ? values_.back() : any_value(); }

    /// Adds the op where its rule takes these inputs.
    bool try_add(const std::string& type, const std::vector<std::pair<std::string, FieldValue>>& fields,
                 std::vector<Value*> inputs) {
        Op op(*OpTable::instance().find(type));
        for (const auto& [name, value] : fields) op.set(*op.type().find_field(name), value);
        std::vector<TensorType> types;
        for (const Value* input : inputs) types.push_back(input->type);
        const Inference inference = infer(op, types, {graph_.ranges, graph_.bounded_symbols});
        for (const Fault& fault : inference.faults) {
            if (fault.severity == Severity::error || fault.condition) return false;
        }
        const std::string name = "l" + std::to_string(graph_.layers.size());
        graph_.layers.push_back({name, type, {}});
        NodeSpec spec{.op = op, .inputs = std::move(inputs), .parameter_prefix = name, .name = name};
        spec.origins = {static_cast<LayerId>(graph_.layers.size() - 1)};
        const Node* node = graph_.add(std::move(spec));
        values_.insert(values_.end(), node->outputs.begin(), node->outputs.end());
        return true;
    }

    std::int64_t channels_of(const Value* value) const {
        const Shape& shape = value->type.shape;
        return shape.rank() > 1 && shape[1].is_constant() ? shape[1].value() : 1;
    }

    void step() {
        Value* x = some_value();
        const int rank = x->type.shape.rank();
        switch (pick(0, 11)) {
            case 0:
            case 1: convolution(x, rank - 2); return;
            case 2: try_add("BatchNorm" + dims(rank), {{"affine", chance(80)}}, {x}); return;
            case 3:
            case 4:
                try_add(one_of<std::string>({"ReLU", "Tanh", "GELU", "LeakyReLU", "Sigmoid", "Hardtanh", "PReLU"}), {},
                        {x});
                return;
            case 5: view(x, rank); return;
            case 6: number(x); return;
            case 7: pad(x, rank); return;
            case 8: try_add("Linear", {{"out_features", std::int64_t{pick(2, 5)}}, {"bias", chance(60)}}, {x}); return;
            case 9: two_inputs(x); return;
            case 10: pool(x, rank); return;
            default: identity(x); return;
        }
    }

    static std::string dims(int rank) { return std::to_string(std::max(1, std::min(3, rank - 2))) + "d"; }

    void convolution(Value* x, int spatial) {
        if (spatial < 1 || spatial > 3) return;
        const std::int64_t channels = channels_of(x);
        const std::int64_t groups = chance(30) && channels % 2 == 0 ? 2 : 1;
        std::vector<std::pair<std::string, FieldValue>> fields{{"out_channels", groups * pick(1, 3)},
                                                               {"kernel_size", std::int64_t{pick(1, 3)}},
                                                               {"padding", std::int64_t{pick(0, 1)}},
                                                               {"groups", groups},
                                                               {"bias", chance(60)}};
        const bool transposed = chance(20);
        if (!transposed && chance(20)) fields.emplace_back("padding_mode", std::string("circular"));
        if (chance(30) && !transposed) fields[0].second = channels;
        try_add((transposed ? "ConvTranspose" : "Conv") + std::to_string(spatial) + "d", fields, {x});
    }

    void view(Value* x, int rank) {
        switch (pick(0, 4)) {
            case 0: try_add("Flatten", {{"start_dim", std::int64_t{pick(1, 2)}}}, {x}); return;
            case 1: try_add("Unsqueeze", {{"dim", std::int64_t{pick(0, rank)}}}, {x}); return;
            case 2:
                try_add("Squeeze", {{"dim", std::vector<std::int64_t>{pick(0, std::max(0, rank - 1))}}}, {x});
                return;
            case 3:
                try_add("Transpose", {{"dim0", std::int64_t{pick(1, 3)}}, {"dim1", std::int64_t{pick(1, 3)}}}, {x});
                return;
            default: {
                std::vector<std::int64_t> order(static_cast<std::size_t>(rank));
                for (int i = 0; i < rank; ++i) order[static_cast<std::size_t>(i)] = i;
                if (rank > 0) std::shuffle(order.begin() + 1, order.end(), random_);
                if (rank > 1) try_add("Permute", {{"dims", order}}, {x});
            }
        }
    }

    void number(Value* x) {
        const double number = std::vector<double>{0.5, 2, -1.5, 1, 3}[static_cast<std::size_t>(pick(0, 4))];
        try_add(one_of<std::string>({"Add", "Sub", "Mul", "Div"}), {{"other", number}}, {x});
    }

    void pad(Value* x, int rank) {
        const auto amount = [&] { return std::int64_t{pick(0, 1)}; };
        std::vector<std::int64_t> amounts{amount(), amount()};
        if (chance(60)) amounts[1] = amounts[0];
        if (rank < 3) return;
        try_add(chance(70) ? "ZeroPad1d" : "ConstantPad1d", {{"padding", amounts}}, {x});
    }

    void two_inputs(Value* x) {
        for (int i = 0; i < 10; ++i) {
            Value* y = any_value();
            if (!(y->type.shape == x->type.shape) && chance(50)) continue;
            const std::string type = one_of<std::string>({"Add", "Add", "Mul", "Sub", "Concat"});
            if (try_add(type, {}, chance(50) ? std::vector<Value*>{x, y} : std::vector<Value*>{y, x})) return;
        }
    }

    void pool(Value* x, int rank) {
        const std::string type = (chance(50) ? "MaxPool" : "AvgPool") + dims(rank);
        try_add(type,
                {{"kernel_size", std::int64_t{pick(1, 3)}},
                 {"stride", std::int64_t{pick(1, 2)}},
                 {"padding", std::int64_t{0}}},
                {x});
    }

    void identity(Value* x) {
        if (chance(70)) {
            try_add(one_of<std::string>({"Dropout", "Identity"}), {}, {x});
        } else {
            try_add("Softmax", {{"dim", std::int64_t{1}}}, {x});
        }
    }

    std::mt19937& random_;
    Graph graph_;
    std::vector<Value*> values_;
};

}  // namespace

Graph random_net(std::mt19937& random, bool symbolic) { return Generator(random, symbolic).run(); }
