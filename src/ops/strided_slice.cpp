// SPDX-License-Identifier: Apache-2.0
// Parts of a tensor, with strides or without: everything the compiler knows about them.
#include <fmt/ranges.h>

#include "ops/axes.hpp"
#include "ops/checks.hpp"
#include "ops/move.hpp"
#include "ops/registry.hpp"
#include "ops/sampling.hpp"

namespace mote::op {

namespace {

// One entry of begin:end:stride notation, with its bits of the masks.
struct Entry {
  int64_t begin = 0, end = 0, stride = 1;
  bool from_edge = false, to_edge = false;  // begin or end does not count
  bool ellipsis = false, new_axis = false, shrink = false;
};

void add_entry(const Entry& entry, size_t d, bool offset, IndexMap& map) {
  const int64_t extent = map.from[d];
  require(entry.stride != 0, "has stride 0 in dimension {}", d);
  const int64_t lowest = entry.stride > 0 ? 0 : -1;
  const int64_t highest = entry.stride > 0 ? extent : extent - 1;
  const auto place = [&](int64_t index) {
    return std::clamp(index < 0 ? index + extent : index, lowest, highest);
  };
  int64_t begin = place(entry.begin);
  if (entry.from_edge) begin = entry.stride > 0 ? 0 : extent - 1;
  if (entry.shrink) {
    require(begin >= 0 && begin < extent, "takes index {} of dimension {}, which has {}", entry.begin, d, extent);
    map.origin[d] = begin;
    return;
  }
  int64_t end = place(offset ? begin + entry.end : entry.end);
  if (entry.to_edge) end = entry.stride > 0 ? extent : -1;
  const int64_t distance = entry.stride > 0 ? end - begin : begin - end;
  const int64_t step = std::abs(entry.stride);
  map.take(d, begin, std::max<int64_t>(0, (distance + step - 1) / step), entry.stride);
}

IndexMap slice_map(const Shape& from, const std::vector<Entry>& entries, bool offset) {
  IndexMap map(from);
  size_t named = 0;
  for (const Entry& entry : entries) named += entry.ellipsis || entry.new_axis ? 0 : 1;
  require(named <= from.size(), "slices {} dimensions of an input of rank {}", named, from.size());
  size_t d = 0, left_out = from.size() - named;
  for (const Entry& entry : entries) {
    if (entry.ellipsis) {
      for (; left_out > 0; --left_out) map.take_all(d++);
    } else if (entry.new_axis) {
      map.append({});
    } else {
      add_entry(entry, d++, offset, map);
    }
  }
  while (d < from.size()) map.take_all(d++);
  return map;
}

std::string text_of(const std::vector<Entry>& entries) {
  std::vector<std::string> parts;
  for (const Entry& entry : entries) {
    if (entry.ellipsis || entry.new_axis) {
      parts.emplace_back(entry.ellipsis ? "..." : "new");
    } else if (entry.shrink) {
      parts.push_back(fmt::format("{}", entry.begin));
    } else {
      const std::string begin = entry.from_edge ? "" : std::to_string(entry.begin);
      const std::string end = entry.to_edge ? "" : std::to_string(entry.end);
      parts.push_back(
          fmt::format("{}:{}{}", begin, end, entry.stride == 1 ? "" : fmt::format(":{}", entry.stride)));
    }
  }
  return fmt::format("[{}]", fmt::join(parts, ","));
}

OperatorPtr make(const Shape& from, const std::vector<Entry>& entries, bool offset) {
  return make_move("slice", text_of(entries), slice_map(from, entries, offset));
}

Made strided_slice_from_tflite(const tflite::OpView& view) {
  const auto& options = view.required_options<tflite::schema::StridedSliceOptions>();
  const std::vector<int64_t> begin = view.integers(1, "begin");
  const std::vector<int64_t> end = view.integers(2, "end");
  const std::vector<int64_t> strides = view.integers(3, "strides");
  require(begin.size() == end.size() && begin.size() == strides.size() && begin.size() <= 32,
          "has {} begins, {} ends and {} strides; there must be as many of each", begin.size(), end.size(),
          strides.size());
  std::vector<Entry> entries;
  bool ellipsis = false;
  for (size_t i = 0; i < begin.size(); ++i) {
    const auto bit = [i](int32_t mask) { return ((static_cast<uint32_t>(mask) >> i) & 1) != 0; };
    Entry entry{begin[i], end[i], strides[i], bit(options.begin_mask()), bit(options.end_mask())};
    entry.ellipsis = bit(options.ellipsis_mask());
    require(!entry.ellipsis || !ellipsis, "has two ellipses; at most one is possible");
    ellipsis = ellipsis || entry.ellipsis;
    entry.new_axis = !entry.ellipsis && bit(options.new_axis_mask());
    entry.shrink = !entry.ellipsis && !entry.new_axis && bit(options.shrink_axis_mask());
    entries.push_back(entry);
  }
  return {make(file_shape(view), entries, options.offset()), {0}};
}

Made slice_from_tflite(const tflite::OpView& view) {
  const Shape& from = file_shape(view);
  const std::vector<int64_t> begin = view.integers(1, "begin");
  const std::vector<int64_t> size = view.integers(2, "size");
  require(begin.size() == from.size() && size.size() == from.size(),
          "has {} begins and {} sizes for an input of rank {}", begin.size(), size.size(), from.size());
  std::vector<Entry> entries;
  for (size_t d = 0; d < from.size(); ++d) {
    const int64_t end = size[d] == -1 ? from[d] : begin[d] + size[d];
    require(begin[d] >= 0 && begin[d] <= end && end <= from[d],
            "takes {} elements from index {} of dimension {}, which has {}", size[d], begin[d], d, from[d]);
    entries.push_back({begin[d], end, 1});
  }
  return {make(from, entries, false), {0}};
}

// Entries that leave something of every dimension; states the output's shape by counting.
std::vector<Entry> random_entries(std::mt19937& random, const Shape& from, Shape& out) {
  std::vector<Entry> entries;
  for (const int64_t extent : from) {
    if (chance(random, 10)) {
      entries.push_back({.new_axis = true});
      out.push_back(1);
    }
    Entry entry;
    entry.begin = random_integer(random, 0, extent - 1);
    entry.end = random_integer(random, entry.begin + 1, extent + 1);
    entry.stride = random_integer(random, 1, 3);
    entry.from_edge = chance(random, 30);
    entry.to_edge = chance(random, 30);
    entry.shrink = chance(random, 15);
    if (!entry.shrink && !entry.from_edge && !entry.to_edge && chance(random, 30)) {  // backwards
      entry.end = random_integer(random, 0, entry.begin) - 1 - extent;
      entry.stride = -entry.stride;
    }
    int64_t count = 0;
    const int64_t first = entry.from_edge ? 0 : entry.begin;
    const int64_t last = entry.to_edge ? extent : entry.stride > 0 ? entry.end : entry.end + extent;
    for (int64_t i = first; entry.stride > 0 ? i < std::min(last, extent) : i > last; i += entry.stride) ++count;
    if (!entry.shrink) out.push_back(count);
    entries.push_back(entry);
  }
  return entries;
}

Sample sample(std::mt19937& random) {
  const TensorType in = random_movable(random, random_shape(random, 1, 4, 6));
  Shape out;
  const std::vector<Entry> entries = random_entries(random, in.shape, out);
  if (out.size() > Region::max_rank) return sample(random);
  return move_sample(make(in.shape, entries, false), in, out);
}

}  // namespace

extern const OpDef strided_slice{
    .name = "strided_slice",
    .tflite = {{"STRIDED_SLICE", strided_slice_from_tflite}, {"SLICE", slice_from_tflite}},
    .sample = sample};

}  // namespace mote::op
