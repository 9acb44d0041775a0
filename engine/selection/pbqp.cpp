#include "engine/selection/pbqp.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

namespace seq {
namespace {

using Matrix = std::vector<std::vector<double>>;

std::size_t least(const std::vector<double>& costs) {
    return static_cast<std::size_t>(std::min_element(costs.begin(), costs.end()) - costs.begin());
}

/// The problem while it is reduced: the matrix of neighbours[a][b] is [option of a][option of b], kept on both sides.
class Reduction {
   public:
    explicit Reduction(std::vector<std::vector<double>> nodes) : costs_(std::move(nodes)), neighbours_(costs_.size()) {
        for (std::size_t node = 0; node < costs_.size(); ++node) by_degree_.insert({0, node});
    }

    void join(std::size_t a, std::size_t b, const Matrix& costs) {
        resize(a, b, [&] {
            Matrix& forward = matrix(a, b);
            Matrix& backward = matrix(b, a);
            for (std::size_t i = 0; i < costs_[a].size(); ++i) {
                for (std::size_t j = 0; j < costs_[b].size(); ++j) {
                    forward[i][j] += costs[i][j];
                    backward[j][i] += costs[i][j];
                }
            }
        });
    }

    std::vector<std::size_t> solve() {
        while (!by_degree_.empty()) {
            const auto [degree, node] = *by_degree_.begin();
            if (degree <= 2) {
                eliminate(node);
            } else {
                decide(by_degree_.rbegin()->second);
            }
        }
        std::vector<std::size_t> options(costs_.size());
        for (auto removed = removed_.rbegin(); removed != removed_.rend(); ++removed) {
            std::vector<double> costs = costs_[removed->node];
            for (const auto& [other, edge] : removed->edges) {
                for (std::size_t i = 0; i < costs.size(); ++i) costs[i] += edge[i][options[other]];
            }
            options[removed->node] = least(costs);
        }
        return options;
    }

   private:
    using Edges = std::map<std::size_t, Matrix>;
    struct Removed {
        std::size_t node;
        Edges edges;
    };

    Matrix& matrix(std::size_t a, std::size_t b) {
        Matrix& edge = neighbours_[a][b];
        if (edge.empty()) edge.assign(costs_[a].size(), std::vector<double>(costs_[b].size(), 0.0));
        return edge;
    }

    /// Keeps the nodes' order by degree while `change` changes their edges.
    template <class Change>
    void resize(std::size_t a, std::size_t b, const Change& change) {
        by_degree_.erase({neighbours_[a].size(), a});
        by_degree_.erase({neighbours_[b].size(), b});
        change();
        by_degree_.insert({neighbours_[a].size(), a});
        by_degree_.insert({neighbours_[b].size(), b});
    }

    Edges remove(std::size_t node) {
        by_degree_.erase({neighbours_[node].size(), node});
        Edges edges = std::move(neighbours_[node]);
        neighbours_[node].clear();
        for (const auto& [other, edge] : edges) {
            by_degree_.erase({neighbours_[other].size(), other});
            neighbours_[other].erase(node);
            by_degree_.insert({neighbours_[other].size(), other});
        }
        return edges;
    }

    /// A node of at most two edges: its neighbours pay for the best that it can do beside them.
    void eliminate(std::size_t node) {
        const Edges edges = remove(node);
        const std::vector<double>& own = costs_[node];
        if (edges.size() == 1) {
            const auto& [other, edge] = *edges.begin();
            for (std::size_t j = 0; j < costs_[other].size(); ++j) {
                std::vector<double> sums = own;
                for (std::size_t i = 0; i < own.size(); ++i) sums[i] += edge[i][j];
                costs_[other][j] += sums[least(sums)];
            }
        } else if (edges.size() == 2) {
            const auto& [a, to_a] = *edges.begin();
            const auto& [b, to_b] = *std::next(edges.begin());
            Matrix shared(costs_[a].size(), std::vector<double>(costs_[b].size()));
            for (std::size_t x = 0; x < shared.size(); ++x) {
                for (std::size_t y = 0; y < shared[x].size(); ++y) {
                    std::vector<double> sums = own;
                    for (std::size_t i = 0; i < own.size(); ++i) sums[i] += to_a[i][x] + to_b[i][y];
                    shared[x][y] = sums[least(sums)];
                }
            }
            join(a, b, shared);
        }
        removed_.push_back({node, edges});
    }

    /// A node of many edges takes the option that is best where each neighbour does what suits it alone.
    void decide(std::size_t node) {
        const Edges edges = remove(node);
        std::vector<double> sums = costs_[node];
        for (const auto& [other, edge] : edges) {
            for (std::size_t i = 0; i < sums.size(); ++i) {
                std::vector<double> there = costs_[other];
                for (std::size_t j = 0; j < there.size(); ++j) there[j] += edge[i][j];
                sums[i] += there[least(there)];
            }
        }
        const std::size_t option = least(sums);
        for (const auto& [other, edge] : edges) {
            for (std::size_t j = 0; j < costs_[other].size(); ++j) costs_[other][j] += edge[option][j];
        }
        for (std::size_t i = 0; i < costs_[node].size(); ++i) {
            if (i != option) costs_[node][i] = forbidden;
        }
        removed_.push_back({node, {}});
    }

    static constexpr double forbidden = 1e300;
    std::vector<std::vector<double>> costs_;
    std::vector<Edges> neighbours_;
    std::set<std::pair<std::size_t, std::size_t>> by_degree_;
    std::vector<Removed> removed_;
};

}  // namespace

std::size_t Pbqp::add_node(std::vector<double> costs) {
    nodes_.push_back(std::move(costs));
    return nodes_.size() - 1;
}

void Pbqp::add_edge(std::size_t a, std::size_t b, const Matrix& costs) { edges_.push_back({a, b, costs}); }

std::vector<std::size_t> Pbqp::solve() const {
    Reduction reduction(nodes_);
    for (const Edge& edge : edges_) reduction.join(edge.a, edge.b, edge.costs);
    std::vector<std::size_t> options = reduction.solve();
    constexpr int most_rounds = 10;
    for (int round = 0; round < most_rounds && improve(options); ++round) {
    }
    return options;
}

/// Gives each node in turn the option that is best beside what its neighbours take.
bool Pbqp::improve(std::vector<std::size_t>& options) const {
    std::vector<std::vector<const Edge*>> edges_of(nodes_.size());
    for (const Edge& edge : edges_) {
        edges_of[edge.a].push_back(&edge);
        edges_of[edge.b].push_back(&edge);
    }
    bool changed = false;
    for (std::size_t node = 0; node < nodes_.size(); ++node) {
        std::vector<double> costs = nodes_[node];
        for (const Edge* edge : edges_of[node]) {
            for (std::size_t i = 0; i < costs.size(); ++i)
                costs[i] += edge->a == node ? edge->costs[i][options[edge->b]] : edge->costs[options[edge->a]][i];
        }
        const std::size_t best = least(costs);
        if (costs[best] >= costs[options[node]]) continue;
        options[node] = best;
        changed = true;
    }
    return changed;
}

double Pbqp::cost(const std::vector<std::size_t>& options) const {
    double sum = 0;
    for (std::size_t node = 0; node < nodes_.size(); ++node) sum += nodes_[node][options[node]];
    for (const Edge& edge : edges_) sum += edge.costs[options[edge.a]][options[edge.b]];
    return sum;
}

}  // namespace seq
