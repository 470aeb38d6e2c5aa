// SPDX-License-Identifier: Apache-2.0
// DYNAMIC_UPDATE_SLICE and SCATTER_ND, which write where indices say: everything the compiler knows about them.
#include "nn/update_slice.hpp"

#include "ops/axes.hpp"
#include "ops/instances.hpp"
#include "ops/move.hpp"
#include "ops/registry.hpp"
#include "ops/sampling.hpp"
#include "ops/storage.hpp"

namespace mote::op {

namespace {

constexpr const char* header = "nn/update_slice.hpp";

void require_indices(const TensorType& type) { require_dtype(type, {DType::i32, DType::i64}, "index input"); }

std::vector<int64_t> strides_of(const Shape& shape) {
  std::vector<int64_t> strides(shape.size(), 1);
  for (size_t d = shape.size(); d-- > 1;) strides[d - 1] = strides[d] * shape[d];
  return strides;
}

// make(T(), I()) with the types of elements and of indices.
template <class Make>
Call for_types(DType dtype, DType index, Make make) {
  return for_storage(dtype, [&]<class T>(T element) {
    return index == DType::i64 ? make(element, int64_t()) : make(element, int32_t());
  });
}

// Inputs: a tensor, the block that is laid over it, where its corner goes.
class UpdateSlice final : public Operator {
 public:
  [[nodiscard]] std::string name() const override { return "update_slice"; }
  [[nodiscard]] std::string parameters() const override { return ""; }

  [[nodiscard]] Types infer(Inputs in, const Types& declared) const override {
    require(in.size() == 3, "has {} inputs, it takes 3", in.size());
    const TensorType& whole = input_type(in, 0);
    const TensorType& block = input_type(in, 1);
    require_indices(input_type(in, 2));
    const size_t rank = whole.shape.size();
    require(whole.dtype == block.dtype, "lays {} over {}; both must have one type", mote::name(block.dtype),
            mote::name(whole.dtype));
    bool fits =
        rank > 0 && block.shape.size() == rank && elements(in[2]->type.shape) == static_cast<int64_t>(rank);
    for (size_t d = 0; fits && d < rank; ++d) fits = block.shape[d] <= whole.shape[d];
    require(fits && rank <= Region::max_rank, "lays {} over {} at {} indices; ranks must be equal and at most {}",
            to_text(block.shape), to_text(whole.shape), elements(in[2]->type.shape), int{Region::max_rank});
    (void)moved_type(block, declared, whole.shape);
    return {moved_type(whole, declared, whole.shape)};
  }

  [[nodiscard]] Reals reference(Inputs in, const Types&, const Reals& x) const override {
    const Shape& whole = in[0]->type.shape;
    const Shape& block = in[1]->type.shape;
    const std::vector<int64_t> strides = strides_of(whole);
    std::vector<double> result = x[0];
    for (int64_t index = 0; index < elements(block); ++index) {
      int64_t rest = index, place = 0;
      for (size_t d = block.size(); d-- > 0; rest /= block[d]) {
        const auto room = static_cast<double>(whole[d] - block[d]);
        place += (static_cast<int64_t>(std::clamp(x[2][d], 0.0, room)) + rest % block[d]) * strides[d];
      }
      result[static_cast<size_t>(place)] = x[1][static_cast<size_t>(index)];
    }
    return {result};
  }

  [[nodiscard]] Call lower(Inputs in, const Types& out) const override {
    const Shape& whole = in[0]->type.shape;
    const Shape& block = in[1]->type.shape;
    const std::vector<int64_t> strides = strides_of(whole);
    std::vector<int32_t> table;
    for (size_t d = 0; d < whole.size(); ++d) {
      for (const int64_t value : {whole[d] - block[d], block[d], strides[d]})
        table.push_back(narrow<int32_t>(value));
    }
    std::vector<Constant> constants{{"strides", DType::i32, to_bytes(table), false}};
    const std::vector<Argument> arguments{data_argument(in, 0, constants), data_argument(in, 1, constants),
                                          data_argument(in, 2, constants), constant(0), output(0)};
    const nn::UpdateSlice params{narrow<int32_t>(elements(whole)), narrow<int32_t>(whole.size()),
                                 narrow<int32_t>(block.back())};
    Call call = for_types(out[0].dtype, in[2]->type.dtype, [&]<class T, class I>(T, I) {
      return make_call(nn::update_slice<T, I>, instance<T, I>("update_slice"), header, "UpdateSlice", params,
                       arguments);
    });
    call.constants = std::move(constants);
    return call;
  }
};

// Inputs: indices (tuples of them), updates.
class ScatterNd final : public Operator {
 public:
  explicit ScatterNd(Shape shape) : shape_(std::move(shape)) {}
  [[nodiscard]] std::string name() const override { return "scatter_nd"; }
  [[nodiscard]] std::string parameters() const override { return to_text(shape_); }

  [[nodiscard]] Types infer(Inputs in, const Types& declared) const override {
    require(in.size() == 2, "has {} inputs, it takes 2", in.size());
    const Shape& indices = input_type(in, 0).shape;
    require_indices(in[0]->type);
    const TensorType& updates = input_type(in, 1);
    const bool tuples = !indices.empty() && indices.back() <= std::ssize(shape_);
    Shape expected;
    if (tuples) {
      expected.assign(indices.begin(), indices.end() - 1);
      expected.insert(expected.end(), shape_.begin() + indices.back(), shape_.end());
    }
    require(tuples && updates.shape == expected, "scatters updates {} by indices {} into {}; shapes do not fit",
            to_text(updates.shape), to_text(indices), to_text(shape_));
    if (!updates.quant.empty()) {
      require(tensor_zero(updates, "update input") == 0, "adds numbers of zero point {}; only 0 is supported",
              tensor_zero(updates, "update input"));
    }
    return {moved_type(updates, declared, shape_)};
  }

