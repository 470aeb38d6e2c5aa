// SPDX-License-Identifier: Apache-2.0
#include "plan/check_segments.hpp"

#include <algorithm>

#include "ir/rows.hpp"

namespace mote {

namespace {

struct Place {
  int64_t begin = 0, end = 0;  // in the arena
};

// What one core's part of a step touches.
struct Touched {
  std::vector<Place> reads, writes;
};

bool meet(const std::vector<Place>& some, const std::vector<Place>& others) {
  for (const Place& a : some) {
    for (const Place& b : others) {
      if (a.begin < b.end && b.begin < a.end) return true;
    }
  }
  return false;
}

class Replay {
 public:
  Replay(const Graph& graph, const Plan& plan)
      : graph_(graph), plan_(plan), held_(static_cast<size_t>(plan.arena_bytes), nothing) {
    int64_t begin = 0;
    for (const Arena& arena : arenas_of(plan)) {
      arena_begin_.push_back(begin);
      begin += arena.bytes;
    }
  }

  void run() {
    if (streams_input(plan_)) {
      check_row_input();
      write_whole(plan_.rows_pushed, 4);
    }
    for (size_t i = 0; i < plan_.inputs.size() && !streams_input(plan_); ++i)
      write_whole(plan_.inputs[i], bytes_of(graph_.inputs[i]));
    for (const State& state : plan_.states) write_whole(state.buffer, bytes_of(state.tensor));
    auto segment = plan_.segments.begin();
    for (size_t step = 0; step < plan_.steps.size(); ++step) {
      move_before(step);
      if (segment != plan_.segments.end() && segment->first == step) {
        run_segment(*segment);
        step = segment->last;
        ++segment;
      } else {
        run_whole(plan_.steps[step]);
      }
    }
    require(segment == plan_.segments.end(), "the plan's segments are not in the order of its steps");
    where_ = "the end of the run";
    if (streams_input(plan_)) read(plan_.rows_pushed, 0, 4, home(plan_.rows_pushed));
    for (size_t i = 0; i < plan_.outputs.size(); ++i)
      read(plan_.outputs[i], 0, bytes_of(graph_.outputs[i]), home(plan_.outputs[i]));
    for (const State& state : plan_.states) read(state.buffer, 0, bytes_of(state.tensor), home(state.buffer));
  }

 private:
  // Byte `byte` of the tensor in `buffer`; plan_.buffers.size() more: of one that is not finished.
  static uint64_t tag(size_t buffer, int64_t byte) {
    return (static_cast<uint64_t>(buffer + 1) << 40) | static_cast<uint64_t>(byte);
  }
  static constexpr uint64_t nothing = 0;

  // Where a buffer begins, all arenas taken for one.
  [[nodiscard]] int64_t home(size_t buffer) const {
    return arena_begin_.at(plan_.buffers[buffer].arena) + plan_.buffers[buffer].offset;
  }

  [[nodiscard]] int64_t bytes_of(TensorId id) const { return byte_size(graph_.tensors[id].type); }

  // Bytes [low, high) of the buffer's tensor lie at `place` of the arena.
  void read(size_t buffer, int64_t low, int64_t high, int64_t place) const {
    read_tags(buffer, plan_.names[buffer], low, high, place);
  }

  void read_tags(size_t buffer, const std::string& name, int64_t low, int64_t high, int64_t place) const {
    for (int64_t byte = low; byte < high; ++byte, ++place) {
      require(place >= 0 && place < plan_.arena_bytes && held_[static_cast<size_t>(place)] == tag(buffer, byte),
              "the memory plan is wrong: {} reads byte {} of '{}' at {} of the arena, where it is not", where_,
              byte, name, place);
    }
  }

  void write(size_t buffer, int64_t low, int64_t high, int64_t place) {
    const int64_t begin = home(buffer), bytes = plan_.buffers[buffer].bytes;
    require(place >= begin && place + high - low <= begin + bytes,
            "the memory plan is wrong: {} writes beyond the {} bytes of '{}'", where_, bytes, plan_.names[buffer]);
    set_tags(buffer, low, high, place);
  }

