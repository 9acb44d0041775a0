#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "engine/buffers.hpp"
#include "engine/groups.hpp"
#include "engine/lowering.hpp"
#include "engine/plan.hpp"
#include "engine/prepared_units.hpp"

namespace seq {

/// Builds a Plan in one walk over the graph: a kernel for each node, a reorder where two disagree on a layout,
/// then one arena for all that lives between steps.
class PlanBuilder {
   public:
    /// `selection`: what was chosen by measuring; where it is empty, the first kernel that serves is taken.
    /// `prepared`: kernels of it that were prepared before, of which it is not said why not others.
    PlanBuilder(Plan& plan, const Backend& backend, const ComputeOptions& options, WeightProvider& weights,
                const Selection& selection, PreparedUnits prepared = {})
        : plan_(plan),
          backend_(backend),
          options_(options),
          weights_(weights),
          selection_(selection),
          prepared_(std::move(prepared)),
          lowering_(plan.graph, backend, options) {}

    void run();

   private:
    /// Where a value lies. `index` counts inputs, or buffers (arena), by kind.
    struct Home {
        BufferRef::Kind kind = BufferRef::Kind::none;
        std::size_t index = 0;
        Layout layout;
        const void* weight = nullptr;
    };

    void place_inputs();
    void place_node(const Node& node);
    bool place_group(const Node& last);
    void place_apart(const Group& group, Refusal refusal);
    bool alias_view(const Node& node);
    bool join_inputs(const Node& node);
    KernelRequest make_request(const Node& node);
    std::vector<Group> chosen_groups() const;
    bool place_selected(const Node& node);
    void prepare_selected(const Choice& choice, Step& step);
    std::vector<Refusal> refusals_beside(const Choice& choice);
    Step choose_kernel(const KernelRequest& request);
    void connect_inputs(Step& step);
    void connect_group_inputs(Step& step, const std::vector<const Value*>& values);
    void touch_inputs(const Step& step);
    void connect_outputs(Step& step);
    void place_outputs();

    Layout layout_of(const Value& value) const;
    Home home_of(const Value& value);
    /// A parameter or constant, as it is.
    Home upload(const Value& value);
    /// The same value in another layout; adds a reorder step once.
    Home in_layout(const Value& value, const Home& home, const Layout& layout);
    Home new_buffer(const Placed& placed);
    void add_reorder(const Placed& from, const Placed& to, const BufferRef& source, const BufferRef& target);
    BufferRef reference(const Home& home);
    void touch(const BufferRef& ref, int step);

    Plan& plan_;
    const Backend& backend_;
    const ComputeOptions& options_;
    WeightProvider& weights_;
    const Selection& selection_;
    PreparedUnits prepared_;
    /// Groups that are to be placed, by their last node, and the other nodes in them.
    std::map<const Node*, Group> groups_;
    std::set<const Node*> grouped_;
    std::map<const Value*, Home> homes_;
    std::map<std::pair<const Value*, std::string>, Home> reordered_;
    BufferTable buffers_;
    KeptDtypes lowering_;
};

}  // namespace seq
