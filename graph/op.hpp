#pragma once

#include <concepts>
#include <functional>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <typeinfo>
#include <vector>

#include "graph/diagnostic.hpp"
#include "graph/field.hpp"
#include "graph/shape.hpp"

namespace seq {

/// A parameter that an op asks for, named as PyTorch's state_dict names it within the layer.
struct ParameterSpec {
    std::string name;
    TensorType type;
};

/// Symbols whose range the user gave: a condition that fails inside it is an error.
using BoundedSymbols = std::set<std::string, std::less<>>;

/// What a shape rule sees and says. One context serves one application of one op.
class InferContext {
   public:
    /// `bounded`: the symbols whose range the user gave.
    InferContext(std::span<const TensorType> inputs, const SymbolRanges& ranges, const BoundedSymbols& bounded,
                 bool explaining = false)
        : inputs_(inputs), ranges_(ranges), bounded_(bounded), explaining_(explaining) {}

    int input_count() const { return static_cast<int>(inputs_.size()); }
    const TensorType& input(int i = 0) const { return inputs_[static_cast<std::size_t>(i)]; }
    const Shape& shape(int i = 0) const { return input(i).shape; }

    void output(TensorType type) { outputs_.push_back(std::move(type)); }
    void output(DType dtype, Shape shape) { outputs_.push_back({dtype, std::move(shape), false}); }
    /// The other reading of output 0 after a fault that either side may have caused: a norm that takes 16 channels
    /// and gets 23 gives 23 by its input and 16 by its declaration. What follows decides which one is meant.
    void alternative_output(TensorType type) { alternative_ = std::move(type); }
    void parameter(std::string name, Shape shape, DType dtype = DType::f32);

    /// Reports a fault. The rule goes on and gives the output that it would have if the layer had been declared
    /// right; where it cannot, it gives none, and the core gives the error type.
    Fault& fault(std::string_view code, std::string message, std::string_view field = {});

    /// Decides `condition` over the symbols' ranges. Where it does not hold always, `fault` is reported as what it
    /// is (constants), or as shape/symbolic (error, warning or note); where it cannot be decided that is a warning.
    /// Conditions that hold for some values are checked when values are bound.
    /// Returns false only where it certainly fails.
    bool require(Condition condition, Fault fault);
    bool require_equal(const Dim& a, const Dim& b, Fault fault) {
        return a == b || require({a, Condition::Relation::eq, b}, std::move(fault));
    }
    /// Refuses with shape/rank unless input `i` has one of these ranks.
    bool require_rank(int i, std::initializer_list<int> ranks, std::string_view meaning = {});
    /// Refuses with dtype/mismatch unless input `i` is a float type.
    bool require_float(int i = 0);
    /// Where input `i` must be of input 0's dtype.
    bool require_same_dtype(int i);
    /// Refuses with spec/value unless -rank <= dim < rank; the dimension counted from the front otherwise.
    std::optional<int> normalize_dim(std::int64_t dim, int rank, std::string_view field = "dim");
    /// Refuses with shape/empty where an output size is not at least 1. `formula` says how the size came to be.
    bool require_positive(const Dim& size, std::string_view what, const std::string& formula);

    /// Whether somebody asks how the output's numbers came to be; only then is `explain` worth calling.
    bool explaining() const { return explaining_; }
    /// How dimension `dim` of the output came to be: "512 · 14 · 14", "(224 + 2·1 - 3) / 2 + 1".
    void explain(int dim, std::string formula) { formulas_.emplace_back(dim, std::move(formula)); }

    const SymbolRanges& ranges() const { return ranges_; }

    // What was said, for the core.
    std::vector<TensorType>& outputs() { return outputs_; }
    std::vector<ParameterSpec>& parameters() { return parameters_; }
    std::vector<Fault>& faults() { return faults_; }
    std::vector<std::pair<int, std::string>>& formulas() { return formulas_; }
    /// Conditions that hold for some values of the symbols only; checked again at binding.
    std::vector<Condition>& conditions() { return conditions_; }
    const std::optional<TensorType>& alternative() const { return alternative_; }

   private:
    std::span<const TensorType> inputs_;
    const SymbolRanges& ranges_;
    const BoundedSymbols& bounded_;
    bool explaining_;
    std::vector<TensorType> outputs_;
    std::vector<ParameterSpec> parameters_;
    std::vector<Fault> faults_;
    std::vector<std::pair<int, std::string>> formulas_;
    std::vector<Condition> conditions_;
    std::optional<TensorType> alternative_;
};

/// How many values an op takes; `max` -1: any number.
struct Arity {
    int min = 1;
    int max = 1;
};

/// What passes and planning need to know of an op without knowing the op.
struct OpTraits {
    bool elementwise = false;            ///< output i depends on input i alone; same shape
    bool identity_at_inference = false;  ///< Dropout and its kin, Identity
    bool view = false;                   ///< the same elements in the same order under another shape
    bool commutative = false;            ///< all inputs may trade places
    bool broadcasts = false;             ///< inputs broadcast by PyTorch's rules
};

struct OpType;

/// An op and its fields, type-erased. Concrete ops are plain structs (graph/ops); see OpStruct.
class OpModel {
   public:
    virtual ~OpModel() = default;
    virtual const OpType& type() const = 0;
    virtual void* fields() = 0;
    virtual const void* fields() const = 0;
    virtual std::unique_ptr<OpModel> clone() const = 0;
    virtual void infer(InferContext& context) = 0;
    virtual Dim macs(std::span<const TensorType> inputs, std::span<const TensorType> outputs) const = 0;
    virtual int output_count() const = 0;
};

/// One row of the op table.
struct OpType {
    std::string name;
    std::string doc;
    Arity arity;
    OpTraits traits;
    std::vector<Field> fields;
    std::unique_ptr<OpModel> (*make)() = nullptr;

