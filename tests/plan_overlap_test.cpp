// SPDX-License-Identifier: Apache-2.0
// overlap_distance() against a replay of the kernel's reads and writes, byte by byte, at every distance.
#include <gtest/gtest.h>

#include <chrono>

#include "plan/overlap.hpp"
#include "support/test_operator.hpp"

namespace mote {
namespace {

struct Layer {
  std::string what;
  TensorType in, out;
  std::function<Region(const Region&)> needs;
};

Region box(std::vector<Region::Range> ranges) {
  Region region;
  region.rank = static_cast<int>(ranges.size());
  std::copy(ranges.begin(), ranges.end(), region.dims.begin());
  return region;
}

// Rows and columns of a window that moves by `stride`, with `pad` before the first one.
Layer window(Shape in, Shape out, int64_t size, int64_t stride, int64_t pad, bool all_channels, DType dtype) {
  const auto range = [=](Region::Range out_range, int64_t extent) {
    return Region::Range{std::clamp<int64_t>(out_range.low * stride - pad, 0, extent),
                         std::clamp<int64_t>((out_range.high - 1) * stride - pad + size, 0, extent)};
  };
  return {fmt::format("window {} stride {} pad {}", size, stride, pad),
          {dtype, in, {}},
          {DType::i8, out, {}},
          [=](const Region& r) {
            return box({r.dims[0], range(r.dims[1], in[1]), range(r.dims[2], in[2]),
                        all_channels ? Region::Range{0, in[3]} : r.dims[3]});
          }};
}

std::vector<Layer> layers() {
  std::vector<Layer> all;
  for (const DType dtype : {DType::i8, DType::i16}) {
    all.push_back(window({1, 5, 4, 3}, {1, 5, 4, 3}, 1, 1, 0, false, dtype));
    all.push_back(window({2, 5, 4, 2}, {2, 5, 4, 3}, 1, 1, 0, true, dtype));
    all.push_back(window({1, 5, 4, 3}, {1, 5, 4, 3}, 3, 1, 1, false, dtype));
    all.push_back(window({1, 6, 6, 2}, {1, 3, 3, 2}, 3, 2, 0, false, dtype));
    all.push_back(window({1, 6, 6, 2}, {1, 3, 3, 8}, 2, 2, 0, true, dtype));
  }
  all.push_back({"reversed rows", {DType::i8, {6, 3}, {}}, {DType::i8, {6, 3}, {}}, [](const Region& r) {
                   return box({{6 - r.dims[0].high, 6 - r.dims[0].low}, r.dims[1]});
                 }});
  all.push_back({"the last rows only", {DType::i8, {9, 3}, {}}, {DType::i8, {4, 3}, {}}, [](const Region& r) {
                   return box({{r.dims[0].low + 5, r.dims[0].high + 5}, r.dims[1]});
                 }});
  all.push_back({"one row for all", {DType::i8, {1, 3}, {}}, {DType::i8, {4, 3}, {}}, [](const Region& r) {
                   return box({{0, 1}, r.dims[1]});
                 }});
  all.push_back({"one column for all", {DType::f32, {4, 1}, {}}, {DType::i8, {4, 6}, {}}, [](const Region& r) {
                   return box({r.dims[0], {0, 1}});
                 }});
  all.push_back({"nothing", {DType::i8, {4}, {}}, {DType::i8, {4}, {}}, [](const Region&) {
                   return box({{0, 0}});
                 }});
  all.push_back({"two rows of padding", {DType::i8, {3, 4}, {}}, {DType::i8, {5, 4}, {}}, [](const Region& r) {
                   return box({{std::max<int64_t>(r.dims[0].low - 2, 0), std::max<int64_t>(r.dims[0].high - 2, 0)},
                               r.dims[1]});
                 }});
  return all;
}

// Every byte of the input that this box covers.
std::vector<int64_t> bytes_of(const Region& region, const TensorType& type) {
  std::vector<int64_t> found;
  for (int64_t element = 0; element < elements(type.shape); ++element) {
    int64_t rest = element;
    bool inside = true;
    for (size_t dim = type.shape.size(); dim-- > 0;) {
      const int64_t index = rest % type.shape[dim];
      rest /= type.shape[dim];
      inside = inside && region.dims[dim].low <= index && index < region.dims[dim].high;
    }
    for (int byte = 0; inside && byte < bits(type.dtype) / 8; ++byte) {
      found.push_back(element * (bits(type.dtype) / 8) + byte);
    }
  }
  return found;
}

// The input bytes that each index tuple of the first `dims` output dimensions reads.
std::vector<std::vector<int64_t>> reads_of(const Layer& layer, int dims) {
  int64_t tuples = 1;
  for (int dim = 0; dim < dims; ++dim) tuples *= layer.out.shape[static_cast<size_t>(dim)];
  std::vector<std::vector<int64_t>> reads;
  for (int64_t tuple = 0; tuple < tuples; ++tuple) {
    Region region = whole(layer.out.shape);
    int64_t rest = tuple;
    for (int dim = dims; dim-- > 0;) {
      const auto d = static_cast<size_t>(dim);
      region.dims[d] = {rest % layer.out.shape[d], rest % layer.out.shape[d] + 1};
      rest /= layer.out.shape[d];
    }
    reads.push_back(bytes_of(layer.needs(region), layer.in));
  }
  return reads;
}

// Runs the steps with the output `distance` bytes above the input. Was every byte that is read still the input's?
bool replay_is_clean(const Layer& layer, const std::vector<std::vector<int64_t>>& reads, const Order& order,
                     int64_t distance) {
  std::vector<bool> overwritten(static_cast<size_t>(byte_size(layer.in)), false);
  const auto tuples = static_cast<int64_t>(reads.size());
  const int64_t tuple_bytes = byte_size(layer.out) / tuples;
  for (int64_t first = 0; first < tuples; first += order.block) {
    const int64_t end = std::min(tuples, first + order.block);
    const auto write = [&] {
      for (int64_t byte = first * tuple_bytes + distance; byte < end * tuple_bytes + distance; ++byte) {
        if (byte >= 0 && byte < byte_size(layer.in)) overwritten[static_cast<size_t>(byte)] = true;
      }
    };
    if (!order.reads_first) write();  // the worst that is allowed: all writes of the step before its reads
    for (int64_t tuple = first; tuple < end; ++tuple) {
      for (const int64_t byte : reads[static_cast<size_t>(tuple)]) {
        if (overwritten[static_cast<size_t>(byte)]) return false;
      }
    }
    write();
  }
  return true;
}

std::optional<int64_t> distance_of(const Layer& layer, const Order& order) {
  const OperatorPtr op = test::make_operator({.needs = [&](size_t, const Region& r) { return layer.needs(r); }});
  const Tensor input{"in", layer.in, {}};
  const Tensor* inputs[] = {&input};
  return overlap_distance(*op, 0, inputs, {layer.out}, order);
}

TEST(Overlap, EqualsTheLargestDistanceOfACleanReplay) {
  for (const Layer& layer : layers()) {
    for (int dims = 1; dims <= static_cast<int>(layer.out.shape.size()); ++dims) {
      const std::vector<std::vector<int64_t>> reads = reads_of(layer, dims);
      for (const Order order :
           {Order{dims, 1, false}, Order{dims, 1, true}, Order{dims, 3, false}, Order{dims, 4, true}}) {
        int64_t largest = -byte_size(layer.out);
        while (largest < byte_size(layer.in) && replay_is_clean(layer, reads, order, largest + 1)) ++largest;
        EXPECT_EQ(distance_of(layer, order), largest) << layer.what << " dims " << order.dims << " block "
                                                      << order.block << " reads_first " << order.reads_first;
      }
    }
  }
}

TEST(Overlap, AKernelWithoutAnOrderSharesNothing) { EXPECT_EQ(distance_of(layers()[0], Order{}), std::nullopt); }

TEST(Overlap, PackedTypesShareNothing) {
  Layer layer = layers()[0];
  layer.in.dtype = DType::i4;
  EXPECT_EQ(distance_of(layer, {4, 1, true}), std::nullopt);
  layer = layers()[0];
  layer.out.dtype = DType::i4;
  EXPECT_EQ(distance_of(layer, {4, 1, true}), std::nullopt);
}

// A pointwise convolution 48x48x8 -> 48x48x16 writes twice as fast as it reads: half of its output fits over the
// input.
TEST(Overlap, PointwiseConvolutionThatDoublesItsChannels) {
  const Layer layer = window({1, 48, 48, 8}, {1, 48, 48, 16}, 1, 1, 0, true, DType::i8);
  EXPECT_EQ(distance_of(layer, {3, 1, true}), -8 * (48 * 48 - 1));
}

TEST(Overlap, LargeLayersAreFast) {
  const auto start = std::chrono::steady_clock::now();
  for (const bool all_channels : {false, true}) {
    const Layer layer = window({1, 96, 96, 64}, {1, 96, 96, 64}, 3, 1, 1, all_channels, DType::i8);
    EXPECT_TRUE(distance_of(layer, {4, 1, true}).has_value());
  }
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(2));
}

}  // namespace
}  // namespace mote
