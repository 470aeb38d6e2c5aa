// SPDX-License-Identifier: Apache-2.0
#include "ops/move_tflite.hpp"

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <numeric>

namespace mote::op {

namespace schema = tflite::schema;
using Code = schema::BuiltinOperator;

namespace {

// A digit that counts through a part of input dimension `in_dim`: `extent` indices, `step` apart.
struct Part {
  size_t digit = 0;
  int64_t extent = 1, step = 1;
};

// The digits of an input dimension from the largest step to the smallest.
std::vector<Part> parts_of(const IndexMap& map, size_t in_dim) {
  std::vector<Part> parts;
  for (size_t i = 0; i < map.digits.size(); ++i) {
    const Digit& digit = map.digits[i];
    if (digit.in_dim == in_dim && digit.extent > 1) parts.push_back({i, digit.extent, digit.step});
  }
  std::sort(parts.begin(), parts.end(),
            [](const Part& a, const Part& b) { return std::abs(a.step) > std::abs(b.step); });
  return parts;
}

// Writes one operator after the other, each on the result of the one before.
class Chain {
 public:
  Chain(tflite::NodeWriter& file, const TensorType& in) : file_(file), type_(in), current_(file.input(0)) {}

  template <class Options>
  void add(Code code, int version, Shape shape, std::vector<int> further, Options options) {
    type_.shape = std::move(shape);
    steps_.push_back([=, this](int from, int to) {
      std::vector<int> inputs{from};
      inputs.insert(inputs.end(), further.begin(), further.end());
      file_.add(code, version, inputs, {to}, options);
    });
    types_.push_back(type_);
  }

  void reshape(const Shape& shape) {
    if (shape != type_.shape) add_reshape(shape);
  }

  void add_reshape(const Shape& shape) {
    schema::ReshapeOptionsT options;
    for (const int64_t extent : shape) options.new_shape.push_back(narrow<int32_t>(extent));
    add(Code::RESHAPE, 1, shape, {file_.integers("shape", shape)}, options);
  }

  [[nodiscard]] bool empty() const { return steps_.empty(); }
  [[nodiscard]] const TensorType& type() const { return type_; }
  [[nodiscard]] int version() const { return tflite::usual_version(type_.dtype); }

  // The last operator writes the node's output.
  void finish() {
    for (size_t i = 0; i < steps_.size(); ++i) {
      const int to = i + 1 == steps_.size() ? file_.output() : file_.between(fmt::format("step{}", i), types_[i]);
      steps_[i](current_, to);
      current_ = to;
    }
  }

 private:
  tflite::NodeWriter& file_;
  TensorType type_;
  int current_;
  std::vector<std::function<void(int, int)>> steps_;
  std::vector<TensorType> types_;
};

// An input dimension that is counted by one digit or none: which of its indices are taken.
struct Slice {
  int64_t begin = 0, extent = 1, step = 1;
};

void slice(Chain& chain, tflite::NodeWriter& file, const std::vector<Slice>& slices) {
  const Shape& from = chain.type().shape;
  std::vector<int64_t> begin, end, strides;
  schema::StridedSliceOptionsT options;
  Shape to;
  bool whole = true;
  for (size_t d = 0; d < from.size(); ++d) {
    const Slice& one = slices[d];
    begin.push_back(one.begin);
    const int64_t last = one.begin + (one.extent - 1) * one.step;
    end.push_back(one.step > 0 ? last + 1 : last - 1);
    if (end.back() < 0) options.end_mask |= 1 << d;  // -1 would count from the end
    strides.push_back(one.step);
    to.push_back(one.extent);
    whole = whole && one.extent == from[d] && one.step == 1;
  }
  if (whole) return;
  chain.add(Code::STRIDED_SLICE, chain.version(), to,
            {file.integers("begin", begin), file.integers("end", end), file.integers("strides", strides)},
            options);
}

void transpose(Chain& chain, tflite::NodeWriter& file, const std::vector<int64_t>& order) {
  if (std::is_sorted(order.begin(), order.end())) return;
  Shape to;
  for (const int64_t d : order) to.push_back(chain.type().shape[static_cast<size_t>(d)]);
  chain.add(Code::TRANSPOSE, chain.version(), to, {file.integers("order", order)}, schema::TransposeOptionsT{});
}

void tile(Chain& chain, tflite::NodeWriter& file, const std::vector<int64_t>& times) {
  if (std::all_of(times.begin(), times.end(), [](int64_t count) { return count == 1; })) return;
  Shape to = chain.type().shape;
  for (size_t d = 0; d < to.size(); ++d) to[d] *= times[d];
  chain.add(Code::TILE, chain.version(), to, {file.integers("multiples", times)}, schema::TileOptionsT{});
}

}  // namespace

void write_move(tflite::NodeWriter& file, const IndexMap& map, const TensorType& in) {
  Chain chain(file, in);
  Shape split;                  // the input with a dimension for each digit
  std::vector<Slice> slices;    // of that
  std::vector<size_t> counted;  // the digit that counts each of its dimensions, or Digit::nowhere
  for (size_t d = 0; d < map.from.size(); ++d) {
    const std::vector<Part> parts = parts_of(map, d);
    if (parts.size() < 2) {
      const Slice none{map.origin[d], 1, 1};
      split.push_back(map.from[d]);
      slices.push_back(parts.empty() ? none : Slice{map.origin[d], parts[0].extent, parts[0].step});
      counted.push_back(parts.empty() ? Digit::nowhere : parts[0].digit);
      continue;
    }
    int64_t below = map.from[d];
    for (const Part& part : parts) {
      require(map.origin[d] == 0 && part.step > 0 && below == part.extent * part.step,
              "moves elements in a way that operators of a .tflite file do not express");
      below = part.step;
      split.push_back(part.extent);
      slices.push_back({0, part.extent, 1});
      counted.push_back(part.digit);
    }
    require(below == 1, "moves elements in a way that operators of a .tflite file do not express");
  }
  chain.reshape(split);
  slice(chain, file, slices);
  std::vector<int64_t> order(split.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) {
    return counted[static_cast<size_t>(a)] < counted[static_cast<size_t>(b)];  // `nowhere` is the largest
  });
  transpose(chain, file, order);
  Shape digits;
  std::vector<int64_t> times;
  for (size_t i = 0; i < map.digits.size(); ++i) {
    const Digit& digit = map.digits[i];
    const bool repeats = digit.in_dim == Digit::nowhere;
    // What is repeated as a whole is one dimension together with its repetition.
    const bool joins = repeats && i + 1 < map.digits.size() && map.digits[i + 1].out_dim == digit.out_dim &&
                       map.digits[i + 1].in_dim != Digit::nowhere;
    times.push_back(repeats ? digit.extent : 1);
    digits.push_back(joins ? map.digits[++i].extent : repeats ? 1 : digit.extent);
  }
  if (std::any_of(times.begin(), times.end(), [](int64_t count) { return count > 1; })) {
    chain.reshape(digits);
    tile(chain, file, times);
  }
  chain.reshape(map.to);
  if (chain.empty()) chain.add_reshape(map.to);  // a copy
  chain.finish();
}

}  // namespace mote::op
