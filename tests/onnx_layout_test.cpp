// SPDX-License-Identifier: Apache-2.0
// Layouts against brute force: after any chain of transpositions and reshapes, element by element, the memory is
// where the layout says.
#include "import/onnx_layout.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <random>

namespace mote::onnx {
namespace {

// A tensor as ONNX sees it: element numbers in ONNX's order; each number is a place in memory.
struct Seen {
  Shape shape;
  std::vector<int64_t> place;
};

Seen transposed(const Seen& seen, const Permutation& order) {
  Seen result{permuted(seen.shape, order), std::vector<int64_t>(seen.place.size())};
  for (size_t i = 0; i < seen.place.size(); ++i) {
    std::vector<int64_t> index(order.size()), from(order.size());
    auto rest = static_cast<int64_t>(i);
    for (size_t d = order.size(); d-- > 0; rest /= result.shape[d]) index[d] = rest % result.shape[d];
    for (size_t d = 0; d < order.size(); ++d) from[order[d]] = index[d];
    int64_t flat = 0;
    for (size_t d = 0; d < order.size(); ++d) flat = flat * seen.shape[d] + from[d];
    result.place[i] = seen.place[static_cast<size_t>(flat)];
  }
  return result;
}

// Places by the layout: factors in ONNX's order, each with its stride in memory.
std::vector<int64_t> places(const Layout& layout) {
  const std::vector<int64_t> extents = factors(layout);
  std::vector<int64_t> stride(extents.size());
  int64_t step = 1;
  for (size_t i = layout.order.size(); i-- > 0; step *= extents[layout.order[i]]) stride[layout.order[i]] = step;
  std::vector<int64_t> result(static_cast<size_t>(elements(extents)));
  for (size_t i = 0; i < result.size(); ++i) {
    auto rest = static_cast<int64_t>(i);
    for (size_t d = extents.size(); d-- > 0; rest /= extents[d]) result[i] += rest % extents[d] * stride[d];
  }
  return result;
}

Shape random_shape(std::mt19937& random, int64_t count) {
  Shape shape;
  while (count > 1) {
    std::vector<int64_t> divisors;
    for (int64_t d = 1; d <= count; ++d) {
      if (count % d == 0) divisors.push_back(d);
    }
    shape.push_back(divisors[random() % divisors.size()]);
    count /= shape.back();
    if (shape.size() == 5) {
      shape.push_back(count);
      break;
    }
  }
  return shape;
}

TEST(OnnxLayout, ChainsOfTranspositionsAndReshapes) {
  std::mt19937 random(1);
  int reshapes = 0;
  for (int run = 0; run < 2000; ++run) {
    Shape shape = random_shape(random, 24 + 12 * static_cast<int64_t>(random() % 4));
    Permutation order = identity(shape.size());
    std::shuffle(order.begin(), order.end(), random);
    Layout layout = layout_of(shape, order);
    Seen seen{shape, places(layout)};
    for (int step = 0; step < 5; ++step) {
      if (random() % 2 == 0) {
        order = identity(seen.shape.size());
        std::shuffle(order.begin(), order.end(), random);
        layout = transposed(layout, order);
        seen = transposed(seen, order);
      } else if (const auto next = reshaped(layout, shape = random_shape(random, elements(seen.shape)))) {
        layout = *next;
        seen.shape = shape;
        ++reshapes;
      }
      ASSERT_EQ(shape_of(layout), seen.shape);
      ASSERT_EQ(places(layout), seen.place);
    }
  }
  EXPECT_GT(reshapes, 1000);
}

TEST(OnnxLayout, OrderOfWholeDimensions) {
  const Layout image = layout_of({1, 3, 4, 5}, channels_last(4));
  EXPECT_EQ(stored_order(image, {1, 4, 5, 3}), channels_last(4));
  EXPECT_EQ(stored_order(transposed(image, {0, 2, 3, 1}), {1, 4, 5, 3}), identity(4));
  // Both orders are the same memory: the tensor's shape decides.
  const Layout vector = layout_of({1, 8, 1, 1}, channels_last(4));
  EXPECT_EQ(stored_order(vector, {1, 1, 1, 8}), channels_last(4));
  EXPECT_EQ(stored_order(vector, {1, 8, 1, 1}), identity(4));
  // A flattened image is no whole dimension in memory.
  EXPECT_EQ(stored_order(reshaped(image, {1, 60}).value(), {1, 4, 5, 3}), std::nullopt);
}

TEST(OnnxLayout, AReshapeThatMixesDimensionsIsRefused) {
  EXPECT_EQ(reshaped(layout_of({2, 3}, {1, 0}), {3, 2}), std::nullopt);
  EXPECT_EQ(reshaped(layout_of({4, 6}, {0, 1}), {8, 3})->dims, (std::vector<std::vector<int64_t>>{{8}, {3}}));
}

}  // namespace
}  // namespace mote::onnx
