// SPDX-License-Identifier: Apache-2.0
// What operators share whose output elements are input elements at places given by a linear map.
#pragma once

#include "ir/operator.hpp"

namespace mote::op {

// A part of an output dimension's index: with the digits behind it (of the same dimension) it counts through the
// dimension, and it moves the input index of dimension `in_dim` by `step`.
struct Digit {
  static constexpr size_t nowhere = static_cast<size_t>(-1);  // the input is repeated

  size_t out_dim = 0;
  int64_t extent = 1;
  size_t in_dim = nowhere;
  int64_t step = 1;
};

struct IndexMap {
  explicit IndexMap(Shape input) : from(std::move(input)), origin(from.size(), 0) {}

  Shape from, to = {};
  std::vector<int64_t> origin;  // the input index, by dimension, of the output's first element
  std::vector<Digit> digits;    // outermost first; those of one output dimension multiply to its extent

  // The next output dimension, counted by these digits (their out_dim is filled in).
  void append(std::vector<Digit> counted_by);
  // The next output dimension: `extent` indices of input dimension `in_dim` from `begin`, `step` apart.
  void take(size_t in_dim, int64_t begin, int64_t extent, int64_t step);
  void take_all(size_t in_dim) { take(in_dim, 0, from[in_dim], 1); }
};

// A view where every element stays in its place, a copy otherwise.
[[nodiscard]] OperatorPtr make_move(std::string name, std::string parameters, IndexMap map);

// Copies its input: for outputs that nothing computes.
[[nodiscard]] OperatorPtr make_copy(const Shape& shape);

// A random type of elements that move: quantised, float or plain integers.
[[nodiscard]] TensorType random_movable(std::mt19937& random, Shape shape);

// A sample of `op`, made by make_move() for an input of type `in`.
[[nodiscard]] Sample move_sample(OperatorPtr op, const TensorType& in, Shape out);

}  // namespace mote::op
