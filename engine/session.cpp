#include "engine/session.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstring>
#include <list>
#include <stdexcept>

#include "engine/bind_symbols.hpp"
#include "engine/compiled_model.hpp"
#include "engine/device_session.hpp"
#include "engine/edge_copy.hpp"
#include "engine/instance.hpp"
#include "engine/thread_share.hpp"

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

/// The rank of a view that is not given.
constexpr int not_given = -1;

std::string memory_text(const Device& device) {
    return device.kind == DeviceKind::cpu ? "the CPU's memory" : fmt::format("the memory of GPU {}", device.index);
}

/// Puts the named views, which lie in the host's memory or in `device`'s, into the ports' order. `role` is "input" or
/// "output".
void match(std::span<const NamedTensor> named, const std::vector<Port>& ports, const Device& device,
           std::span<TensorView> views, const char* role) {
    for (TensorView& view : views) {
        view.data = nullptr;
        view.rank = not_given;
    }
    for (const auto& [name, view] : named) {
        const auto port = std::find_if(ports.begin(), ports.end(), [&](const Port& p) { return p.name == name; });
        if (port == ports.end())
            throw Error(fmt::format("{}/unknown", role), fmt::format("the model has no {} `{}`", role, name));
        TensorView& slot = views[static_cast<std::size_t>(port - ports.begin())];
        if (slot.rank != not_given)
            throw Error(fmt::format("{}/duplicate", role), fmt::format("{} `{}` is given twice", role, name));
        check_form(view, name, role);
        if (view.dtype != port->type.dtype) {
            throw Error(fmt::format("{}/dtype", role), fmt::format("{} `{}` is {}, but gets {}", role, name,
                                                                   name_of(port->type.dtype), name_of(view.dtype)));
        }
        if (!(view.device == Device::cpu()) && !(view.device == device))
            throw Error(fmt::format("{}/device", role),
                        fmt::format("{} `{}` does not lie in {}", role, name, memory_text(device)));
        slot = view;
    }
}

bool are_same(const TensorView& a, const TensorView& b) {
    return a.data == b.data && a.dtype == b.dtype && a.rank == b.rank && a.device == b.device &&
           std::equal(a.shape.begin(), a.shape.begin() + a.rank, b.shape.begin()) &&
           std::equal(a.strides.begin(), a.strides.begin() + a.rank, b.strides.begin());
}

/// Whether `named` are the `views` of `ports`, in order and none left out, so that `match` would give them.
bool are_bound(std::span<const NamedTensor> named, const std::vector<Port>& ports, std::span<const TensorView> views) {
    if (named.size() != views.size()) return false;
    for (std::size_t i = 0; i < views.size(); ++i) {
        if (views[i].rank < 0 || named[i].first != ports[i].name || !are_same(named[i].second, views[i])) return false;
    }
    return true;
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

std::shared_ptr<DeviceSession> device_session(const CompiledModel& model, const SessionOptions& options) {
    const Backend& backend = model.backend();
    if (backend.device != nullptr) return std::make_shared<DeviceSession>(backend, options.stream);
    if (options.stream != nullptr) throw Error("spec/value", "a session on the CPU takes no stream");
    return nullptr;
}

}  // namespace

/// A plan's instance and the views that it is to read and write, in the order of the ports.
struct Session::Wiring {
    std::uint64_t number = 0;
    std::shared_ptr<Instance> instance;
    std::vector<TensorView> inputs;
    std::vector<TensorView> outputs;
};

class Session::Impl {
   public:
    Impl(std::shared_ptr<CompiledModel> model, const SessionOptions& options)
        : model_(std::move(model)),
          device_(device_session(*model_, options)),
          binder_(model_->inputs(), model_->symbols()),
          values_(model_->symbols().size()),
          last_(empty_wiring()),
          threads_(model_->options().threads) {}

    void run(std::span<const NamedTensor> inputs, std::span<const NamedTensor> outputs) {
        const bool again = last_.instance != nullptr && are_bound(inputs, model_->inputs(), last_.inputs) &&
                           are_bound(outputs, model_->outputs(), last_.outputs);
        if (!again) wire(last_, inputs, outputs);
        run(last_);
    }

