// SPDX-License-Identifier: Apache-2.0
// Slices chosen by indices: everything the compiler knows about them.
#include "nn/gather.hpp"

#include "formats/tflite_writer.hpp"
#include "ops/axes.hpp"
#include "ops/instances.hpp"
#include "ops/move.hpp"
#include "ops/registry.hpp"
#include "ops/sampling.hpp"
#include "ops/storage.hpp"

namespace mote::op {

namespace {

int64_t product(const Shape& shape, size_t begin, size_t end) {
  return elements(
      Shape(shape.begin() + static_cast<std::ptrdiff_t>(begin), shape.begin() + static_cast<std::ptrdiff_t>(end)));
}

// make(T(), I()) with the types of elements and of indices.
template <class Make>
Call for_types(DType dtype, DType index, Make make) {
  return for_storage(dtype, [&]<class T>(T element) {
    return index == DType::i64 ? make(element, int64_t()) : make(element, int32_t());
  });
}

void require_indices(const TensorType& type) { require_dtype(type, {DType::i32, DType::i64}, "index input"); }

size_t bounded(double index, int64_t extent) {
  const auto end = static_cast<double>(extent);
  return static_cast<size_t>(std::clamp(index < 0 ? index + end : index, 0.0, end - 1));
}

std::vector<int64_t> constant_indices(const Tensor& indices) {
  if (indices.type.dtype == DType::i64) return to_values<int64_t>(indices.data);
  const std::vector<int32_t> values = to_values<int32_t>(indices.data);
  return {values.begin(), values.end()};
}

// What is known now need not be bounded later. `extents`: of the dimensions that a tuple's indices go to.
void require_inside(const Tensor& indices, const Shape& extents) {
  if (!indices.constant() || extents.empty()) return;
  const std::vector<int64_t> values = constant_indices(indices);
  for (size_t i = 0; i < values.size(); ++i) {
    const int64_t extent = extents[i % extents.size()];
    require(values[i] >= -extent && values[i] < extent,
            "takes index {} of a dimension of {}; indices go from {} to {}", values[i], extent, -extent,
            extent - 1);
  }
}

// Inputs: data, indices.
class Gather final : public Operator {
 public:
  Gather(size_t axis, size_t batch_dims) : axis_(axis), batch_dims_(batch_dims) {}

  [[nodiscard]] std::string name() const override { return "gather"; }
  [[nodiscard]] std::string parameters() const override {
    return batch_dims_ == 0 ? fmt::format("axis={}", axis_)
                            : fmt::format("axis={} batch_dims={}", axis_, batch_dims_);
  }

  [[nodiscard]] Types infer(Inputs in, const Types& declared) const override {
    require(in.size() == 2, "has {} inputs, it takes 2", in.size());
    const Shape& data = input_type(in, 0).shape;
    const Shape& indices = input_type(in, 1).shape;
    require_indices(in[1]->type);
    require(axis_ < data.size() && batch_dims_ <= axis_ && batch_dims_ <= indices.size(),
            "gathers along axis {} of {} by indices {} with {} batch dimensions", axis_, to_text(data),
            to_text(indices), batch_dims_);
    const auto at = [](const Shape& shape, size_t d) { return shape.begin() + static_cast<std::ptrdiff_t>(d); };
    require(std::equal(data.begin(), at(data, batch_dims_), indices.begin()),
            "has data {} and indices {}, whose first {} extents must be equal", to_text(data), to_text(indices),
            batch_dims_);
    require_inside(*in[1], {data[axis_]});
    Shape shape(data.begin(), at(data, axis_));
    shape.insert(shape.end(), at(indices, batch_dims_), indices.end());
    shape.insert(shape.end(), at(data, axis_ + 1), data.end());
    return {moved_type(in[0]->type, declared, std::move(shape))};
  }

  [[nodiscard]] Reals reference(Inputs in, const Types& out, const Reals& x) const override {
    const nn::Gather p = params(in);
    std::vector<double> result;
    for (int64_t index = 0; index < elements(out[0].shape); ++index) {
      const int64_t inner = index % p.inner, i = index / p.inner % p.count, outer = index / p.inner / p.count;
      const auto chosen = x[1][static_cast<size_t>(outer / p.outer * p.count + i)];
      result.push_back(
          x[0][(static_cast<size_t>(outer * p.extent) + bounded(chosen, p.extent)) * static_cast<size_t>(p.inner) +
               static_cast<size_t>(inner)]);
    }
    return {result};
  }

