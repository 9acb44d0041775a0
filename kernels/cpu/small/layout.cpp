#include <algorithm>
#include <cmath>

#include "kernels/cpu/small/builder.hpp"

// Who computes what, and where in the scratch memory.
namespace seq::cpu::small {
namespace {

/// Vectors of multiply-adds, or of weights read from a cache, in about the time of one cycle.
constexpr double products_per_cycle = 1.6;
constexpr double weight_floats_per_cycle = 12;
/// Below so many cycles a second worker costs more than it saves.
constexpr double least_shared_cycles = 16000;
/// A group's pictures go through the flat stages together: two register tiles of the widest instruction set.
constexpr std::int64_t most_group = 28;
/// Where the weights do not stay in the caches of one core beside all else, each worker is to read a part of them.
constexpr std::int64_t core_cache_floats = std::int64_t{3} << 17;

std::int64_t rounded(std::int64_t floats) { return (floats + 15) / 16 * 16; }

/// Pictures of a power of two apart would fall on the same lines of the first-level cache.
std::int64_t spaced(std::int64_t floats) { return rounded(floats) + 16; }

double cycles_of_picture(const Net& net, const Builder& builder) {
    return builder.multiply_adds() / net.lanes() / products_per_cycle;
}

/// No more workers than the work pays for.
void limit_workers(Net& net, double cycles, std::int64_t weight_floats) {
    const auto batch = static_cast<double>(net.batch);
    const double all = std::max(cycles * batch, static_cast<double>(weight_floats) / weight_floats_per_cycle);
    const double worth = all < least_shared_cycles ? 1 : std::ceil(all / (least_shared_cycles / 2));
    net.workers = static_cast<int>(std::min<double>(net.workers, worth));
}

void choose_group(Net& net, std::int64_t weight_floats) {
    const std::int64_t workers = net.workers;
    const bool reads_much = net.stages.front().flat && weight_floats > core_cache_floats;
    if (workers > 1 && (net.batch < 4 * workers || reads_much)) return;
    const std::int64_t groups = (net.batch + workers * most_group - 1) / (workers * most_group) * workers;
    net.group = (net.batch + groups - 1) / groups;
}

}  // namespace

Net Builder::finish(Workers workers) {
    if (workers == Workers::as_worth) limit_workers(net_, cycles_of_picture(net_, *this), weight_floats());
    choose_group(net_, weight_floats());
    choose_chunk();
    const Stage& final_stage = net_.stages.back();
    Area& final_area = area(final_stage.out);
    const bool whole_rows = final_stage.softmax || (final_stage.multiply && final_stage.multiply->dot_row > 0) ||
                            final_area.channels % net_.lanes() == 0;
    if (final_stage.flat && whole_rows) {
        final_area.place = Place::output;
        final_area.picture = net_.output_floats;
    } else {
        net_.delivered = final_stage.out;
    }
    place_areas();
    finish_transformed();
    for (Stage& stage : net_.stages) {
        if (!stage.multiply) continue;
        stage.multiply->packed = net_.packed_floats;
        net_.packed_floats += packed_floats(net_, *stage.multiply);
    }
    return std::move(net_);
}

namespace {

/// Part `part` of `parts` of a picture's lines, in whole tiles; not its executions.
Strip cut_strip(const winograd::Problem& whole, std::int64_t part, std::int64_t parts) {
    const winograd::Cut cut(whole.tile_rows(), parts);
    Strip strip;
    strip.first = cut.start(part) * whole.tile;
    strip.last = std::min(strip.first + cut.size(part) * whole.tile, whole.out.height);
    strip.in_line = std::max<std::int64_t>(strip.first - whole.pad_top, 0);
    return strip;
}

winograd::Execution execution_of(const winograd::Problem& whole, const Strip& strip, Isa isa) {
    winograd::Problem problem = whole;
    problem.pad_top = strip.in_line - (strip.first - whole.pad_top);
    problem.in.height -= strip.in_line;
    problem.out.height = strip.last - strip.first;
    winograd::cut_into_tasks(problem, 1);
    return {problem, isa, 1};
}

/// How an area lies; its border is not part of the pictures.
winograd::Pictures pictures_of(const Area& area) {
    winograd::Pictures pictures =
        winograd::lay_out(area.channels, area.height, area.width, area.lanes, Layout::blocked(area.lanes));
    pictures.row = area.line();
    pictures.block = area.plane();
    return pictures;
}

/// In multiply-adds: beginning and ending the sums of a group of tiles at one position and column, and a number of the
/// weights that comes from the second-level cache.
constexpr double group_cost = 1900, weight_cost = 4;

/// What `pictures` take at once, in multiply-adds; their transforms not counted.
double chunk_cost(const winograd::Problem& problem, std::int64_t pictures) {
    const std::int64_t tiles = pictures * problem.tiles();
    const std::int64_t groups = divide_up(tiles, problem.largest_group()) * problem.positions() * problem.columns();
    const std::int64_t products =
        tiles * problem.positions() * problem.in.channels * problem.out.blocks * problem.lanes;
    return static_cast<double>(products) + group_cost * static_cast<double>(groups) +
           weight_cost * static_cast<double>(problem.weight_floats());
}

/// Whether the transforms of so many pictures stay in the second-level cache.
bool chunk_fits(const winograd::Problem& problem, std::int64_t pictures) {
    constexpr std::int64_t cache_floats = 224 * 1024;
    const std::int64_t numbers = problem.positions() * (problem.in.blocks + 2) * problem.lanes;
    return pictures * problem.tiles() * numbers <= cache_floats;
}

}  // namespace

/// The number of pictures with which a group takes the least.
void Builder::choose_chunk() {
    double least = 0;
    for (std::int64_t pictures = 1; pictures <= net_.group; ++pictures) {
        const auto chunks = static_cast<double>(net_.group / pictures);
        const auto rest = static_cast<double>(net_.group % pictures);
        double cost = 0;
        for (const Stage& stage : net_.stages) {
            if (!is_transformed(stage)) continue;
            const winograd::Problem& problem = stage.multiply->transformed->problem;
            if (pictures > 1 && !chunk_fits(problem, pictures)) return;
            cost += chunks * chunk_cost(problem, pictures) + rest * chunk_cost(problem, 1);
        }
        if (pictures == 1 || cost < least) {
            least = cost;
            net_.chunk = pictures;
        }
    }
}

/// A picture's, as its areas lie.
winograd::Problem Builder::problem_of(const Stage& stage, bool pooled) {
    winograd::Problem problem = stage.multiply->transformed->problem;
    problem.in = pictures_of(area(stage.in));
    problem.out = pictures_of(area(stage.pools_at_once ? stage.middle : stage.out));
    problem.pooled = pooled;
    if (pooled) {
        problem.out.row = area(stage.out).line();
        problem.out.block = area(stage.out).plane();
    }
    return problem;
}

void Builder::finish_transformed() {
    for (Stage& stage : net_.stages) {
        if (!is_transformed(stage)) continue;
        Transformed& form = *stage.multiply->transformed;
        form.problem = problem_of(stage, stage.pools_at_once);
        const std::int64_t wanted = net_.group == 0 ? (net_.workers + net_.batch - 1) / net_.batch : 1;
        const std::int64_t parts = std::clamp<std::int64_t>(wanted, 1, form.problem.tile_rows());
        std::int64_t floats = 0;
        for (std::int64_t part = 0; part < parts; ++part) {
            Strip& strip = form.strips.emplace_back(cut_strip(form.problem, part, parts));
            strip.execution = execution_of(form.problem, strip, isa_);
            if (stage.pools_at_once) strip.unpooled = execution_of(problem_of(stage, false), strip, isa_);
            floats = std::max(floats, strip.execution.scratch_floats());
        }
        if (net_.chunk > 1) {
            winograd::Problem chunk = form.problem;
            chunk.batch = net_.chunk;
            chunk.in.picture = area(stage.in).picture;
            chunk.out.picture = area(stage.out).picture;
            winograd::cut_into_tasks(chunk, 1);
            form.chunk = winograd::Execution(chunk, isa_, 1);
            floats = std::max(floats, form.chunk->scratch_floats());
        }
        form.scratch = net_.own_floats;
        net_.own_floats += rounded(floats);
    }
}

/// Lines between a product and its pool, and the arranged input, are each worker's own. All else is shared where the
/// workers share stages; where each has pictures of its own, only what flat stages read is kept for a whole group.
void Builder::place_areas() {
    std::vector<bool> keeps(net_.areas.size(), net_.group == 0);
    std::vector<bool> own(net_.areas.size(), net_.group != 0);
    for (const Stage& stage : net_.stages) {
        if (stage.flat) keeps[static_cast<std::size_t>(stage.in)] = keeps[static_cast<std::size_t>(stage.out)] = true;
        if (stage.middle >= 0) own[static_cast<std::size_t>(stage.middle)] = true;
        if (stage.middle >= 0) keeps[static_cast<std::size_t>(stage.middle)] = false;
    }
    if (net_.chunk > 1) {
        for (const Stage& stage : net_.stages) {
            if (is_transformed(stage)) area(stage.in).per_chunk = area(stage.out).per_chunk = true;
        }
    }
    const std::int64_t pictures = net_.group == 0 ? net_.batch : net_.group;
    for (std::size_t i = 0; i < net_.areas.size(); ++i) {
        Area& area = net_.areas[i];
        if (area.place == Place::input || area.place == Place::output) continue;
        const bool arranged = static_cast<int>(i) == net_.arranged;
        area.place = own[i] || arranged ? Place::own : Place::shared;
        area.per_chunk = area.per_chunk && !keeps[i];
        area.picture = (keeps[i] || area.per_chunk) && !arranged ? spaced(area.floats()) : 0;
        std::int64_t& end = area.place == Place::own ? net_.own_floats : net_.shared_floats;
        area.offset = end;
        const std::int64_t held = area.per_chunk ? net_.chunk : pictures;
        end += area.picture > 0 ? area.picture * held : rounded(area.floats());
    }
}

}  // namespace seq::cpu::small
