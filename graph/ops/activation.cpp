#include "graph/ops/activation.hpp"

#include <fmt/format.h>

#include "graph/ops/declared_shape.hpp"

namespace seq::ops {
namespace {

template <class T>
void declare_inplace(FieldTable<T>& table) {
    table.add("inplace", &T::inplace).doc("without effect: the memory plan decides");
}

}  // namespace

void ReLU::declare(FieldTable<ReLU>& table) { declare_inplace(table); }

void ReLU6::declare(FieldTable<ReLU6>& table) { declare_inplace(table); }

void LeakyReLU::declare(FieldTable<LeakyReLU>& table) {
    table.add("negative_slope", &LeakyReLU::negative_slope).doc("slope below 0");
    declare_inplace(table);
}

void RReLU::declare(FieldTable<RReLU>& table) {
    table.add("lower", &RReLU::lower).doc("least slope in training");
    table.add("upper", &RReLU::upper).doc("largest slope in training");
    declare_inplace(table);
}

void ELU::declare(FieldTable<ELU>& table) {
    table.add("alpha", &ELU::alpha).doc("limit below 0, negated");
    declare_inplace(table);
}

void CELU::declare(FieldTable<CELU>& table) {
    table.add("alpha", &CELU::alpha).doc("limit below 0, negated; not 0");
    declare_inplace(table);
}

void SELU::declare(FieldTable<SELU>& table) { declare_inplace(table); }

void GELU::declare(FieldTable<GELU>& table) {
    table.add("approximate", &GELU::approximate).one_of({"none", "tanh"}).doc("\"tanh\" for the approximation");
}

void SiLU::declare(FieldTable<SiLU>& table) { declare_inplace(table); }

void Mish::declare(FieldTable<Mish>& table) { declare_inplace(table); }

void Hardsigmoid::declare(FieldTable<Hardsigmoid>& table) { declare_inplace(table); }

void Hardswish::declare(FieldTable<Hardswish>& table) { declare_inplace(table); }

void Hardtanh::declare(FieldTable<Hardtanh>& table) {
    table.add("min_val", &Hardtanh::min_val).doc("least output");
    table.add("max_val", &Hardtanh::max_val).doc("largest output, above min_val");
    declare_inplace(table);
}

void Hardshrink::declare(FieldTable<Hardshrink>& table) {
    table.add("lambd", &Hardshrink::lambd).doc("the range around 0 that gives 0");
}

void Softshrink::declare(FieldTable<Softshrink>& table) {
    table.add("lambd", &Softshrink::lambd).at_least(0).doc("how far the input is drawn to 0");
}

void Softplus::declare(FieldTable<Softplus>& table) {
    table.add("beta", &Softplus::beta).doc("sharpness; not 0");
    table.add("threshold", &Softplus::threshold).doc("above it the function is linear");
}

void Threshold::declare(FieldTable<Threshold>& table) {
    table.add("threshold", &Threshold::threshold).required().doc("the input must be above it");
    table.add("value", &Threshold::value).required().doc("the output elsewhere");
    declare_inplace(table);
}

namespace {

void refuse_zero(InferContext& context, double value, std::string_view field) {
    if (value != 0) return;
    Fault& fault = context.fault("spec/value", fmt::format("takes any {} but 0", field), field);
    fault.expected = "not 0";
    fault.actual = "0";
}

}  // namespace

void CELU::infer(InferContext& context) {
    refuse_zero(context, alpha, "alpha");
    infer_same_shape(context);
}

void Softplus::infer(InferContext& context) {
    refuse_zero(context, beta, "beta");
    infer_same_shape(context);
}

void Hardtanh::infer(InferContext& context) {
    if (min_val >= max_val) {
        Fault& fault = context.fault("spec/value",
                                     fmt::format("takes a max_val above its min_val {}, but gets {}", min_val, max_val),
                                     "max_val");
        fault.expected = fmt::format("above {}", min_val);
        fault.actual = fmt::format("{}", max_val);
    }
    infer_same_shape(context);
}

void PReLU::declare(FieldTable<PReLU>& table) {
    table.add("num_parameters", &PReLU::num_parameters).at_least(1).doc("1, or one for each channel");
    table.add("init", &PReLU::init).doc("the slope that training starts with");
}

void PReLU::infer(InferContext& context) {
    const DType dtype = require_float_type(context);
    if (num_parameters == 1) {
        context.output(dtype, context.shape());
    } else {
        if (!require_min_rank(context, 2)) return;
        std::optional<std::int64_t> declared = num_parameters;
        infer_channelwise(context, declared, "num_parameters", dtype);
    }
    context.parameter("weight", {Dim(num_parameters)}, dtype);
}

void GLU::declare(FieldTable<GLU>& table) { table.add("dim", &GLU::dim).doc("the dimension that is halved"); }

void GLU::infer(InferContext& context) {
    if (!require_min_rank(context, 1)) return;
    const DType dtype = require_float_type(context);
    const Shape& shape = context.shape();
    const auto axis = context.normalize_dim(dim, shape.rank());
    if (!axis) {
        const Dim& last = shape[-1];
        if (last.is_constant() && last.value() % 2 == 0)
            context.faults().back().fixes.push_back(set_field("dim", std::int64_t{-1}));
        return;
    }
    const Dim& size = shape[*axis];
    Fault fault;
    fault.code = "spec/value";
    fault.message = fmt::format("halves dimension {}, which must be even, but gets {}", *axis, shape.to_string());
    fault.field = "dim";
    fault.dim = *axis;
    fault.expected = "an even size";
    fault.actual = size.to_string(DimStyle::pretty);
    const bool even = context.require({size, Condition::Relation::divisible, 2}, std::move(fault));
    Shape result = shape;
    result[*axis] = even ? floor_div(size, 2) : Dim::unknown();
    if (context.explaining()) context.explain(*axis, operand_text(size) + " / 2");
    context.output(dtype, std::move(result));
}

}  // namespace seq::ops