    void run(const Wiring& wiring) {
        Instance& instance = *wiring.instance;
        if (instance.wiring() != wiring.number) instance.wire(wiring.number, wiring.inputs, wiring.outputs);
        model_->touch(*instance.plan());
        if (plan_ != instance.plan()) plan_ = instance.plan();
        if (instance.is_serial()) {
            instance.run(observer_);
        } else {
            threads_.execute(instance.takes_turns(), [&] { instance.run(observer_); });
        }
    }

    std::unique_ptr<Wiring> bind(std::span<const NamedTensor> inputs, std::span<const NamedTensor> outputs) {
        auto wiring = std::make_unique<Wiring>(empty_wiring());
        wire(*wiring, inputs, outputs);
        wiring->instance->wire(wiring->number, wiring->inputs, wiring->outputs);
        return wiring;
    }

    const Plan& plan_for(std::span<const NamedTensor> inputs) {
        last_.instance = nullptr;
        return *instance_for(inputs, last_.inputs)->plan();
    }

    std::shared_ptr<const Plan> plan() const { return plan_; }
    std::string not_captured() const {
        const auto is_last = [this](const Entry& entry) { return entry.instance->plan() == plan_; };
        const auto last = std::find_if(instances_.begin(), instances_.end(), is_last);
        return last != instances_.end() ? last->instance->not_captured() : std::string();
    }
    void observe(StepObserver* observer) { observer_ = observer; }

   private:
    struct Entry {
        std::vector<std::int64_t> values;
        std::shared_ptr<Instance> instance;
    };

    Wiring empty_wiring() const {
        Wiring wiring;
        wiring.inputs.resize(model_->inputs().size());
        wiring.outputs.resize(model_->outputs().size());
        return wiring;
    }

    void wire(Wiring& wiring, std::span<const NamedTensor> inputs, std::span<const NamedTensor> outputs) {
        wiring.instance = nullptr;
        auto instance = instance_for(inputs, wiring.inputs);
        match(outputs, model_->outputs(), model_->device(), wiring.outputs, "output");
        check_outputs(*instance->plan(), wiring.outputs);
        wiring.instance = std::move(instance);
        wiring.number = ++wirings_;
    }

    const std::shared_ptr<Instance>& instance_for(std::span<const NamedTensor> named, std::span<TensorView> inputs) {
        match(named, model_->inputs(), model_->device(), inputs, "input");
        for (std::size_t i = 0; i < inputs.size(); ++i) {
            if (inputs[i].rank == not_given)
                throw Error("input/missing", fmt::format("input `{}` is not given", model_->inputs()[i].name));
        }
        binder_.bind(inputs, values_);
        return instance();
    }

    /// The instance for values_; the session's own list is searched first, so that a hit takes no lock.
    const std::shared_ptr<Instance>& instance() {
        for (auto entry = instances_.begin(); entry != instances_.end(); ++entry) {
            if (entry->values != values_) continue;
            if (entry != instances_.begin()) instances_.splice(instances_.begin(), instances_, entry);
            model_->touch(*instances_.front().instance->plan());
            plan_ = instances_.front().instance->plan();
            return instances_.front().instance;
        }
        auto instance = make_instance_for(model_->plan(values_));
        plan_ = instance->plan();
        instances_.push_front({values_, std::move(instance)});
        evict();
        return instances_.front().instance;
    }

    /// Where a device has no room for it beside the others it goes without them.
    std::shared_ptr<Instance> make_instance_for(std::shared_ptr<const Plan> plan) {
        const bool takes_turns = device_ == nullptr && does_better_in_turns(*plan, model_->options());
        try {
            return make_instance(plan, device_, takes_turns);
        } catch (const Error& error) {
            if (error.code() != "device/memory" || instances_.empty()) throw;
        }
        instances_.clear();
        last_.instance = nullptr;
        device_->release_room();
        return make_instance(std::move(plan), device_, takes_turns);
    }

