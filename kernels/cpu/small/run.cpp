#include <algorithm>
#include <cstring>

#include "kernels/cpu/small/net.hpp"

namespace seq::cpu::small {
namespace {

const float* read_from(const Bases& bases, const Area& area, std::int64_t picture) {
    switch (area.place) {
        case Place::input: return bases.input + picture * area.picture;
        case Place::output: return bases.output + picture * area.picture;
        case Place::shared: return bases.shared + area.offset + picture * area.picture;
        case Place::own: break;
    }
    return bases.own + area.offset + (picture - (area.per_chunk ? bases.in_chunk : bases.first)) * area.picture;
}

float* write_to(const Bases& bases, const Area& area, std::int64_t picture) {
    return const_cast<float*>(read_from(bases, area, picture));
}

void apply(const std::vector<Call>& calls, float* data, std::int64_t count) {
    for (const Call& call : calls) call.function(data, nullptr, data, count, call.parameters.data());
}

/// Writes the zeros left and right of lines [first, last), above line 0 and below the last line.
void clear_border(const Area& area, float* data, std::int64_t first, std::int64_t last) {
    if (!area.has_border()) return;
    const std::int64_t line = area.line();
    for (std::int64_t block = 0; block < area.blocks(); ++block) {
        float* plane = data + block * area.plane();
        if (first == 0) std::fill_n(plane, area.top * line, 0.0f);
        for (std::int64_t y = first; y < last; ++y) {
            float* start = plane + (area.top + y) * line;
            std::fill_n(start, area.left * area.lanes, 0.0f);
            std::fill_n(start + (area.left + area.width) * area.lanes, area.right * area.lanes, 0.0f);
        }
        if (last == area.height) std::fill_n(plane + (area.top + last) * line, area.bottom * line, 0.0f);
    }
}

/// The same, unless it was done in this run: nobody writes to the border of an area that holds a picture at a time.
void need_border(const Net& net, int index, Bases& bases, float* data, std::int64_t first, std::int64_t last) {
    const Area& area = net.areas[static_cast<std::size_t>(index)];
    if (area.place == Place::own && area.picture == 0 && index < 64 && first == 0 && last == area.height) {
        const std::uint64_t bit = std::uint64_t{1} << index;
        if ((bases.bordered & bit) != 0) return;
        bases.bordered |= bit;
    }
    clear_border(area, data, first, last);
}

/// Plain [channels, height, width] into an area, within its border.
void arrange(const Area& area, const float* plain, float* data) {
    if (area.channels % area.lanes != 0) std::fill_n(data + (area.blocks() - 1) * area.plane(), area.plane(), 0.0f);
    float* origin = data + area.origin();
    for (std::int64_t c = 0; c < area.channels; ++c) {
        float* plane = origin + c / area.lanes * area.plane() + c % area.lanes;
        for (std::int64_t y = 0; y < area.height; ++y, plain += area.width) {
            float* line = plane + y * area.line();
            if (area.lanes == 1) {
                std::copy_n(plain, area.width, line);
            } else {
                for (std::int64_t x = 0; x < area.width; ++x) line[x * area.lanes] = plain[x];
            }
        }
    }
}

/// Lines [first, last) of an area into plain [channels, height, width].
void deliver_lines(const Area& area, const float* data, float* plain, std::int64_t first, std::int64_t last) {
    const float* origin = data + area.origin();
    for (std::int64_t c = 0; c < area.channels; ++c) {
        const float* plane = origin + c / area.lanes * area.plane() + c % area.lanes;
        for (std::int64_t y = first; y < last; ++y) {
            const float* line = plane + y * area.line();
            float* target = plain + (c * area.height + y) * area.width;
            for (std::int64_t x = 0; x < area.width; ++x) target[x] = line[x * area.lanes];
        }
    }
}

/// All columns, or those of panels [first, last), for `outputs` in each of `lines`. `product`: of its first position.
void multiply(const ProductTable& table, const Multiply& multiply, Product& product, const float* packed,
              std::int64_t lanes, std::int64_t outputs, std::int64_t first, std::int64_t last) {
    const std::int64_t vectors = multiply.vectors;
    const auto taps = static_cast<std::int64_t>(multiply.taps.size());
    const float* input = product.input;
    float* const output = product.output;
    const float* const bias = packed + multiply.packed;
    for (std::int64_t panel = first; panel < last; ++panel) {
        const std::int64_t vector = panel * most_columns;
        const std::int64_t columns = std::min<std::int64_t>(most_columns, vectors - vector);
        const std::int64_t most = table.most[columns - 1];
        const std::int64_t tile = outputs <= most ? outputs : divide_up(outputs, divide_up(outputs, most));
        const auto& functions = table.functions[product.position_stride == 1 ? 1 : 0][columns - 1];
        product.bias = bias + vector * lanes;
        product.weights = bias + (vectors + vector * taps) * lanes;
        product.input = input;
        product.output = output + vector * product.out_column_stride;
        product.tiles = outputs <= most ? 1 : outputs / tile;
        functions[tile - 1](product);
        const std::int64_t done = product.tiles * tile;
        if (done == outputs) continue;
        product.input += done * table.step * product.position_stride;
        product.output += done * product.out_position_stride;
        product.tiles = 1;
        functions[outputs - done - 1](product);
    }
}

/// All but where it reads and writes.
Product product_of(const Multiply& multiply) {
    Product product;
    product.position_stride = multiply.position_stride;
    product.line_stride = multiply.line_stride;
    product.runs = multiply.runs.data();
    product.runs_end = product.runs + multiply.runs.size();
    product.low = multiply.low;
    product.high = multiply.high;
    return product;
}

void apply_to_lines(const std::vector<Call>& calls, const Area& area, float* data, std::int64_t first,
                    std::int64_t last) {
    if (calls.empty()) return;
    for (std::int64_t block = 0; block < area.blocks(); ++block) {
        for (std::int64_t y = first; y < last; ++y)
            apply(calls, data + area.origin() + block * area.plane() + y * area.line(), area.width * area.lanes);
    }
}

/// Lines [first, last) of what the products give; `output` holds line `origin` first.
void multiply_lines(const Net& net, const Stage& stage, const Bases& bases, std::int64_t picture, const Area& out,
                    float* output, std::int64_t origin, std::int64_t first, std::int64_t last) {
    if (first >= last) return;
    const Area& in = net.areas[static_cast<std::size_t>(stage.in)];
    const Multiply& with = *stage.multiply;
    const ProductTable& table = stage.pools_at_once ? net.routines->pooled_product : net.routines->product;
    Product product = product_of(with);
    product.input = read_from(bases, in, picture) + first * table.step * with.line_stride;
    product.out_position_stride = out.lanes;
    product.out_line_stride = out.line();
    product.out_column_stride = out.plane();
    product.output = output + out.origin() + (first - origin) * out.line();
    product.lines = last - first;
    multiply(table, with, product, bases.weights, net.lanes(), out.width, 0, with.panels);
    apply_to_lines(with.calls, out, output, first - origin, last - origin);
}

void pool_lines(const Stage& stage, const Area& in, const float* input, std::int64_t input_line, const Area& out,
                float* output, std::int64_t first, std::int64_t last) {
    const Pooling& pooling = *stage.pooling;
    PoolWork work;
    work.plan = &pooling.plan;
    work.input_line = input_line;
    work.line_stride = in.line();
    work.out_line_stride = out.line();
    work.first = first;
    work.last = last;
    for (std::int64_t block = 0; block < out.blocks(); ++block) {
        work.input = input + in.origin() + block * in.plane();
        work.output = output + out.origin() + block * out.plane();
        pooling.function(work);
    }
}

void copy_lines(const Area& in, const float* input, const Area& out, float* output, std::int64_t first,
                std::int64_t last) {
    for (std::int64_t block = 0; block < out.blocks(); ++block) {
        for (std::int64_t y = first; y < last; ++y) {
            std::copy_n(input + in.origin() + block * in.plane() + y * in.line(), in.width * in.lanes,
                        output + out.origin() + block * out.plane() + y * out.line());
        }
    }
}

void multiply_and_pool(const Net& net, const Stage& stage, const Bases& bases, std::int64_t picture, const Area& out,
                       float* output, std::int64_t first, std::int64_t last) {
    const Area& middle = net.areas[static_cast<std::size_t>(stage.middle)];
    float* const lines = bases.own + middle.offset;
    const PoolAxis& axis = stage.pooling->plan.axes[1];
    for (std::int64_t y = first; y < last; y += stage.block) {
        const std::int64_t end = std::min(y + stage.block, last);
        const PoolRange needed = range_of(axis, y, end);
        multiply_lines(net, stage, bases, picture, middle, lines, needed.begin, needed.begin, needed.end);
        pool_lines(stage, middle, lines, needed.begin, out, output, y, end);
    }
}

/// Outputs of panels [first, last) of `count` rows.
void multiply_rows(const Net& net, const Multiply& with, const float* packed, const Area& in, const float* input,
                   const Area& out, float* output, std::int64_t count, std::int64_t first, std::int64_t last) {
    if (with.dot_row == 0) {
        // Every field is named, since clearing the rest would take longer than a small product.
        Product product{.input = input,
                        .position_stride = in.picture,
                        .line_stride = 0,
                        .runs = with.runs.data(),
                        .runs_end = with.runs.data() + with.runs.size(),
                        .weights = nullptr,
                        .bias = nullptr,
                        .output = output,
                        .out_position_stride = out.picture,
                        .out_line_stride = 0,
                        .out_column_stride = out.plane(),
                        .tiles = 0,
                        .lines = 1,
                        .low = with.low,
                        .high = with.high};
        return multiply(net.routines->product, with, product, packed, net.lanes(), count, first, last);
    }
    const std::int64_t panel = net.panel_outputs();
    net.routines->dot({.input = input,
                       .position_stride = in.picture,
                       .positions = count,
                       .taps = static_cast<std::int64_t>(with.taps.size()),
                       .weights = packed + with.packed,
                       .row = with.dot_row,
                       .output = output,
                       .out_position_stride = out.picture,
                       .first = first * panel,
                       .last = std::min(last * panel, with.outputs),
                       .low = with.low,
                       .high = with.high});
}

void deliver_row(const Net& net, const Area& area, const Bases& bases, std::int64_t picture, std::int64_t count,
                 std::int64_t first, std::int64_t last) {
    for (std::int64_t i = picture; i < picture + count; ++i) {
        const float* row = read_from(bases, area, i);
        std::copy(row + first, row + last, bases.output + i * net.output_floats + first);
    }
}

/// All but the output; the input from line `in_line` on.
winograd::Operands operands_of(const Net& net, const Stage& stage, const Bases& bases, std::int64_t picture,
                               std::int64_t in_line) {
    const Area& in = net.areas[static_cast<std::size_t>(stage.in)];
    const Area& out = net.areas[static_cast<std::size_t>(stage.out)];
    const float* const packed = bases.weights + stage.multiply->packed;
    winograd::Operands operands;
    operands.input = read_from(bases, in, picture) + in.origin() + in_line * in.line();
    operands.epilogue.bias = packed;
    operands.epilogue.low = stage.multiply->low;
    operands.epilogue.high = stage.multiply->high;
    operands.weights = packed + out.blocks() * out.lanes;
    return operands;
}

/// What follows the product and the pool, for lines [first, last) of the output.
void finish_transformed(const Net& net, const Stage& stage, const Bases& bases, std::int64_t picture,
                        std::int64_t first, std::int64_t last) {
    const Area& out = net.areas[static_cast<std::size_t>(stage.out)];
    float* const output = write_to(bases, out, picture);
    apply_to_lines(stage.pooling ? stage.pooling->calls : stage.multiply->calls, out, output, first, last);
    if (stage.out == net.delivered) deliver_lines(out, output, bases.output + picture * net.output_floats, first, last);
}

/// Copies the picture of the input to where the stage reads it, unless it is there.
void need_arranged(const Net& net, const Stage& stage, Bases& bases, std::int64_t picture) {
    if (stage.in != net.arranged || bases.arranged == picture) return;
    const Area& in = net.areas[static_cast<std::size_t>(stage.in)];
    need_border(net, stage.in, bases, bases.own + in.offset, 0, in.height);
    arrange(in, bases.input + picture * net.input_floats, bases.own + in.offset);
    bases.arranged = picture;
}

}  // namespace

void run_strip(const Net& net, std::size_t index, Bases& bases, std::int64_t picture, const Strip& strip) {
    const Stage& stage = net.stages[index];
    const Area& out = net.areas[static_cast<std::size_t>(stage.out)];
    need_arranged(net, stage, bases, picture);
    const std::int64_t step = stage.pools_at_once ? 2 : 1, first = strip.first / step, last = strip.last / step;
    float* const output = write_to(bases, out, picture);
    winograd::Operands operands = operands_of(net, stage, bases, picture, strip.in_line);
    operands.output = output + out.origin() + first * out.line();
    float* const scratch = bases.own + stage.multiply->transformed->scratch;
    need_border(net, stage.out, bases, output, first, last);
    if (!bases.nonfinite) {
        strip.execution.run(operands, scratch);
    } else if (!strip.unpooled) {
        strip.execution.run_careful(operands, scratch);
    } else {
        const Area& middle = net.areas[static_cast<std::size_t>(stage.middle)];
        float* const lines = bases.own + middle.offset;
        operands.output = lines + middle.origin() + strip.first * middle.line();
        strip.unpooled->run_careful(operands, scratch);
        pool_lines(stage, middle, lines, 0, out, output, first, last);
    }
    finish_transformed(net, stage, bases, picture, first, last);
}

void run_chunk(const Net& net, std::size_t index, Bases& bases, std::int64_t picture) {
    const Stage& stage = net.stages[index];
    const Area& out = net.areas[static_cast<std::size_t>(stage.out)];
    const Transformed& form = *stage.multiply->transformed;
    winograd::Operands operands = operands_of(net, stage, bases, picture, 0);
    operands.output = write_to(bases, out, picture) + out.origin();
    form.chunk->run(operands, bases.own + form.scratch);
    for (std::int64_t i = picture; i < picture + net.chunk; ++i) {
        clear_border(out, write_to(bases, out, i), 0, out.height);
        finish_transformed(net, stage, bases, i, 0, out.height);
    }
}

void run_lines(const Net& net, std::size_t index, Bases& bases, std::int64_t picture, std::int64_t first,
               std::int64_t last) {
    const Stage& stage = net.stages[index];
    const Area& in = net.areas[static_cast<std::size_t>(stage.in)];
    const Area& out = net.areas[static_cast<std::size_t>(stage.out)];
    if (stage.multiply && stage.multiply->transformed) {
        for (const Strip& strip : stage.multiply->transformed->strips) run_strip(net, index, bases, picture, strip);
        return;
    }
    need_arranged(net, stage, bases, picture);
    float* const output = write_to(bases, out, picture);
    need_border(net, stage.out, bases, output, first, last);
    if (stage.middle >= 0) {
        multiply_and_pool(net, stage, bases, picture, out, output, first, last);
    } else if (stage.multiply) {
        multiply_lines(net, stage, bases, picture, out, output, 0, first, last);
    } else if (stage.pooling) {
        pool_lines(stage, in, read_from(bases, in, picture), 0, out, output, first, last);
    } else {
        copy_lines(in, read_from(bases, in, picture), out, output, first, last);
        apply_to_lines(stage.calls, out, output, first, last);
    }
    if (stage.pooling) apply_to_lines(stage.pooling->calls, out, output, first, last);
    if (stage.out == net.delivered) deliver_lines(out, output, bases.output + picture * net.output_floats, first, last);
}

void run_rows(const Net& net, std::size_t index, Bases& bases, std::int64_t picture, std::int64_t count,
              std::int64_t first, std::int64_t last) {
    const Stage& stage = net.stages[index];
    const Area& in = net.areas[static_cast<std::size_t>(stage.in)];
    const Area& out = net.areas[static_cast<std::size_t>(stage.out)];
    const float* const input = read_from(bases, in, picture);
    float* const output = write_to(bases, out, picture);
    std::int64_t begin = 0, end = out.channels;
    if (stage.multiply) {
        multiply_rows(net, *stage.multiply, bases.weights, in, input, out, output, count, first, last);
        begin = first * net.panel_outputs();
        end = std::min(last * net.panel_outputs(), out.channels);
        if (!stage.multiply->calls.empty()) {
            for (std::int64_t i = 0; i < count; ++i)
                apply(stage.multiply->calls, output + i * out.picture + begin, end - begin);
        }
    } else {
        for (std::int64_t i = 0; i < count; ++i) {
            float* row = output + i * out.picture;
            if (stage.softmax) {
                net.softmax(&*stage.softmax, input + i * in.picture, row, 1);
            } else {
                std::copy_n(input + i * in.picture, in.floats(), row);
                apply(stage.calls, row, in.floats());
            }
        }
    }
    if (stage.out == net.delivered) deliver_row(net, out, bases, picture, count, begin, end);
}

}  // namespace seq::cpu::small