    const Field* find_field(std::string_view name) const;
};

/// What a struct needs to be an op: `name`, `declare`, `infer`; `doc`, `arity`, `traits`, `macs` and `output_count`
/// where the defaults do not fit. Rules resolve inferred fields in place, so that a second inference gives the same.
template <class T>
concept OpStruct = std::default_initializable<T> && std::copyable<T> &&
    requires(T op, InferContext& context, FieldTable<T>& table) {
    { T::name } -> std::convertible_to<std::string_view>;
    T::declare(table);
    op.infer(context);
};

/// The row of op T; adds it to the table on first use.
template <OpStruct T>
const OpType& op_type();

/// A value-semantic handle on an op with its fields; copies share until changed.
class Op {
   public:
    Op() = default;
    template <OpStruct T>
    Op(T op);
    explicit Op(std::unique_ptr<OpModel> model) : model_(std::move(model)) {}
    /// A default-constructed op of that type.
    explicit Op(const OpType& type) : model_(type.make()) {}

    explicit operator bool() const { return model_ != nullptr; }
    const OpType& type() const { return model_->type(); }
    const std::string& name() const { return type().name; }
    const OpTraits& traits() const { return type().traits; }

    template <OpStruct T>
    const T* as() const {
        return model_ && &type() == &op_type<T>() ? static_cast<const T*>(model_->fields()) : nullptr;
    }
    template <OpStruct T>
    bool is() const {
        return as<T>() != nullptr;
    }

    FieldValue get(const Field& field) const { return field.get(model_->fields()); }
    /// The value must have passed `field.check`.
    void set(const Field& field, const FieldValue& value);
    /// Runs the shape rule on this op, resolving inferred fields.
    void infer(InferContext& context);
    /// Multiply-accumulates of one application.
    Dim macs(std::span<const TensorType> inputs, std::span<const TensorType> outputs) const {
        return model_->macs(inputs, outputs);
    }

    /// How many values the op gives; known from its fields alone.
    int output_count() const { return model_->output_count(); }

    /// The same type and the same fields.
    bool operator==(const Op& other) const;

   private:
    void make_unique();
    std::shared_ptr<OpModel> model_;
};

/// All op types, built-in ones and those that users register. Lookups are thread-safe.
class OpTable {
   public:
    static OpTable& instance();
    /// Makes `table` the instance of this library, one that a program opens and that has a table of its own until then.
    /// Throws std::logic_error where there are ops in that already.
    static void adopt(OpTable& table);

    /// nullptr where there is none of that name.
    const OpType* find(std::string_view name) const;
    /// In order of registration.
    std::vector<const OpType*> all() const;
    /// The row that the op has already where it was added before, by another library. Throws seq::Error
    /// (spec/duplicate-name) where another op has that name.
    const OpType& add(std::unique_ptr<OpType> type);

   private:
    struct Rows;
    OpTable();
    ~OpTable();
    static OpTable*& adopted();
    std::unique_ptr<Rows> rows_;
};

/// Makes a user's own op known to the JSON reader, the schema, the text form and the builders.
template <OpStruct T>
void register_op() {
    op_type<T>();
}

// ---- implementation ----

namespace detail {

template <OpStruct T>
struct OpModelOf final : OpModel {
    OpModelOf() = default;
    explicit OpModelOf(T value) : op(std::move(value)) {}
    const OpType& type() const override { return op_type<T>(); }
    void* fields() override { return &op; }
    const void* fields() const override { return &op; }
    std::unique_ptr<OpModel> clone() const override { return std::make_unique<OpModelOf>(op); }
    void infer(InferContext& context) override { op.infer(context); }
    int output_count() const override {
        if constexpr (requires { op.output_count(); }) {
            return op.output_count();
        } else {
            return 1;
        }
    }
    Dim macs([[maybe_unused]] std::span<const TensorType> inputs,
             [[maybe_unused]] std::span<const TensorType> outputs) const override {
        if constexpr (requires { op.macs(inputs, outputs); }) {
            return op.macs(inputs, outputs);
        } else {
            return 0;
        }
    }
    T op{};
};

template <OpStruct T>
std::unique_ptr<OpType> make_op_type() {
    auto type = std::make_unique<OpType>();
    type->name = T::name;
    if constexpr (requires { T::doc; }) type->doc = T::doc;
    if constexpr (requires { T::arity; }) type->arity = T::arity;
    if constexpr (requires { T::traits; }) type->traits = T::traits;
    FieldTable<T> table;
    T::declare(table);
    type->fields = table.take();
    type->make = []() -> std::unique_ptr<OpModel> { return std::make_unique<OpModelOf<T>>(); };
    return type;
}

}  // namespace detail

template <OpStruct T>
const OpType& op_type() {
    static const OpType& type = OpTable::instance().add(detail::make_op_type<T>());
    return type;
}

template <OpStruct T>
Op::Op(T op) : model_(std::make_shared<detail::OpModelOf<T>>(std::move(op))) {}

}  // namespace seq
