// SPDX-License-Identifier: Apache-2.0
// Each task computes its rows at the constant rate that its strides give, as early as its inputs allow; then
// branches that would wait for others start later, where that keeps fewer rows.
#include "plan/strip_layout.hpp"

#include <algorithm>
#include <bit>
#include <limits>

namespace mote {

namespace {

constexpr int64_t most_step = 255, most_shift = 12;  // of a rate that is not whole; the step fits a byte
constexpr int64_t most_strips = 4096;

struct Rate {
  int64_t step = 1, shift = 0;  // step / 2^shift rows a strip
};

// The strip after which all rows are done.
int64_t finish(const nn::RowCount& done) {
  const int64_t left = (int64_t{done.rows} << done.shift) - done.start;
  return left <= 0 ? 0 : (left + done.step - 1) / done.step;
}

class Layout {
 public:
  Layout(const OrderedTasks& order, size_t first, size_t last, const StripHeight& height)
      : order_(order), first_(first), last_(last), height_(height) {}

  std::optional<StripLayout> make(EarliestRows& known) {
    for (size_t position = first_ + known.done.size(); position <= last_; ++position) {
      if (!order_.rows[position] || !reads_rows(position)) return std::nullopt;
    }
    highest_source_ = highest_source();
    if (known.highest_source == highest_source_) done_ = known.done;
    for (size_t position = first_ + done_.size(); position <= last_; ++position) {
      done_.push_back(earliest(position, rate_of(position)));
      if (finish(done_.back()) > most_strips) return std::nullopt;
    }
    known = {highest_source_, done_};
    if (!needs_height()) return StripLayout{first_, last_, 0, done_, {}, {}, 0, 0};
    count_strips();
    StripLayout best = windows();
    // Backwards, so that a branch's tasks move one after the other.
    for (size_t position = last_; position-- > first_;) {
      if (order_.row_input && position == 0) break;  // a row comes in each strip
      const nn::RowCount kept = done_[position - first_];
      const nn::RowCount later = latest(position);
      if (later.start == kept.start) continue;
      done_[position - first_] = later;
      StripLayout tried = windows();
      if (tried.window_bytes < best.window_bytes) {
        best = std::move(tried);
      } else {
        done_[position - first_] = kept;
      }
    }
    return best;
  }

 private:
  // Of less than a row a strip: would some task do more than one at twice the height?
  [[nodiscard]] bool needs_height() const {
    const auto quick = [](const nn::RowCount& done) { return 2 * done.step > 1 << done.shift; };
    return height_.shift == 0 || std::any_of(done_.begin(), done_.end(), quick);
  }

  [[nodiscard]] const RowTask& task(size_t position) const { return *order_.rows[position]; }
  [[nodiscard]] const nn::RowCount& done(size_t position) const { return done_[position - first_]; }
  [[nodiscard]] bool inside(size_t value) const {
    return order_.born[value] >= static_cast<int64_t>(first_) && order_.born[value] <= static_cast<int64_t>(last_);
  }
  [[nodiscard]] size_t writer(size_t value) const { return static_cast<size_t>(order_.born[value]); }

  // What the segment writes is read as the same rows, by rows.
  [[nodiscard]] bool reads_rows(size_t position) const {
    for (const RowInput& input : task(position).inputs) {
      if (!inside(input.value)) continue;
      const RowTask& source = task(writer(input.value));
      if (input.whole || source.rows != input.rows || source.row_bytes != input.row_bytes) return false;
    }
    return true;
  }

  // The least rate that its producers allow; a task without any goes by its number of rows.
  [[nodiscard]] Rate rate_of(size_t position) const {
    std::optional<Rate> least;
    for (const RowInput& input : task(position).inputs) {
      if (!inside(input.value)) continue;
      const Rate rate = reader_rate(done(writer(input.value)), task(position), input);
      if (!least || (rate.step << least->shift) < (least->step << rate.shift)) least = rate;
    }
    return least ? *least : source_rate(position);
  }