  [[nodiscard]] Reals reference(Inputs in, const Types&, const Reals& x) const override {
    const std::vector<int64_t> strides = strides_of(shape_);
    const auto depth = static_cast<size_t>(in[0]->type.shape.back());
    std::vector<double> result(static_cast<size_t>(elements(shape_)), 0.0);
    const size_t tuples = x[0].size() / depth, inner = x[1].size() / tuples;
    for (size_t i = 0; i < tuples; ++i) {
      int64_t place = 0;
      bool inside = true;
      for (size_t d = 0; d < depth; ++d) {
        const double index = x[0][i * depth + d];
        const auto extent = static_cast<double>(shape_[d]);
        inside = inside && index >= -extent && index < extent;
        if (inside) place += static_cast<int64_t>(index < 0 ? index + extent : index) * strides[d];
      }
      for (size_t k = 0; inside && k < inner; ++k) result[static_cast<size_t>(place) + k] += x[1][i * inner + k];
    }
    return {result};
  }

  [[nodiscard]] Call lower(Inputs in, const Types& out) const override {
    const std::vector<int64_t> strides = strides_of(shape_);
    const auto depth = static_cast<size_t>(in[0]->type.shape.back());
    std::vector<int32_t> table;
    for (size_t d = 0; d < depth; ++d) {
      table.push_back(narrow<int32_t>(shape_[d]));
      table.push_back(narrow<int32_t>(strides[d]));
    }
    std::vector<Constant> constants{{"strides", DType::i32, to_bytes(table), false}};
    const std::vector<Argument> arguments{data_argument(in, 0, constants), data_argument(in, 1, constants),
                                          constant(0), output(0)};
    const int64_t tuples = elements(in[0]->type.shape) / in[0]->type.shape.back();
    const nn::ScatterNd params{narrow<int32_t>(elements(shape_)), narrow<int32_t>(tuples), narrow<int32_t>(depth),
                               narrow<int32_t>(elements(in[1]->type.shape) / tuples)};
    Call call = for_types(out[0].dtype, in[0]->type.dtype, [&]<class T, class I>(T, I) {
      return make_call(nn::scatter_nd<T, I>, instance<T, I>("scatter_nd"), header, "ScatterNd", params, arguments);
    });
    call.constants = std::move(constants);
    return call;
  }

 private:
  Shape shape_;
};

Made update_slice_from_tflite(const tflite::OpView&) { return {std::make_shared<UpdateSlice>(), {0, 1, 2}}; }

Made scatter_nd_from_tflite(const tflite::OpView& view) {
  return {std::make_shared<ScatterNd>(view.integers(2, "output shape")), {0, 1}};
}

// Indices from `low` to the extent and one more, constant or not.
Tensor random_indices(std::mt19937& random, const Shape& shape, int64_t low, int64_t high) {
  Tensor tensor = variable({chance(random, 70) ? DType::i32 : DType::i64, shape, {}});
  std::vector<int64_t> values;
  for (int64_t i = 0; i < elements(shape); ++i) values.push_back(random_integer(random, low, high));
  const std::vector<int32_t> narrowed(values.begin(), values.end());
  tensor.data = tensor.type.dtype == DType::i64 ? to_bytes(values) : to_bytes(narrowed);
  if (chance(random, 20)) tensor.data.clear();  // then noise, most of which lies outside
  return tensor;
}

Sample scatter_sample(std::mt19937& random) {
  const Shape shape = random_shape(random, 1, 4, 4);
  Shape indices = random_shape(random, 1, 2, 3);
  indices.push_back(random_integer(random, 1, std::ssize(shape)));
  Shape updates(indices.begin(), indices.end() - 1);
  updates.insert(updates.end(), shape.begin() + indices.back(), shape.end());
  const TensorType type{chance(random, 60) ? DType::f32 : DType::i32, updates, {}};
  Tensor values = variable(type);
  make_constant(values, random);
  if (type.dtype == DType::i32) {  // sums that stay exact in the reference
    std::vector<int32_t> small = to_values<int32_t>(values.data);
    for (int32_t& value : small) value %= 1 << 20;
    values.data = to_bytes(small);
  }
  return {std::make_shared<ScatterNd>(shape),
          {random_indices(random, indices, -4, 4), values},
          {reshaped(type, shape)},
          1e-5};
}

Sample sample(std::mt19937& random) {
  if (chance(random, 40)) return scatter_sample(random);
  const TensorType type = random_movable(random, random_shape(random, 1, 5, 4));
  Shape block = type.shape;
  for (int64_t& extent : block) extent = random_integer(random, 1, extent);
  const double tolerance = type.dtype == DType::f32 ? 0.0 : 1e-9;
  Sample sample{
      std::make_shared<UpdateSlice>(), {variable(type), variable(reshaped(type, block))}, {type}, tolerance};
  sample.in.emplace_back(random_indices(random, {std::ssize(block)}, -2, 4));
  return sample;
}

}  // namespace

extern const OpDef update_slice{
    .name = "update_slice",
    .tflite = {{"DYNAMIC_UPDATE_SLICE", update_slice_from_tflite}, {"SCATTER_ND", scatter_nd_from_tflite}},
    .sample = sample};

}  // namespace mote::op