  void set_tags(size_t buffer, int64_t low, int64_t high, int64_t place) {
    for (int64_t byte = low; byte < high; ++byte, ++place) held_[static_cast<size_t>(place)] = tag(buffer, byte);
  }

  void write_whole(size_t buffer, int64_t bytes) { write(buffer, 0, bytes, home(buffer)); }

  void move_before(size_t step) {
    const auto here = [&](const Move& move) { return move.step == step; };
    require(std::count_if(plan_.moves.begin(), plan_.moves.end(), here) <= 1,
            "the memory plan is wrong: two tensors move before step {}, one perhaps over the other", step);
    for (const Move& move : plan_.moves) {
      if (move.step != step) continue;
      where_ = fmt::format("the move before step {}", step);
      const int64_t bytes = plan_.buffers[move.from].bytes;
      require(bytes == plan_.buffers[move.to].bytes, "the memory plan is wrong: {} changes a size", where_);
      read(move.from, 0, bytes, home(move.from));
      write_whole(move.to, bytes);
    }
  }

  void spoil(const Place& place) { std::fill(held_.begin() + place.begin, held_.begin() + place.end, nothing); }

  [[nodiscard]] std::vector<Place> scratch_of(const Step& step) const {
    if (step.scratch == no_buffer) return {};
    return {{home(step.scratch), home(step.scratch) + plan_.buffers[step.scratch].bytes}};
  }

  // The scratch of one strip: all there is, or that of one core.
  [[nodiscard]] std::vector<Place> scratch_of(const Segment& segment, const Step& step, int32_t strip) const {
    std::vector<Place> scratch = scratch_of(step);
    if (!segment.parallel || scratch.empty()) return scratch;
    const int64_t begin = scratch[0].begin + strip * segment.scratch_stride;
    require(begin + step.call.scratch_bytes <= scratch[0].end,
            "the memory plan is wrong: {} has no scratch for core {}", where_, strip);
    return {{begin, begin + step.call.scratch_bytes}};
  }

  // When such a step may overwrite what it reads is proven by check().
  void run_whole(const Step& step) {
    const Node& node = graph_.nodes[step.node];
    where_ = node.origin;
    for (const Place& place : scratch_of(step)) spoil(place);
    for (size_t i = 0; i < node.in.size(); ++i) {
      if (step.in[i] != no_buffer) read(step.in[i], 0, bytes_of(node.in[i]), home(step.in[i]));
    }
    for (size_t i = 0; i < node.out.size(); ++i) write_whole(step.out[i], bytes_of(node.out[i]));
    for (const Place& place : scratch_of(step)) spoil(place);
  }

  // The application's rows are read by step 0 alone, one in each of the first strips.
  void check_row_input() const {
    require(plan_.inputs.size() == 1 && !plan_.segments.empty() && plan_.segments[0].first == 0,
            "the memory plan is wrong: rows come, but no segment takes them");
    for (size_t step = 0; step < plan_.steps.size(); ++step) {
      for (const size_t buffer : plan_.steps[step].in)
        require(buffer != plan_.inputs[0] || step == 0, "the memory plan is wrong: step {} reads the input", step);
    }
    const StripStep& first = plan_.segments[0].steps.at(0);
    require(plan_.segments[0].strips >= first.done.rows, "the memory plan is wrong: {} strips for {} rows",
            plan_.segments[0].strips, first.done.rows);
    for (int32_t strip = 0; strip < plan_.segments[0].strips; ++strip) {
      require(first.done.at(strip) == std::min(strip + 1, first.done.rows),
              "the memory plan is wrong: in strip {} not one row comes", strip);
    }
  }

  [[nodiscard]] bool pushed(size_t buffer) const { return streams_input(plan_) && buffer == plan_.inputs[0]; }