  // The source's rate divided by the stride with which the task reads it.
  [[nodiscard]] static Rate reader_rate(const nn::RowCount& source, const RowTask& task, const RowInput& input) {
    int64_t rows = int64_t{1} << input.low.shift, source_rows = input.low.step;
    if (input.low.shift > 0 && !std::has_single_bit(static_cast<uint64_t>(source_rows))) {
      // Only near the true stride: that of the images, or of images whose corners are aligned.
      const auto distance = [&](int64_t corner) {
        return std::abs(source_rows * (task.rows - corner) - (input.rows - corner) * rows) *
               (task.rows - 1 + corner);
      };
      const int64_t corner = distance(1) < distance(0) ? 1 : 0;
      rows = task.rows - corner, source_rows = input.rows - corner;
    }
    // Where no such number is the quotient, the nearest: its error adds up to a row in hundreds of strips, which
    // the starts make up for.
    int64_t step = source.step * rows, shift = source.shift;
    for (; source_rows % 2 == 0; source_rows /= 2) ++shift;
    for (; step % source_rows != 0 && 2 * step < most_step * source_rows && shift < most_shift; step *= 2) ++shift;
    step = std::max<int64_t>((2 * step + source_rows) / (2 * source_rows), 1);
    for (; shift > 0 && (step % 2 == 0 || step > most_step || shift > most_shift); --shift)
      step = std::max<int64_t>(step / 2, 1);
    return {step, shift};
  }

  // Rows of the highest output among the tasks that read nothing of the segment.
  [[nodiscard]] int64_t highest_source() const {
    int64_t highest = 0;
    for (size_t position = first_; position <= last_; ++position) {
      const auto from_inside = [&](const RowInput& input) { return inside(input.value); };
      const std::vector<RowInput>& inputs = task(position).inputs;
      if (std::none_of(inputs.begin(), inputs.end(), from_inside))
        highest = std::max(highest, task(position).rows);
    }
    return highest;
  }

  [[nodiscard]] Rate source_rate(size_t position) const {
    Rate rate{height_.rows, height_.shift};
    for (int64_t rows = task(position).rows; 4 * rows <= 3 * highest_source_; rows *= 2) {
      rate.step % 2 == 0 ? rate.step /= 2 : ++rate.shift;
    }
    return rate;
  }

  // Every row is there when it is read.
  [[nodiscard]] bool in_time(const nn::RowCount& reader, const nn::RowCount& source, const RowInput& input) const {
    const int64_t end = std::max(finish(reader), finish(source));
    for (int32_t strip = 0; strip <= end; ++strip) {
      const int32_t rows = reader.at(strip);
      if (rows > 0 && input.high.at(rows) > source.at(strip)) return false;
    }
    return true;
  }

  // The largest start within [low, high] that `suits`, given that smaller ones suit as well.
  template <class Suits>
  static int64_t largest(int64_t low, int64_t high, Suits suits) {
    while (low < high) {
      const int64_t middle = low + (high - low + 1) / 2;
      suits(middle) ? low = middle : high = middle - 1;
    }
    return low;
  }

  [[nodiscard]] nn::RowCount earliest(size_t position, const Rate& rate) const {
    nn::RowCount count{static_cast<int32_t>(rate.step), 0, static_cast<int32_t>(rate.shift),
                       static_cast<int32_t>(task(position).rows)};
    int64_t end = 1;
    for (const RowInput& input : task(position).inputs) {
      if (inside(input.value)) end = std::max(end, finish(done(writer(input.value))) + 1);
    }
    const auto suits = [&](int64_t start) {
      count.start = static_cast<int32_t>(start);
      for (const RowInput& input : task(position).inputs) {
        if (inside(input.value) && !in_time(count, done(writer(input.value)), input)) return false;
      }
      return true;
    };
    // Nothing is done before the first strip; at the lower end the task begins when all of its inputs are done.
    const int64_t most = rate.step + (int64_t{1} << rate.shift) - 1;
    count.start = static_cast<int32_t>(largest(-end * rate.step, most, suits));
    return count;
  }

  [[nodiscard]] nn::RowCount latest(size_t position) const {
    nn::RowCount count = done(position);
    const size_t value = order_.tasks[position]->writes[0];
    if (leaves(value) || order_.readers[value].empty()) return count;
    const int64_t most = count.start;
    const auto suits = [&](int64_t delay) {
      count.start = static_cast<int32_t>(most - delay);
      for (const size_t reader : order_.readers[value]) {
        for (const RowInput& input : task(reader).inputs) {
          if (input.value == value && !in_time(done(reader), count, input)) return false;
        }
      }
      return true;
    };
    count.start = static_cast<int32_t>(most - largest(0, (strips_ + 1) * count.step, suits));
    return count;
  }

  [[nodiscard]] bool leaves(size_t value) const { return order_.last[value] > static_cast<int64_t>(last_); }

