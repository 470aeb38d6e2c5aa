// SPDX-License-Identifier: Apache-2.0
#include "plan/row_maps.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace mote {

namespace {

constexpr int most_shift = 4, most_step = 16;
constexpr int finest_shift = 10;  // of rates that are no power of two: as fine as the places of a resize

bool has_rows(const TensorType& type) {
  return type.shape.size() >= 3 && type.shape.size() <= Region::max_rank && type.shape[0] == 1 &&
         bits(type.dtype) >= 8 && elements(type.shape) > 0;
}

struct Ends {
  nn::RowCount low, high;
};

// Values at x = first, first + 1, ... as a RowCount of this slope; nullopt: they are none.
std::optional<nn::RowCount> fit_slope(const std::vector<int64_t>& values, int64_t first, int64_t limit,
                                      int64_t step, int64_t shift) {
  int64_t least = std::numeric_limits<int32_t>::min(), most = std::numeric_limits<int32_t>::max();
  for (size_t i = 0; i < values.size(); ++i) {
    const int64_t slope = (first + static_cast<int64_t>(i)) * step;
    if (values[i] > 0) least = std::max(least, (values[i] << shift) - slope);
    if (values[i] < limit) most = std::min(most, ((values[i] + 1) << shift) - 1 - slope);
  }
  if (least > most) return std::nullopt;
  // Of what suits alike, the number nearest to zero reads best.
  return nn::RowCount{narrow<int32_t>(step), narrow<int32_t>(std::clamp<int64_t>(0, least, most)),
                      narrow<int32_t>(shift), narrow<int32_t>(limit)};
}

// What `fits` makes of the first slope, step / 2^shift, that suits it. Prefers whole steps, and among them the one
// next to the tensors' own ratio.
template <class Fits>
auto first_slope(double ratio, Fits fits) {
  for (int shift = 0; shift <= most_shift; ++shift) {
    std::vector<int> steps;
    for (int step = 0; step <= most_step << shift; ++step) steps.push_back(step);
    std::stable_sort(steps.begin(), steps.end(), [&](int a, int b) {
      return std::abs(a - std::ldexp(ratio, shift)) < std::abs(b - std::ldexp(ratio, shift));
    });
    for (const int step : steps) {
      if (const auto found = fits(step, shift)) return found;
    }
  }
  return decltype(fits(0, 0)){};
}

// The same for finer slopes: those between what the ends of the values still allow.
template <class Fits>
auto first_fine_slope(const std::vector<int64_t>& values, int64_t limit, Fits fits) {
  const auto bounded = [&](int64_t value) { return value > 0 && value < limit; };
  const auto low = std::find_if(values.begin(), values.end(), bounded);
  const auto high = std::find_if(values.rbegin(), values.rend(), bounded);
  if (low == values.end() || *low == *high) return decltype(fits(0, 0)){};
  const int64_t rise = *high - *low, run = &*high - &*low;
  for (int shift = most_shift + 1; shift <= finest_shift; ++shift) {
    const int64_t least = std::max<int64_t>(((rise - 1) << shift) / run, 1);
    for (int64_t step = least; step <= ((rise + 1) << shift) / run + 1; ++step) {
      if (const auto found = fits(step, shift)) return found;
    }
  }
  return decltype(fits(0, 0)){};
}

// Where the rows that an output row needs begin and end, of one slope if there is one: so a table of layers has
// it.
std::optional<Ends> fit(const std::vector<int64_t>& lows, const std::vector<int64_t>& highs, int64_t limit,
                        double ratio) {
  const auto low_fits = [&](int64_t step, int64_t shift) { return fit_slope(lows, 0, limit, step, shift); };
  const auto high_fits = [&](int64_t step, int64_t shift) { return fit_slope(highs, 1, limit, step, shift); };
  const auto both_fit = [&](int64_t step, int64_t shift) -> std::optional<Ends> {
    const auto low = low_fits(step, shift), high = high_fits(step, shift);
    return low && high ? std::optional<Ends>({*low, *high}) : std::nullopt;
  };
  if (const auto ends = first_slope(ratio, both_fit)) return ends;
  if (const auto ends = first_fine_slope(lows, limit, both_fit)) return ends;
  auto low = first_slope(ratio, low_fits), high = first_slope(ratio, high_fits);
  if (!low) low = first_fine_slope(lows, limit, low_fits);
  if (!high) high = first_fine_slope(highs, limit, high_fits);
  return low && high ? std::optional<Ends>({*low, *high}) : std::nullopt;
}

// A tensor of another rank, which every row reads from end to end: a factor a channel, say.
std::optional<RowInput> find_whole_input(const Graph& graph, const Values& values, const Node& node,
                                         size_t index) {
  const std::vector<const Tensor*> in = inputs_of(graph, node);
  const Types out = output_types(graph, node);
  const Region all = whole(in[index]->type.shape);
  for (int64_t r = 0; r < out[0].shape[1]; ++r) {
    Region region = whole(out[0].shape);
    region.dims[1] = {r, r + 1};
    if (node.op->needs(index, region, in, out).dims != all.dims) return std::nullopt;
  }
  return RowInput{index, values.of_tensor[node.in[index]], 1, byte_size(in[index]->type), true, {}, {0, 1, 0, 1}};
}

std::optional<RowInput> find_input(const Graph& graph, const Values& values, const Node& node, size_t index) {
  const std::vector<const Tensor*> in = inputs_of(graph, node);
  const Types out = output_types(graph, node);
  const TensorType& type = in[index]->type;
  if (in[index]->state) return std::nullopt;
  if (!has_rows(type) || type.shape.size() != out[0].shape.size())
    return find_whole_input(graph, values, node, index);
  RowInput row{index, values.of_tensor[node.in[index]], type.shape[1], byte_size(type) / type.shape[1], false, {},
               {}};
  std::vector<int64_t> lows, highs;
  int64_t end = 0;
  for (int64_t r = 0; r < out[0].shape[1]; ++r) {
    Region region = whole(out[0].shape);
    region.dims[1] = {r, r + 1};
    const Region needed = node.op->needs(index, region, in, out);
    if (needed.dims[1].low > needed.dims[1].high) return std::nullopt;
    if (!lows.empty() && needed.dims[1].low < lows.back()) return std::nullopt;
    lows.push_back(needed.dims[1].low);
    highs.push_back(end = std::max(end, needed.dims[1].high));
  }
  row.whole = lows.back() == 0 && highs.front() == row.rows;
  if (row.whole) {
    row.low = {0, 0, 0, 0};
    row.high = {0, narrow<int32_t>(row.rows), 0, narrow<int32_t>(row.rows)};
    return row;
  }
  const double ratio = static_cast<double>(row.rows) / static_cast<double>(out[0].shape[1]);
  const std::optional<Ends> ends = fit(lows, highs, row.rows, ratio);
  if (!ends || ends->low.step == 0) return std::nullopt;
  row.low = ends->low, row.high = ends->high;
  return row;
}

// Row by row, whatever the output.
std::optional<RowTask> find_folded_rows(const Graph& graph, const Values& values, const Node& node) {
  const Tensor& in = graph.tensors[node.in.at(0)];
  if (in.state || !has_rows(in.type) || in.type.shape[1] < 2) return std::nullopt;
  const int64_t rows = in.type.shape[1];
  const nn::RowCount same{1, 0, 0, narrow<int32_t>(rows)};
  return RowTask{
      rows, 0, true, {{0, values.of_tensor[node.in[0]], rows, byte_size(in.type) / rows, false, same, same}}};
}

}  // namespace