  void run_segment(const Segment& segment) {
    require(segment.last < plan_.steps.size() && segment.steps.size() == segment.last - segment.first + 1,
            "a segment does not fit its steps");
    require(!segment.parallel || (segment.steps.size() == 1 && segment.windows.empty()),
            "a segment for several cores has {} steps and {} windows", segment.steps.size(),
            segment.windows.size());
    std::vector<int64_t> rows_done(segment.steps.size(), 0);
    std::vector<Touched> by_core;
    for (int32_t strip = 0; strip < segment.strips; ++strip) {
      for (size_t i = 0; i < segment.steps.size(); ++i) {
        const Step& step = plan_.steps[segment.first + i];
        where_ = fmt::format("{} in strip {}", graph_.nodes[step.node].origin, strip);
        const StripStep& rows = segment.steps[i];
        if (rows.out.window != no_window) slide(segment.windows.at(rows.out.window), strip);
        const int64_t begin = rows.done.at(strip - 1), end = rows.done.at(strip);
        require(begin == rows_done[i] && begin <= end, "the memory plan is wrong: {} does rows {} to {} after {}",
                where_, begin, end, rows_done[i]);
        rows_done[i] = end;
        if (begin == end) continue;
        by_core.push_back(run_strip(segment, step, rows, strip));
      }
    }
    if (segment.parallel) check_cores(by_core);
  }

  // In whatever order the cores come to it, no byte that one of them writes is another's as well.
  void check_cores(const std::vector<Touched>& by_core) const {
    for (const Touched& one : by_core) {
      for (const Touched& other : by_core) {
        if (&one == &other) continue;
        require(!meet(one.writes, other.writes) && !meet(one.writes, other.reads),
                "the memory plan is wrong: {}: a core writes what another core uses at the same time", where_);
      }
    }
  }

  void slide(const StripWindow& window, int32_t strip) {
    const int64_t first = window.first_row(strip - 1), next = window.first_row(strip);
    const int64_t end = window.written.at(strip - 1);
    require(first <= next && next <= end, "the memory plan is wrong: {} moves rows {} to {} of {} to the front",
            where_, next, end, first);
    const auto front = held_.begin() + home(window.buffer);
    std::copy(front + (next - first) * window.row_bytes, front + (end - first) * window.row_bytes, front);
  }

  [[nodiscard]] int64_t place(const Segment& segment, size_t buffer, const StripTensor& tensor, int64_t row,
                              int32_t strip) const {
    const int64_t first = tensor.window == no_window ? 0 : segment.windows.at(tensor.window).first_row(strip);
    return home(buffer) + (row - first) * tensor.row_bytes;
  }

  Touched run_strip(const Segment& segment, const Step& step, const StripStep& rows, int32_t strip) {
    const Node& node = graph_.nodes[step.node];
    if (folds_rows(*node.op)) return run_fold(segment, step, rows, strip);
    const std::vector<const Tensor*> in = inputs_of(graph_, node);
    const Types out = output_types(graph_, node);
    const auto begin = rows.done.at(strip - 1), end = rows.done.at(strip);
    Region region = whole(out[0].shape);
    region.dims[1] = {begin, end};
    const int64_t to = place(segment, step.out[0], rows.out, begin, strip);
    const Place written{to, to + (end - begin) * rows.out.row_bytes};
    require(rows.out.row_bytes * out[0].shape[1] == byte_size(out[0]), "{}: rows of {} bytes", where_,
            rows.out.row_bytes);
    Touched touched{{}, scratch_of(segment, step, strip)};
    for (const Place& scratch : touched.writes) spoil(scratch);
    touched.writes.push_back(written);
    for (size_t i = 0; i < node.in.size(); ++i) {
      if (step.in[i] == no_buffer) continue;
      const Region needed = node.op->needs(i, region, in, out);
      const Shape& shape = in[i]->type.shape;
      const StripInput& input = rows.in[i];
      Region::Range range{input.low.at(begin), input.high.at(end)};
      if (shape.size() == out[0].shape.size()) {
        require(range == needed.dims[1],
                "the memory plan is wrong: {} reads rows {} to {} of input {}, not {} to {}", where_,
                needed.dims[1].low, needed.dims[1].high, i, range.low, range.high);
      } else {
        require(range.high * input.tensor.row_bytes == byte_size(in[i]->type) && range.low == 0,
                "the memory plan is wrong: {} does not read input {} as a whole", where_, i);
      }
      if (pushed(step.in[i])) continue;  // from the application's memory
      const int64_t from = place(segment, step.in[i], input.tensor, range.low, strip);
      read(step.in[i], range.low * input.tensor.row_bytes, range.high * input.tensor.row_bytes, from);
      touched.reads.push_back({from, from + (range.high - range.low) * input.tensor.row_bytes});
      require(!meet({written}, {touched.reads.back()}), "the memory plan is wrong: {} overwrites what it reads",
              where_);
    }
    check_fields(step, rows, strip);
    write(step.out[0], begin * rows.out.row_bytes, end * rows.out.row_bytes, to);
    for (const Place& scratch : scratch_of(segment, step, strip)) spoil(scratch);
    return touched;
  }