    void evict() {
        std::size_t bytes = 0;
        for (auto entry = instances_.begin(); entry != instances_.end();) {
            bytes += entry->instance->memory_bytes();
            const bool keep = entry == instances_.begin() || bytes <= model_->cache_bytes();
            entry = keep ? std::next(entry) : instances_.erase(entry);
        }
        if (last_.instance.use_count() == 1) last_.instance = nullptr;
    }

    static void check_outputs(const Plan& plan, std::span<const TensorView> outputs) {
        for (std::size_t i = 0; i < outputs.size(); ++i) {
            if (outputs[i].data == nullptr) continue;
            const auto& expected = plan.outputs[i].sizes;
            if (!std::equal(expected.begin(), expected.end(), outputs[i].sizes().begin(), outputs[i].sizes().end())) {
                throw Error("output/shape",
                            fmt::format("output `{}` is {}, but gets a buffer of {}", plan.outputs[i].name,
                                        sizes_text(expected), sizes_text(outputs[i].sizes())));
            }
        }
        check_overlap(plan, outputs);
    }

    /// Columns of one buffer interleave and are allowed; where exactly that is so is not worth finding out.
    static void check_overlap(const Plan& plan, std::span<const TensorView> outputs) {
        for (std::size_t i = 0; i < outputs.size(); ++i) {
            if (outputs[i].data == nullptr) continue;
            if (repeats_elements(outputs[i]))
                throw Error("output/overlap",
                            fmt::format("output `{}` gets a view that repeats its elements", plan.outputs[i].name));
            for (std::size_t j = 0; j < i; ++j) {
                if (outputs[j].data == nullptr || !writes_over(outputs[i], outputs[j])) continue;
                throw Error("output/overlap", fmt::format("outputs `{}` and `{}` get the same memory",
                                                          plan.outputs[j].name, plan.outputs[i].name));
            }
        }
    }

    std::shared_ptr<CompiledModel> model_;
    std::shared_ptr<DeviceSession> device_;  // nullptr on the CPU
    SymbolBinder binder_;
    std::vector<std::int64_t> values_;
    std::list<Entry> instances_;  // most recently used first
    Wiring last_;                 // of the last run by names
    std::uint64_t wirings_ = 0;
    std::shared_ptr<const Plan> plan_;  // of the last run
    ThreadShare threads_;
    StepObserver* observer_ = nullptr;
};

Session::Session(std::shared_ptr<CompiledModel> model, const SessionOptions& options)
    : impl_(std::make_shared<Impl>(std::move(model), options)) {}
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

BoundRun Session::bind(std::initializer_list<NamedTensor> inputs, std::initializer_list<NamedTensor> outputs) {
    return bind(std::span(inputs.begin(), inputs.size()), std::span(outputs.begin(), outputs.size()));
}

BoundRun Session::bind(std::span<const NamedTensor> inputs, std::span<const NamedTensor> outputs) {
    return {impl_, impl().bind(inputs, outputs)};
}

BoundRun::BoundRun(std::shared_ptr<Session::Impl> session, std::unique_ptr<Session::Wiring> wiring)
    : session_(std::move(session)), wiring_(std::move(wiring)) {}
BoundRun::~BoundRun() = default;
BoundRun::BoundRun(BoundRun&&) noexcept = default;
BoundRun& BoundRun::operator=(BoundRun&&) noexcept = default;

void BoundRun::run() {
    if (wiring_ == nullptr) throw std::logic_error("a BoundRun that was moved from runs nothing");
    session_->run(*wiring_);
}

std::vector<std::int64_t> Session::output_sizes(std::string_view name, std::span<const NamedTensor> inputs) {
    for (const PlanPort& port : impl().plan_for(inputs).outputs) {
        if (port.name == name) return port.sizes;
    }
    throw Error("output/unknown", fmt::format("the model has no output `{}`", name));
}

void Session::prepare(std::span<const NamedTensor> inputs) { impl().plan_for(inputs); }
std::string Session::not_captured() const { return impl().not_captured(); }
void Session::observe(StepObserver* observer) { impl().observe(observer); }
std::shared_ptr<const Plan> Session::plan() const { return impl().plan(); }

}  // namespace seq
