"""Layers into nested containers, so that each parameter has the path that the state_dict gives it.

A container runs as one piece. So the layers below a name stand together: where the traced order is another, layers
without parameters move into the container around them, and independent ones change places. Where a layer with
parameters of another container has to run in between, no order does.
"""

import collections
import dataclasses
import heapq

from .errors import Refusal


@dataclasses.dataclass(eq=False)
class Container:
    """A Sequential; `inputs` are the values that come from outside, $in, $in.1, ... in its layers."""

    name: str
    children: list
    fixed: bool = False
    parent: "Container | None" = None
    inputs: list = dataclasses.field(default_factory=list)


class Interleaved(Exception):
    """Layers of these containers (tuples of names) have to run in turns; `layers` stand in the order of the run."""

    def __init__(self, containers, layers):
        self.containers, self.layers = containers, layers
        super().__init__(", ".join(map(".".join, containers)))


def arrange(layers):
    """The outermost container."""
    return _arrange("", [(layer, layer.scope) for layer in layers], True)


def _arrange(name, items, fixed):
    for assign in (_by_scope, _by_fixed_scope, _alone):
        groups = assign(items)
        order = _order(items, groups)
        if order is not None:
            break
    else:
        raise _interleaved(items, groups)
    container = Container(name, [], fixed)
    for group, members in order:
        single = len(members) == 1 and not members[0][0].fixed
        if group is None or single:
            container.children += [layer for layer, _ in members]
            continue
        inner = [(layer, scope[1:] if scope[:1] == (group,) else ()) for layer, scope in members]
        child = _arrange(group, inner, any(layer.fixed for layer, _ in members))
        child.parent = container
        container.children.append(child)
    return container


def _by_scope(items):
    """Each layer in the container that it was called in."""
    return [scope[0] if scope else None for _, scope in items]


def _by_fixed_scope(items):
    """Those without parameters only in containers that have parameters, and wherever a path between these leads."""
    fixed = {scope[0] for layer, scope in items if layer.fixed and scope}
    return _absorb(items, [scope[0] if scope and scope[0] in fixed else None for _, scope in items])


def _alone(items):
    """Those without parameters only where a path leads from one with parameters to another."""
    return _absorb(items, [scope[0] if scope and layer.fixed else None for layer, scope in items])


def _sources(items):
    """For each layer the positions of those among the items that it needs."""
    position = {layer: index for index, (layer, _) in enumerate(items)}
    needed = []
    for layer, _ in items:
        before = [value.layer for value in layer.operands] + [layer.shares]
        needed.append({position[source] for source in before if source in position})
    return needed


def _absorb(items, groups):
    sources = _sources(items)
    for group in sorted({group for group in groups if group is not None}):
        members = {i for i, own in enumerate(groups) if own == group}
        after, before = set(members), set(members)
        for i in range(len(items)):
            if sources[i] & after:
                after.add(i)
        for i in reversed(range(len(items))):
            if i in before:
                before |= sources[i]
        for i in after & before:
            if groups[i] is None and not items[i][0].fixed:
                groups[i] = group
    return groups


def _order(items, groups):
    """Groups and single layers, each after all that it needs, else in the order of their first layers; None where
    groups need each other."""
    units = [("group", group) if group is not None else ("layer", i) for i, group in enumerate(groups)]
    members = collections.defaultdict(list)
    for index, unit in enumerate(units):
        members[unit].append(index)
    waits, followers = collections.Counter(), collections.defaultdict(set)
    for index, sources in enumerate(_sources(items)):
        for source in sources:
            if units[source] != units[index] and units[index] not in followers[units[source]]:
                followers[units[source]].add(units[index])
                waits[units[index]] += 1
    ready = [(indices[0], unit) for unit, indices in members.items() if not waits[unit]]
    heapq.heapify(ready)
    order = []
    while ready:
        _, unit = heapq.heappop(ready)
        order.append((unit[1] if unit[0] == "group" else None, [items[i] for i in members[unit]]))
        for follower in followers[unit]:
            waits[follower] -= 1
            if not waits[follower]:
                heapq.heappush(ready, (members[follower][0], follower))
    return order if len(order) == len(members) else None


def _interleaved(items, groups):
    """Says which containers it is about: those that come again after a layer with parameters of another."""
    fixed = [(group, layer, scope) for group, (layer, scope) in zip(groups, items) if layer.fixed]
    outer = fixed[0][1].scope[: len(fixed[0][1].scope) - len(fixed[0][2])]
    names, seen, last = [], set(), None
    for group, _, _ in fixed:
        if group not in (last, None, *names) and group in seen:
            names.append(group)
        seen.add(group)
        last = group
    return Interleaved([(*outer, name) for name in names], [layer for _, layer, _ in fixed])


def separate(layers, containers):
    """Moves the members of these containers beside them: `convs.1` becomes `convs_1`. Returns new paths by old."""
    renamed = {}
    for layer in layers:
        path = (*layer.scope, layer.name)
        for container in containers:
            depth = len(container)
            if layer.fixed and path[:depth] == container:
                moved = (*path[: depth - 1], "_".join(path[depth - 1 : depth + 1]), *path[depth + 1 :])
                renamed[layer.path] = ".".join(moved)
                layer.scope, layer.name = moved[:-1], moved[-1]
                break
    return renamed


def refusals(error):
    """One for each container whose layers take turns with others'."""
    order = ", ".join(layer.path for layer in error.layers[:4])
    more = ", ..." if len(error.layers) > 4 else ""
    reason = (
        f"its layers run in turns with others ({order}{more}), but a container of a model file runs as one piece; "
        "--rename gives them names of their own"
    )
    return [Refusal(".".join(container), "container", reason) for container in error.containers]


def clashes(layers, input_names):
    """Names that parameters demand and a model file does not allow."""
    found = []
    fixed = [layer for layer in layers if layer.fixed]
    scopes = {layer.scope[:depth] for layer in fixed for depth in range(1, len(layer.scope) + 1)}
    for layer in fixed:
        path = (*layer.scope, layer.name)
        if path in scopes:
            reason = "has parameters of its own and layers inside, but is either a layer or a container"
            found.append(Refusal(layer.path, layer.kind, reason, layer.source))
        for name in sorted(input_names & set(path)):
            reason = f"has the name of the input `{name}`; give that another one with --input"
            found.append(Refusal(layer.path, layer.kind, reason, layer.source))
    return found