std::optional<RowTask> find_rows(const Graph& graph, const Values& values, const Task& task) {
  const Node& node = graph.nodes[task.node];
  if (node.out.size() != 1) return std::nullopt;
  if (folds_rows(*node.op)) return find_folded_rows(graph, values, node);
  const TensorType& type = graph.tensors[node.out[0]].type;
  if (!has_rows(type) || type.shape[1] < 2) return std::nullopt;
  RowTask rows{type.shape[1], byte_size(type) / type.shape[1], false, {}};
  bool cut = false;
  for (size_t i = 0; i < node.in.size(); ++i) {
    if (node.in[i] == no_tensor || graph.tensors[node.in[i]].constant()) continue;
    const std::optional<RowInput> input = find_input(graph, values, node, i);
    if (!input) return std::nullopt;
    cut = cut || !input->whole;
    rows.inputs.push_back(*input);
  }
  if (!cut) return std::nullopt;
  const std::vector<const Tensor*> in = inputs_of(graph, node);
  const RowStrip all = strip_of(rows, in, 0, rows.rows);
  return operator_of_rows(*node.op, all, in, output_types(graph, node)) == nullptr ? std::nullopt
                                                                                   : std::optional(rows);
}

RowStrip strip_of(const RowTask& rows, Inputs in, int64_t begin, int64_t end) {
  RowStrip strip{{begin, end}, {}};
  for (const Tensor* const input : in) {
    const bool some = input != nullptr && input->type.shape.size() > 1;
    strip.in.push_back({0, some ? input->type.shape[1] : 0});
  }
  for (const RowInput& input : rows.inputs) {
    if (input.whole) continue;
    strip.in[input.input] = {input.low.at(narrow<int32_t>(begin)), input.high.at(narrow<int32_t>(end))};
  }
  return strip;
}

}  // namespace mote
