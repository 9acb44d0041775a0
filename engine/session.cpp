#include "engine/session.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <oneapi/tbb/task_arena.h>

#include <algorithm>
#include <cstring>
#include <list>
#include <stdexcept>

#include "engine/bind_symbols.hpp"
#include "engine/compiled_model.hpp"
#include "engine/edge_copy.hpp"
#include "engine/plan_instance.hpp"

namespace seq {
namespace {

std::string sizes_text(std::span<const std::int64_t> sizes) { return fmt::format("[{}]", fmt::join(sizes, ", ")); }

/// Whether the parts of a view can be trusted as far as reading its sizes.
void check_form(const TensorView& view, std::string_view name, const char* role) {
    if (view.rank < 0 || view.rank > max_rank) {
        throw Error(fmt::format("{}/shape", role),
                    fmt::format("{} `{}` gets a view of rank {}; ranks are 0 to {}", role, name, view.rank, max_rank));
    }
    const auto sizes = view.sizes();
    if (view.data == nullptr && std::find(sizes.begin(), sizes.end(), 0) == sizes.end())
        throw Error(fmt::format("{}/null", role), fmt::format("{} `{}` has no data", role, name));
}

/// Puts the named views into the ports' order. `role` is "input" or "output".
void match(std::span<const NamedTensor> named, const std::vector<Port>& ports, std::span<TensorView> views,
           const char* role) {
    std::fill(views.begin(), views.end(), TensorView{});
    for (const auto& [name, view] : named) {
        const auto port = std::find_if(ports.begin(), ports.end(), [&](const Port& p) { return p.name == name; });
        if (port == ports.end())
            throw Error(fmt::format("{}/unknown", role), fmt::format("the model has no {} `{}`", role, name));
        TensorView& slot = views[static_cast<std::size_t>(port - ports.begin())];
        if (slot.data != nullptr)
            throw Error(fmt::format("{}/duplicate", role), fmt::format("{} `{}` is given twice", role, name));
        check_form(view, name, role);
        if (view.dtype != port->type.dtype) {
            throw Error(fmt::format("{}/dtype", role), fmt::format("{} `{}` is {}, but gets {}", role, name,
                                                                   name_of(port->type.dtype), name_of(view.dtype)));
        }
        if (!(view.device == Device::cpu()))
            throw Error(fmt::format("{}/device", role),
                        fmt::format("{} `{}` does not lie in the CPU's memory", role, name));
        slot = view;
    }
}

/// Whether writing the view writes an element twice; `other`: or one of that view.
bool writes_over(const TensorView& view, const TensorView& other) {
    if (!byte_range(view).overlaps(byte_range(other))) return false;
    return (view.is_dense() && other.is_dense()) || view.data == other.data;
}

bool repeats_elements(const TensorView& view) {
    for (std::size_t d = 0; d < static_cast<std::size_t>(view.rank); ++d) {
        if (view.shape[d] > 1 && view.strides[d] == 0) return true;
    }
    return false;
}

}  // namespace

class Session::Impl {
   public:
    explicit Impl(std::shared_ptr<CompiledModel> model)
        : model_(std::move(model)),
          binder_(model_->inputs(), model_->symbols()),
          values_(model_->symbols().size()),
          inputs_(model_->inputs().size()),
          outputs_(model_->outputs().size()),
          arena_(model_->options().threads) {}

    void run(std::span<const NamedTensor> inputs, std::span<const NamedTensor> outputs) {
        PlanInstance& instance = instance_for(inputs);
        match(outputs, model_->outputs(), outputs_, "output");
        check_outputs(*instance.plan());
        arena_.execute([&] { instance.run(inputs_, outputs_, observer_); });
    }

    PlanInstance& instance_for(std::span<const NamedTensor> inputs) {
        match(inputs, model_->inputs(), inputs_, "input");
        for (std::size_t i = 0; i < inputs_.size(); ++i) {
            const bool given = std::any_of(inputs.begin(), inputs.end(), [&](const NamedTensor& named) {
                return named.first == model_->inputs()[i].name;
            });
            if (!given) throw Error("input/missing", fmt::format("input `{}` is not given", model_->inputs()[i].name));
        }
        binder_.bind(inputs_, values_);
        return instance();
    }