  [[nodiscard]] Call lower(Inputs in, const Types& out) const override {
    std::vector<Constant> constants;
    const Argument data = data_argument(in, 0, constants);
    const Argument indices = data_argument(in, 1, constants);
    Call call = for_types(out[0].dtype, in[1]->type.dtype, [&]<class T, class I>(T, I) {
      return make_call(nn::gather<T, I>, instance<T, I>("gather"), "nn/gather.hpp", "Gather", params(in),
                       {data, indices, output(0)});
    });
    call.constants = std::move(constants);
    return call;
  }

  void to_tflite(tflite::NodeWriter& file, Inputs in, const Types&) const override {
    tflite::schema::GatherOptionsT options;
    options.axis = narrow<int32_t>(axis_);
    options.batch_dims = narrow<int32_t>(batch_dims_);
    file.add(tflite::schema::BuiltinOperator::GATHER, tflite::usual_version(in[0]->type.dtype), options);
  }
  // TensorFlow Lite Micro has it on i8 only.
  [[nodiscard]] std::optional<IntegerForm> integer_form(DType dtype, Inputs, const Types&) const override {
    return dtype == DType::i8 ? std::optional<IntegerForm>(IntegerForm::shared()) : std::nullopt;
  }

 private:
  [[nodiscard]] nn::Gather params(Inputs in) const {
    const Shape& data = in[0]->type.shape;
    const Shape& indices = in[1]->type.shape;
    return {narrow<int32_t>(product(data, 0, batch_dims_)), narrow<int32_t>(product(data, batch_dims_, axis_)),
            narrow<int32_t>(data[axis_]), narrow<int32_t>(product(indices, batch_dims_, indices.size())),
            narrow<int32_t>(product(data, axis_ + 1, data.size()))};
  }

  size_t axis_, batch_dims_;
};

// Inputs: data, indices.
class GatherNd final : public Operator {
 public:
  [[nodiscard]] std::string name() const override { return "gather_nd"; }
  [[nodiscard]] std::string parameters() const override { return ""; }

  [[nodiscard]] Types infer(Inputs in, const Types& declared) const override {
    require(in.size() == 2, "has {} inputs, it takes 2", in.size());
    const Shape& data = input_type(in, 0).shape;
    const Shape& indices = input_type(in, 1).shape;
    require_indices(in[1]->type);
    require(!indices.empty() && indices.back() <= std::ssize(data), "takes tuples of {} as indices into {}",
            to_text(indices), to_text(data));
    require_inside(*in[1], Shape(data.begin(), data.begin() + indices.back()));
    Shape shape(indices.begin(), indices.end() - 1);
    shape.insert(shape.end(), data.begin() + indices.back(), data.end());
    return {moved_type(in[0]->type, declared, std::move(shape))};
  }

  [[nodiscard]] Reals reference(Inputs in, const Types& out, const Reals& x) const override {
    const Shape& data = in[0]->type.shape;
    const auto depth = static_cast<size_t>(in[1]->type.shape.back());
    const auto inner = static_cast<size_t>(product(data, depth, data.size()));
    std::vector<double> result;
    for (size_t i = 0; i < static_cast<size_t>(elements(out[0].shape)); ++i) {
      size_t place = 0;
      for (size_t d = 0; d < depth; ++d) {
        place = place * static_cast<size_t>(data[d]) + bounded(x[1][i / inner * depth + d], data[d]);
      }
      result.push_back(x[0][place * inner + i % inner]);
    }
    return {result};
  }

  [[nodiscard]] Call lower(Inputs in, const Types& out) const override {
    const Shape& shape = in[0]->type.shape;
    const auto depth = static_cast<size_t>(in[1]->type.shape.back());
    std::vector<int32_t> table;
    for (size_t d = 0; d < depth; ++d) {
      table.push_back(narrow<int32_t>(shape[d]));
      table.push_back(narrow<int32_t>(product(shape, d + 1, shape.size())));
    }
    std::vector<Constant> constants{{"strides", DType::i32, to_bytes(table), false}};
    const Argument data = data_argument(in, 0, constants);
    const Argument indices = data_argument(in, 1, constants);
    const int64_t inner = product(shape, depth, shape.size());
    const nn::GatherNd params{narrow<int32_t>(elements(out[0].shape) / inner), narrow<int32_t>(depth),
                              narrow<int32_t>(inner)};
    Call call = for_types(out[0].dtype, in[1]->type.dtype, [&]<class T, class I>(T, I) {
      return make_call(nn::gather_nd<T, I>, instance<T, I>("gather_nd"), "nn/gather.hpp", "GatherNd", params,
                       {data, indices, constant(0), output(0)});
    });
    call.constants = std::move(constants);
    return call;
  }

