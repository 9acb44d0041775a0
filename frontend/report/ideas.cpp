#include "frontend/report/ideas.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "frontend/report/trace.hpp"

namespace seq {
namespace {

std::optional<std::int64_t> as_integer(const std::string& text) {
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

/// Whether one number is likelier the other mistyped than its counterpart: off by one, doubled or halved.
bool is_slip(std::int64_t a, std::int64_t b) {
    const std::int64_t larger = std::max(a, b);
    const std::int64_t smaller = std::min(a, b);
    return larger - smaller <= 1 || larger / 2 == smaller;
}

/// Collects proposals for one fault.
class Proposer {
   public:
    Proposer(const LoweringView& view, LayerId id, const Fault& fault)
        : view_(view), id_(id), fault_(fault), layer_(view.layer(id)) {}

    std::vector<Proposal> run() {
        move_channels();
        for (const FixIdea& idea : fault_.fixes) add(idea);
        flatten_symbols();
        change_maker(fault_, fault_.expected);
        change_other_makers();
        swap_sizes();
        pad_branch();
        pool_before_flatten();
        return std::move(proposals_);
    }

   private:
    void add(FixIdea idea) {
        const bool inserts = idea.kind == FixIdea::Kind::insert_before || idea.kind == FixIdea::Kind::insert_after;
        proposals_.push_back({inserts ? layer_.blamed : layer_.definition, std::move(idea)});
    }

    const Shape* input_shape() const {
        const auto index = static_cast<std::size_t>(fault_.input);
        return index < layer_.inputs.size() ? &layer_.inputs[index]->type.shape : nullptr;
    }

    /// An image with its channels last, for a layer that takes them first. Channels that a layer gave stand where they
    /// belong, and of sides that are equal none is the channels.
    void move_channels() {
        const Shape* shape = input_shape();
        const auto wanted = as_integer(fault_.expected);
        if (fault_.code != "shape/in-channels" || shape == nullptr || shape->rank() < 3 || !wanted) return;
        const auto is_wanted = [&](const Dim& size) { return size == Dim(*wanted); };
        if (!is_wanted((*shape)[-1]) || std::any_of(shape->begin() + 1, shape->end() - 1, is_wanted)) return;
        if (!find_makers(view_, id_, fault_).empty()) return;
        std::vector<std::int64_t> dims{0, shape->rank() - 1};
        for (int i = 1; i + 1 < shape->rank(); ++i) dims.push_back(i);
        add({FixIdea::Kind::insert_before, "Permute", {{"dims", dims}}});
    }

    /// A picture of open size before a Linear that may take all of it.
    void flatten_symbols() {
        const Shape* shape = input_shape();
        const auto wanted = as_integer(fault_.expected);
        if (fault_.code != "shape/symbolic" || fault_.field != "in_features" || shape == nullptr || shape->rank() < 3 ||
            !wanted)
            return;
        const Verdict verdict = solve({shape->product(1), Condition::Relation::eq, *wanted}, *layer_.ranges);
        if (verdict.kind == Verdict::Kind::never) return;
        FixIdea idea{FixIdea::Kind::insert_before, "Flatten", {}};
        idea.may_be_certain = false;
        proposals_.push_back({layer_.blamed, std::move(idea)});
    }

    void change_maker(const Fault& fault, const std::string& wanted) {
        const auto value = as_integer(wanted);
        if (!fault.code.starts_with("shape/") || !value || !fault.dim) return;
        for (const Maker& maker : find_makers(view_, id_, fault)) {
            const std::int64_t size = *value - maker.others;
            if (maker.layer == id_ || maker.field->kind != FieldKind::integer || maker.field->check(size)) continue;
            proposals_.push_back(
                {view_.layer(maker.layer).definition, {FixIdea::Kind::set_field, {}, {{maker.field->name, size}}}});
        }
    }

    /// Where inputs must agree, the others could change too.
    void change_other_makers() {
        if (fault_.code != "shape/broadcast" && fault_.code != "shape/concat") return;
        constexpr std::size_t most = 4;
        const Shape* own = input_shape();
        if (own == nullptr || !fault_.dim || *fault_.dim >= own->rank()) return;
        for (std::size_t i = 0; i < std::min(layer_.inputs.size(), most); ++i) {
            if (static_cast<int>(i) == fault_.input) continue;
            Fault other = fault_;
            other.input = static_cast<int>(i);
            if (*fault_.dim >= 0) other.dim = *fault_.dim - own->rank();
            if (-*other.dim <= layer_.inputs[i]->type.shape.rank()) change_maker(other, fault_.actual);
        }
    }

    /// in_features and out_features the wrong way round.
    void swap_sizes() {
        for (const auto& [in, out] :
             {std::pair("in_features", "out_features"), std::pair("in_channels", "out_channels")}) {
            const Op& op = view_.written_op(id_);
            const Field* in_field = op.type().find_field(in);
            const Field* out_field = op.type().find_field(out);
            if (fault_.field != in || in_field == nullptr || out_field == nullptr) continue;
            const FieldValue old_in = op.get(*in_field);
            const FieldValue old_out = op.get(*out_field);
            const auto* size = std::get_if<std::int64_t>(&old_out);
            const auto* declared = std::get_if<std::int64_t>(&old_in);
            if (size == nullptr || declared == nullptr || std::to_string(*size) != fault_.actual) continue;
            if (is_slip(*declared, *size)) continue;
            add({FixIdea::Kind::set_field, {}, {{in, old_out}, {out, old_in}}});
        }
    }

    /// A branch whose convolution or pool shrinks what others keep: padding that keeps it.
    void pad_branch() {
        if ((fault_.code != "shape/broadcast" && fault_.code != "shape/concat") || !fault_.dim) return;
        constexpr std::size_t most = 4;
        for (std::size_t i = 0; i < std::min(layer_.inputs.size(), most); ++i) {
            const auto producer = view_.producer(layer_.inputs[i]);
            if (!producer || view_.layer(*producer).node == nullptr) continue;
            const Op& op = view_.written_op(*producer);
            const Field* kernel = op.type().find_field("kernel_size");
            const Field* padding = op.type().find_field("padding");
            if (kernel == nullptr || padding == nullptr) continue;
            const FieldValue size = op.get(*kernel);
            const auto* number = std::get_if<std::int64_t>(&size);
            if (number == nullptr || *number % 2 == 0 || padding->check(*number / 2)) continue;
            proposals_.push_back(
                {view_.layer(*producer).definition, {FixIdea::Kind::set_field, {}, {{"padding", *number / 2}}}});
        }
    }

    /// A pool that gives a Linear its number of features whatever the size of the picture.
    void pool_before_flatten() {
        const auto wanted = as_integer(fault_.expected);
        if (fault_.field != "in_features" || !wanted || layer_.inputs.empty()) return;
        const Value* value = layer_.inputs.front();
        for (int step = 0; step < 64; ++step) {
            const auto producer = view_.producer(value);
            if (!producer || view_.layer(*producer).node == nullptr) return;
            const LoweredLayer& maker = view_.layer(*producer);
            const Shape& given = maker.inputs.front()->type.shape;
            const int spatial = given.rank() - 2;
            if (maker.node->op.traits().view && value->type.shape.rank() == 2 && spatial >= 1 && spatial <= 3)
                return pool_before(maker, given, spatial, *wanted);
            if (!(given == value->type.shape)) return;
            value = maker.inputs.front();
        }
    }

    void pool_before(const LoweredLayer& flatten, const Shape& given, int spatial, std::int64_t wanted) {
        if (!given[1].is_constant() || given[1].value() < 1 || wanted % given[1].value() != 0) return;
        const std::int64_t cells = wanted / given[1].value();
        for (std::int64_t size = 1; size <= 4096; ++size) {
            std::int64_t product = 1;
            for (int i = 0; i < spatial && product <= cells; ++i) product *= size;
            if (product > cells) return;
            if (product != cells) continue;
            FixIdea idea{
                FixIdea::Kind::insert_before, fmt::format("AdaptiveAvgPool{}d", spatial), {{"output_size", size}}};
            idea.may_be_certain = false;
            proposals_.push_back({flatten.blamed, std::move(idea)});
            return;
        }
    }

    const LoweringView& view_;
    LayerId id_;
    const Fault& fault_;
    const LoweredLayer& layer_;
    std::vector<Proposal> proposals_;
};

}  // namespace

std::vector<Proposal> propose(const LoweringView& view, LayerId id, const Fault& fault) {
    return Proposer(view, id, fault).run();
}

}  // namespace seq