  void count_strips() {
    for (size_t position = first_; position <= last_; ++position) {
      const size_t value = order_.tasks[position]->writes[0];
      const bool takes_rows = order_.row_input && position == 0;  // also those that nobody reads
      if (takes_rows || leaves(value) || order_.readers[value].empty())
        strips_ = std::max(strips_, finish(done(position)) + 1);
    }
  }

  [[nodiscard]] int32_t next_read(size_t reader, const RowInput& input, int32_t strip) const {
    return input.low.at(done(reader).at(strip - 1));
  }

  void add_reader(LayoutWindow& window, size_t reader, const RowInput& input) const {
    window.last_reader = std::max(window.last_reader, reader);
    const auto behind = [&](size_t a, const RowInput& a_input, size_t b, const RowInput& b_input) {
      for (int32_t strip = 0; strip < strips_; ++strip) {
        if (next_read(a, a_input, strip) > next_read(b, b_input, strip)) return false;
      }
      return true;
    };
    for (const auto& [other, other_input] : window.readers) {
      if (behind(other, *other_input, reader, input)) return;
    }
    std::erase_if(window.readers,
                  [&](const auto& other) { return behind(reader, input, other.first, *other.second); });
    window.readers.emplace_back(reader, &input);
  }

  [[nodiscard]] LayoutWindow window_of(size_t position, StripLayout& layout) const {
    LayoutWindow window{order_.tasks[position]->writes[0], position, 0, {}, 0, false};
    for (const size_t reader : order_.readers[window.value]) {
      for (const RowInput& input : task(reader).inputs) {
        if (input.value == window.value) add_reader(window, reader, input);
      }
    }
    int32_t before = 0;
    for (int32_t strip = 0; strip < strips_; ++strip) {
      const int32_t old = done(position).at(strip - 1);
      int32_t first = old;
      for (const auto& [reader, input] : window.readers)
        first = nn::fewer(first, next_read(reader, *input, strip));
      window.rows = std::max<int64_t>(window.rows, done(position).at(strip) - first);
      window.carries = window.carries || old > first;
      if (first != before) layout.moved_bytes += (old - first) * task(position).row_bytes;
      before = first;
    }
    return window;
  }

  [[nodiscard]] StripLayout windows() const {
    StripLayout layout{first_, last_, strips_, done_, {}, {}, 0, 0};
    for (size_t position = first_; position <= last_; ++position) {
      const size_t value = order_.tasks[position]->writes[0];
      if (leaves(value) || order_.readers[value].empty()) {
        layout.whole_outputs.push_back(value);
        continue;
      }
      layout.windows.push_back(window_of(position, layout));
      if (layout.windows.back().carries)
        layout.window_bytes += layout.windows.back().rows * task(position).row_bytes;
    }
    return layout;
  }

  const OrderedTasks& order_;
  size_t first_, last_;
  StripHeight height_;
  int64_t strips_ = 0, highest_source_ = 0;
  std::vector<nn::RowCount> done_;
};

}  // namespace

std::optional<StripLayout> lay_out_strips(const OrderedTasks& order, size_t first, size_t last,
                                          const StripHeight& height, EarliestRows& known) {
  return Layout(order, first, last, height).make(known);
}

int64_t strip_distance(const OrderedTasks& order, const StripLayout& layout, size_t output, size_t input) {
  const auto writer = static_cast<size_t>(order.born[output]);
  const nn::RowCount& written = layout.done[writer - layout.first];
  int64_t distance = order.value_bytes[input];
  for (int32_t strip = 0; strip < layout.strips; ++strip) {
    if (written.at(strip) == written.at(strip - 1)) continue;
    const RowTask& rows = *order.rows[writer];
    const int64_t written_bytes = rows.folds ? order.value_bytes[output] : written.at(strip) * rows.row_bytes;
    for (const size_t reader : order.readers[input]) {
      if (reader < layout.first) continue;
      const nn::RowCount& done = layout.done[reader - layout.first];
      // Tasks in front of the writer have read what they need in this strip.
      const int32_t next = reader < writer ? strip + 1 : strip;
      if (done.at(static_cast<int32_t>(layout.strips) - 1) <= done.at(next - 1)) continue;
      for (const RowInput& row : order.rows[reader]->inputs) {
        if (row.value == input)
          distance = std::min(distance, row.low.at(done.at(next - 1)) * row.row_bytes - written_bytes);
      }
    }
  }
  return distance;
}

}  // namespace mote
