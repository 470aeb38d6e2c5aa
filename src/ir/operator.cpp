// SPDX-License-Identifier: Apache-2.0
#include "ir/operator.hpp"

namespace mote {

bool Region::empty() const {
  for (int i = 0; i < rank; ++i) {
    if (dims[static_cast<size_t>(i)].low >= dims[static_cast<size_t>(i)].high) return true;
  }
  return false;
}

Region whole(const Shape& shape) {
  require(shape.size() <= Region::max_rank, "tensors of rank {} are not supported; the limit is {}", shape.size(),
          Region::max_rank);
  Region region;
  region.rank = static_cast<int>(shape.size());
  for (size_t i = 0; i < shape.size(); ++i) region.dims[i] = {0, shape[i]};
  return region;
}

int64_t first_element(const Region& region, const Shape& shape) {
  int64_t index = 0;
  for (size_t i = 0; i < shape.size(); ++i) index = index * shape[i] + region.dims[i].low;
  return index;
}

Region Operator::needs(size_t input, const Region&, Inputs in, const Types&) const {
  return whole(in[input]->type.shape);
}

Work Operator::work(Inputs, const Types&) const { return {}; }

Call Operator::lower_for(const Core&, Inputs in, const Types& out) const { return lower(in, out); }

void Operator::to_tflite(tflite::NodeWriter&, Inputs, const Types&) const {
  fail("cannot be written to a .tflite file");
}

std::optional<IntegerForm> Operator::integer_form(DType, Inputs, const Types&) const { return std::nullopt; }

OperatorPtr Operator::absorb(const Operator&, Inputs, Inputs, const TensorType&) const { return nullptr; }

}  // namespace mote