  // Rows of the only input, in their order, into all of the output, which is nobody's before the last one.
  Touched run_fold(const Segment& segment, const Step& step, const StripStep& rows, int32_t strip) {
    const TensorType& in = graph_.tensors[graph_.nodes[step.node].in[0]].type;
    const int64_t begin = rows.done.at(strip - 1), end = rows.done.at(strip);
    const size_t out = step.out[0], unfinished = plan_.buffers.size() + out;
    const int64_t bytes = bytes_of(graph_.nodes[step.node].out[0]), to = home(out);
    const StripInput& input = rows.in.at(0);
    require(!segment.parallel && rows.out.window == no_window && rows.out.row_bytes == 0 &&
                rows.done.rows == in.shape[1] && input.tensor.row_bytes * in.shape[1] == byte_size(in),
            "the memory plan is wrong: {} does not fold the rows that there are", where_);
    const int32_t low = input.low.at(rows.done.at(strip - 1)), high = input.high.at(rows.done.at(strip));
    require(low == begin && high == end, "the memory plan is wrong: {} reads rows {} to {}, not {} to {}", where_,
            low, high, begin, end);
    const int64_t from = place(segment, step.in[0], input.tensor, low, strip);
    read(step.in[0], low * input.tensor.row_bytes, high * input.tensor.row_bytes, from);
    const Place read_bytes{from, from + (high - low) * input.tensor.row_bytes}, written{to, to + bytes};
    require(!meet({written}, {read_bytes}), "the memory plan is wrong: {} overwrites what it reads", where_);
    if (begin > 0) read_tags(unfinished, plan_.names[out], 0, bytes, to);
    check_fields(step, rows, strip);
    write(out, 0, bytes, to);
    if (end < rows.done.rows) set_tags(unfinished, 0, bytes, to);
    return {{read_bytes}, {written}};
  }

  // The closed forms give what the kernels of the host were made with.
  void check_fields(const Step& step, const StripStep& rows, int32_t strip) const {
    const size_t kind = rows.kind_of_strip.at(static_cast<size_t>(strip));
    require(kind < rows.kinds.size(), "the memory plan is wrong: {} has no kernel", where_);
    const int64_t begin = rows.done.at(strip - 1), end = rows.done.at(strip);
    for (size_t i = 0; i < rows.fields.size(); ++i) {
      const StripField& field = rows.fields[i];
      int64_t quantity = begin;
      if (field.of == StripField::Of::out_rows) quantity = end - begin;
      if (field.of == StripField::Of::in_rows) {
        const StripInput& input = rows.in.at(field.input);
        quantity = input.high.at(static_cast<int32_t>(end)) - input.low.at(static_cast<int32_t>(begin));
      }
      const int64_t value = std::max<int64_t>(0, field.offset + field.factor * quantity);
      require(rows.kinds[kind].values.at(i) == std::to_string(value),
              "the memory plan is wrong: {} has {} = {}, not {}", where_, step.call.fields.at(field.field).name,
              value, rows.kinds[kind].values[i]);
    }
  }

  const Graph& graph_;
  const Plan& plan_;
  std::vector<uint64_t> held_;  // one a byte of the arena
  std::vector<int64_t> arena_begin_;
  std::string where_;
};

}  // namespace

void check_segments(const Graph& graph, const Plan& plan) { Replay(graph, plan).run(); }

}  // namespace mote
