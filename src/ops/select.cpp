// SPDX-License-Identifier: Apache-2.0
// Elements chosen from two tensors by a mask: everything the compiler knows about SELECT and SELECT_V2.
#include "nn/select.hpp"

#include "formats/tflite_writer.hpp"
#include "ops/axes.hpp"
#include "ops/broadcast.hpp"
#include "ops/instances.hpp"
#include "ops/move.hpp"
#include "ops/registry.hpp"
#include "ops/sampling.hpp"
#include "ops/storage.hpp"

namespace mote::op {

namespace {

// Inputs: mask, what it chooses where it is true, and where it is false.
class Select final : public Operator {
 public:
  // `by_rows`: a mask of one dimension goes along the outermost dimension of the others.
  explicit Select(bool by_rows) : by_rows_(by_rows) {}

  [[nodiscard]] std::string name() const override { return "select"; }
  [[nodiscard]] std::string parameters() const override { return by_rows_ ? "by_rows" : ""; }

  [[nodiscard]] Types infer(Inputs in, const Types& declared) const override {
    require(in.size() == 3, "has {} inputs, it takes 3", in.size());
    require_dtype(input_type(in, 0), {DType::boolean}, "input mask");
    const TensorType& chosen = input_type(in, 1);
    const TensorType& other = input_type(in, 2);
    require(chosen.dtype == other.dtype, "chooses between {} and {}; both must have one type",
            mote::name(chosen.dtype), mote::name(other.dtype));
    Shape shape = broadcast_shape(broadcast_shape(chosen.shape, other.shape), mask_shape(in));
    // Of one element, files state whatever rank they like.
    if (elements(shape) == 1 && declared.size() == 1 && elements(declared[0].shape) == 1)
      shape = declared[0].shape;
    (void)moved_type(other, declared, shape);
    return {moved_type(chosen, declared, shape)};
  }

  [[nodiscard]] Reals reference(Inputs in, const Types& out, const Reals& x) const override {
    const Shape& shape = out[0].shape;
    std::vector<double> result;
    for (int64_t i = 0; i < elements(shape); ++i) {
      const size_t from = x[0][broadcast_index(i, shape, mask_shape(in))] != 0 ? 1 : 2;
      result.push_back(x[from][broadcast_index(i, shape, in[from]->type.shape)]);
    }
    return {result};
  }

  [[nodiscard]] Region needs(size_t input, const Region& region, Inputs in, const Types&) const override {
    if (elements(in[input]->type.shape) == 1) return whole(in[input]->type.shape);
    Region needed = broadcast_needs(region, input == 0 ? mask_shape(in) : in[input]->type.shape);
    if (input == 0) needed.rank = static_cast<int>(in[0]->type.shape.size());
    return needed;
  }

  void to_tflite(tflite::NodeWriter& file, Inputs, const Types& out) const override {
    using tflite::schema::BuiltinOperator;
    const int version = tflite::usual_version(out[0].dtype);
    // TensorFlow Lite Micro has only the second one.
    if (by_rows_) return file.add(BuiltinOperator::SELECT, version, tflite::schema::SelectOptionsT{});
    file.add(BuiltinOperator::SELECT_V2, 1, tflite::schema::SelectV2OptionsT{});
  }
  [[nodiscard]] std::optional<IntegerForm> integer_form(DType, Inputs, const Types&) const override {
    return IntegerForm::shared();
  }

  [[nodiscard]] Call lower(Inputs in, const Types& out) const override {
    std::vector<Constant> constants;
    const Argument mask = data_argument(in, 0, constants);
    const Argument chosen = data_argument(in, 1, constants);
    const Argument other = data_argument(in, 2, constants);
    const Shape& shape = out[0].shape;
    const auto covers = [&](const Tensor* tensor) { return elements(tensor->type.shape) == elements(shape); };
    Call call;
    if (std::all_of(in.begin(), in.end(), covers)) {
      const nn::Select params{narrow<int32_t>(elements(shape))};
      call = for_storage(out[0].dtype, [&]<class T>(T) {
        return make_call(nn::select<T>, instance<T>("select"), "nn/select.hpp", "Select", params,
                         {mask, chosen, other, output(0)});
      });
    } else {
      const BroadcastTable table = broadcast_table(shape, {mask_shape(in), in[1]->type.shape, in[2]->type.shape});
      constants.push_back(table.table);
      call = for_storage(out[0].dtype, [&]<class T>(T) {
        return make_call(nn::select_broadcast<T>, instance<T>("select_broadcast"), "nn/select.hpp", "Select",
                         nn::Select{table.dimensions},
                         {mask, chosen, other, constant(constants.size() - 1), output(0)});
      });
    }
    call.constants = std::move(constants);
    call.order = element_by_element(out[0]);
    return call;
  }

 private:
  // The mask's shape as it is broadcast.
  [[nodiscard]] Shape mask_shape(Inputs in) const {
    Shape shape = in[0]->type.shape;
    if (by_rows_ && shape.size() == 1) shape.resize(std::max<size_t>(in[1]->type.shape.size(), 1), 1);
    return shape;
  }

  bool by_rows_;
};

// The older operator takes three tensors of one shape, or a mask that chooses whole slices.
Made select_from_tflite(const tflite::OpView& view) {
  const Shape& mask = file_shape(view, 0);
  const Shape& chosen = file_shape(view, 1);
  const Shape& other = file_shape(view, 2);
  const bool slices = mask.empty() || elements(mask) == 1 || (mask.size() == 1 && mask[0] == chosen.at(0));
  require(chosen == other && (mask == chosen || slices),
          "chooses between {} and {} by a mask {}; shapes that are broadcast need SELECT_V2", to_text(chosen),
          to_text(other), to_text(mask));
  return {std::make_shared<Select>(mask != chosen && mask.size() == 1), {0, 1, 2}};
}

Made select_v2_from_tflite(const tflite::OpView&) { return {std::make_shared<Select>(false), {0, 1, 2}}; }

Sample sample(std::mt19937& random) {
  const Shape whole = random_shape(random, 1, 5, 4);
  const TensorType type = random_movable(random, whole);
  const bool by_rows = chance(random, 20);
  Sample sample{std::make_shared<Select>(by_rows), {}, {}, type.dtype == DType::f32 ? 0.0 : 1e-9};
  Shape out;
  for (int i = 0; i < 3; ++i) {
    Shape shape = whole;
    if (by_rows && i == 0) shape.resize(1);
    if (!by_rows) {
      for (int64_t& extent : shape) extent = chance(random, 20) ? 1 : extent;
      if (chance(random, 20))
        shape.erase(shape.begin(), shape.begin() + random_integer(random, 0, std::ssize(shape)));
      out = broadcast_shape(out, shape);
    }
    sample.in.push_back(variable(i == 0 ? TensorType{DType::boolean, shape, {}} : reshaped(type, shape)));
    if (i > 0 && chance(random, 15)) make_constant(*sample.in.back(), random);
  }
  sample.out = {reshaped(type, by_rows ? whole : out)};
  return sample;
}

}  // namespace

extern const OpDef select{.name = "select",
                          .tflite = {{"SELECT", select_from_tflite}, {"SELECT_V2", select_v2_from_tflite}},
                          .sample = sample};

}  // namespace mote::op
