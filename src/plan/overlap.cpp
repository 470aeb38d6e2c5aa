// SPDX-License-Identifier: Apache-2.0
// Follows a kernel's steps, comparing what each reads with what has been written by then.
#include "plan/overlap.hpp"

#include <algorithm>
#include <limits>

namespace mote {

namespace {

constexpr int64_t never = std::numeric_limits<int64_t>::max();

// The lowest input byte that the elements below one index tuple (of the first `dims` output dimensions) need. A
// tuple is where one slab a dimension meet, so by monotony it needs no more than what the slabs' needs have in
// common: a table of the slabs replaces a call of needs() for every element.
class LowestRead {
 public:
  LowestRead(const Operator& op, size_t input, Inputs in, const Types& out, size_t dims)
      : in_shape_(in[input]->type.shape),
        out_shape_(out[0].shape),
        element_bytes_(bits(in[input]->type.dtype) / 8) {
    identity_ = dims == out_shape_.size() && in_shape_ == out_shape_;
    slabs_.resize(dims);
    for (size_t dim = 0; dim < dims; ++dim) {
      for (int64_t index = 0; index < out_shape_[dim]; ++index) {
        Region slab = whole(out_shape_);
        slab.dims[dim] = {index, index + 1};
        slabs_[dim].push_back(op.needs(input, slab, in, out));
        const Region& needed = slabs_[dim].back();
        identity_ = identity_ && needed.rank == slab.rank && needed.dims == slab.dims;
      }
    }
  }

  // `never` when the tuple needs nothing.
  [[nodiscard]] int64_t operator()(int64_t tuple) const {
    if (identity_) return tuple * element_bytes_;
    Region common = whole(in_shape_);
    for (size_t dim = slabs_.size(); dim-- > 0;) {
      const Region& slab = slabs_[dim][static_cast<size_t>(tuple % out_shape_[dim])];
      tuple /= out_shape_[dim];
      for (size_t i = 0; i < in_shape_.size(); ++i) {
        common.dims[i].low = std::max(common.dims[i].low, slab.dims[i].low);
        common.dims[i].high = std::min(common.dims[i].high, slab.dims[i].high);
      }
    }
    return common.empty() ? never : first_element(common, in_shape_) * element_bytes_;
  }

 private:
  const Shape& in_shape_;
  const Shape& out_shape_;
  int64_t element_bytes_;
  bool identity_ = false;                   // element i of the output needs element i of the input
  std::vector<std::vector<Region>> slabs_;  // [dimension][index]
};

}  // namespace

std::optional<int64_t> overlap_distance(const Operator& op, size_t input, Inputs in, const Types& out,
                                        const Order& order) {
  if (order.dims == 0 || bits(in[input]->type.dtype) < 8 || bits(out[0].dtype) < 8) return std::nullopt;
  const Shape& shape = out[0].shape;
  const auto dims = static_cast<size_t>(order.dims);
  require(dims <= shape.size() && order.block > 0,
          "{}: its kernel claims an order of {} dimensions in blocks of {}", op.name(), order.dims, order.block);
  int64_t tuples = 1;
  for (size_t dim = 0; dim < dims; ++dim) tuples *= shape[dim];
  if (elements(shape) == 0) return std::nullopt;
  const int64_t tuple_bytes = byte_size(out[0]) / tuples;

  const LowestRead lowest_read(op, input, in, out, dims);
  int64_t distance = byte_size(in[input]->type);
  for (int64_t first = 0; first < tuples; first += order.block) {
    const int64_t end = std::min(tuples, first + order.block);
    int64_t lowest = never;
    for (int64_t tuple = first; tuple < end; ++tuple) lowest = std::min(lowest, lowest_read(tuple));
    // What has been written when the step's last read takes place has to end at or below its lowest byte.
    const int64_t written = (order.reads_first ? first : end) * tuple_bytes;
    if (lowest != never && written > 0) distance = std::min(distance, lowest - written);
  }
  return distance;
}

}  // namespace mote