    std::shared_ptr<const Plan> plan() const {
        return instances_.empty() ? nullptr : instances_.front().instance->plan();
    }
    void observe(StepObserver* observer) { observer_ = observer; }

   private:
    struct Entry {
        std::vector<std::int64_t> values;
        std::unique_ptr<PlanInstance> instance;
    };

    /// The instance for values_; the session's own list is searched first, so that a hit takes no lock.
    PlanInstance& instance() {
        for (auto entry = instances_.begin(); entry != instances_.end(); ++entry) {
            if (entry->values != values_) continue;
            if (entry != instances_.begin()) instances_.splice(instances_.begin(), instances_, entry);
            model_->touch(*instances_.front().instance->plan());
            return *instances_.front().instance;
        }
        auto instance = std::make_unique<PlanInstance>(model_->plan(values_));
        instances_.push_front({values_, std::move(instance)});
        evict();
        return *instances_.front().instance;
    }

    void evict() {
        std::size_t bytes = 0;
        for (auto entry = instances_.begin(); entry != instances_.end();) {
            bytes += entry->instance->memory_bytes();
            const bool keep = entry == instances_.begin() || bytes <= model_->cache_bytes();
            entry = keep ? std::next(entry) : instances_.erase(entry);
        }
    }

    void check_outputs(const Plan& plan) const {
        for (std::size_t i = 0; i < outputs_.size(); ++i) {
            if (outputs_[i].data == nullptr) continue;
            const auto& expected = plan.outputs[i].sizes;
            if (!std::equal(expected.begin(), expected.end(), outputs_[i].sizes().begin(), outputs_[i].sizes().end())) {
                throw Error("output/shape",
                            fmt::format("output `{}` is {}, but gets a buffer of {}", plan.outputs[i].name,
                                        sizes_text(expected), sizes_text(outputs_[i].sizes())));
            }
        }
        check_overlap(plan);
    }

    /// Columns of one buffer interleave and are allowed; where exactly that is so is not worth finding out.
    void check_overlap(const Plan& plan) const {
        for (std::size_t i = 0; i < outputs_.size(); ++i) {
            if (outputs_[i].data == nullptr) continue;
            if (repeats_elements(outputs_[i]))
                throw Error("output/overlap",
                            fmt::format("output `{}` gets a view that repeats its elements", plan.outputs[i].name));
            for (std::size_t j = 0; j < i; ++j) {
                if (outputs_[j].data == nullptr || !writes_over(outputs_[i], outputs_[j])) continue;
                throw Error("output/overlap", fmt::format("outputs `{}` and `{}` get the same memory",
                                                          plan.outputs[j].name, plan.outputs[i].name));
            }
        }
    }

    std::shared_ptr<CompiledModel> model_;
    SymbolBinder binder_;
    std::vector<std::int64_t> values_;
    std::vector<TensorView> inputs_;
    std::vector<TensorView> outputs_;
    std::list<Entry> instances_;  // most recently used first
    oneapi::tbb::task_arena arena_;
    StepObserver* observer_ = nullptr;
};

Session::Session(std::shared_ptr<CompiledModel> model) : impl_(std::make_unique<Impl>(std::move(model))) {}
Session::~Session() = default;
Session::Session(Session&&) noexcept = default;
Session& Session::operator=(Session&&) noexcept = default;

Session::Impl& Session::impl() const {
    if (impl_ == nullptr) throw std::logic_error("a Session that was moved from runs no model");
    return *impl_;
}

void Session::run(std::initializer_list<NamedTensor> inputs, std::initializer_list<NamedTensor> outputs) {
    impl().run({inputs.begin(), inputs.size()}, {outputs.begin(), outputs.size()});
}

void Session::run(std::span<const NamedTensor> inputs, std::span<const NamedTensor> outputs) {
    impl().run(inputs, outputs);
}

std::vector<std::int64_t> Session::output_sizes(std::string_view name, std::span<const NamedTensor> inputs) {
    for (const PlanPort& port : impl().instance_for(inputs).plan()->outputs) {
        if (port.name == name) return port.sizes;
    }
    throw Error("output/unknown", fmt::format("the model has no output `{}`", name));
}

void Session::prepare(std::span<const NamedTensor> inputs) { impl().instance_for(inputs); }
void Session::observe(StepObserver* observer) { impl().observe(observer); }
std::shared_ptr<const Plan> Session::plan() const { return impl().plan(); }

}  // namespace seq