  void to_tflite(tflite::NodeWriter& file, Inputs in, const Types&) const override {
    file.add(tflite::schema::BuiltinOperator::GATHER_ND, tflite::usual_version(in[0]->type.dtype),
             tflite::schema::GatherNdOptionsT{});
  }
  // TensorFlow Lite Micro has it on i8 only.
  [[nodiscard]] std::optional<IntegerForm> integer_form(DType dtype, Inputs, const Types&) const override {
    return dtype == DType::i8 ? std::optional<IntegerForm>(IntegerForm::shared()) : std::nullopt;
  }
};

Made gather_from_tflite(const tflite::OpView& view) {
  const auto& options = view.required_options<tflite::schema::GatherOptions>();
  const size_t axis = dimension(options.axis(), file_shape(view).size());
  const size_t indices_rank = file_shape(view, 1).size();
  const int64_t batch = options.batch_dims();
  require(std::abs(batch) <= static_cast<int64_t>(indices_rank),
          "has {} batch dimensions, its indices have rank {}", batch, indices_rank);
  const auto batch_dims = static_cast<size_t>(batch < 0 ? batch + static_cast<int64_t>(indices_rank) : batch);
  return {std::make_shared<Gather>(axis, batch_dims), {0, 1}};
}

Made gather_nd_from_tflite(const tflite::OpView&) { return {std::make_shared<GatherNd>(), {0, 1}}; }

// The table comes second there.
Made embedding_lookup_from_tflite(const tflite::OpView& view) {
  require(file_shape(view).size() == 1, "looks up indices of shape {}; it takes a vector",
          to_text(file_shape(view)));
  return {std::make_shared<Gather>(0, 0), {1, 0}};
}

// `extents`: of the dimensions that a tuple's indices go to.
std::vector<std::optional<Tensor>> inputs_of(std::mt19937& random, const TensorType& data, const Shape& shape,
                                             const Shape& extents) {
  const DType dtype = chance(random, 70) ? DType::i32 : DType::i64;
  Tensor indices = variable({dtype, shape, {}});
  if (chance(random, 80)) {  // otherwise nearly all lie outside
    std::vector<int64_t> values;
    for (size_t i = 0; i < static_cast<size_t>(elements(shape)); ++i) {
      const int64_t extent = extents[i % extents.size()];
      values.push_back(random_integer(random, -extent, extent - 1));
    }
    const std::vector<int32_t> narrowed(values.begin(), values.end());
    indices.data = dtype == DType::i64 ? to_bytes(values) : to_bytes(narrowed);
  }
  return {variable(data), indices};
}

Sample nd_sample(std::mt19937& random, const TensorType& data) {
  Shape indices = random_shape(random, 1, 3, 3);
  indices.back() = random_integer(random, 1, std::ssize(data.shape));
  Shape out(indices.begin(), indices.end() - 1);
  for (size_t d = static_cast<size_t>(indices.back()); d < data.shape.size(); ++d) out.push_back(data.shape[d]);
  const double tolerance = data.dtype == DType::f32 ? 0.0 : 1e-9;
  const Shape extents(data.shape.begin(), data.shape.begin() + indices.back());
  return {
      std::make_shared<GatherNd>(), inputs_of(random, data, indices, extents), {reshaped(data, out)}, tolerance};
}

Sample sample(std::mt19937& random) {
  const TensorType data = random_movable(random, random_shape(random, 1, 4, 4));
  if (chance(random, 40)) return nd_sample(random, data);
  const auto axis = static_cast<size_t>(random_integer(random, 0, std::ssize(data.shape) - 1));
  const auto batch_dims = static_cast<size_t>(random_integer(random, 0, static_cast<int64_t>(axis)));
  Shape indices, out;
  for (size_t d = 0; d < axis; ++d) out.push_back(data.shape[d]);
  for (size_t d = 0; d < batch_dims; ++d) indices.push_back(data.shape[d]);
  for (int64_t i = random_integer(random, 0, 2); i > 0; --i) {
    indices.push_back(random_integer(random, 1, 4));
    out.push_back(indices.back());
  }
  for (size_t d = axis + 1; d < data.shape.size(); ++d) out.push_back(data.shape[d]);
  const double tolerance = data.dtype == DType::f32 ? 0.0 : 1e-9;
  return {std::make_shared<Gather>(axis, batch_dims),
          inputs_of(random, data, indices, {data.shape[axis]}),
          {reshaped(data, out)},
          tolerance};
}

}  // namespace

extern const OpDef gather{.name = "gather",
                          .tflite = {{"GATHER", gather_from_tflite},
                                     {"GATHER_ND", gather_nd_from_tflite},
                                     {"EMBEDDING_LOOKUP", embedding_lookup_from_tflite}},
                          .sample = sample};

}  // namespace mote::op
