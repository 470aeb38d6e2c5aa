// SPDX-License-Identifier: Apache-2.0
#include "ops/reduction.hpp"

#include <fmt/ranges.h>

#include "formats/tflite_writer.hpp"
#include "ops/checks.hpp"
#include "ops/sampling.hpp"

namespace mote::op {

std::string Reduction::parameters() const {
  std::vector<size_t> axes;
  for (size_t d = 0; d < parameters_.folded.size(); ++d) {
    if (parameters_.folded[d]) axes.push_back(d);
  }
  return fmt::format("axes={}{}", fmt::join(axes, ","), parameters_.keep_dims ? " keep_dims" : "");
}

Types Reduction::infer(Inputs in, const Types& declared) const {
  const TensorType& input = one_input(in);
  std::vector<std::string_view> names;
  for (const DType dtype : dtypes()) names.push_back(mote::name(dtype));
  require(std::find(names.begin(), names.end(), mote::name(input.dtype)) != names.end(),
          "has an input of type {}, which is not supported; convert the model with {}", mote::name(input.dtype),
          fmt::join(names, " or "));
  require(input.shape.size() == parameters_.folded.size(), "has axes for rank {}, its input has rank {}",
          parameters_.folded.size(), input.shape.size());
  require(elements(input.shape) > 0, "has an input of shape {}, which is empty", to_text(input.shape));
  TensorType output = declared_type(declared, input.dtype);
  output.shape.clear();
  for (size_t d = 0; d < input.shape.size(); ++d) {
    if (!parameters_.folded[d]) output.shape.push_back(input.shape[d]);
    if (parameters_.folded[d] && parameters_.keep_dims) output.shape.push_back(1);
  }
  (void)loops(input.shape);
  return {output};
}

Reals Reduction::reference(Inputs in, const Types& out, const Reals& x) const {
  const Shape& shape = in[0]->type.shape;
  std::vector<std::vector<double>> groups(static_cast<size_t>(elements(out[0].shape)));
  for (int64_t index = 0; index < elements(shape); ++index) {
    int64_t rest = index, place = 0, stride = 1;
    for (size_t d = shape.size(); d-- > 0; rest /= shape[d]) {
      if (parameters_.folded[d]) continue;
      place += rest % shape[d] * stride;
      stride *= shape[d];
    }
    groups[static_cast<size_t>(place)].push_back(x[0][static_cast<size_t>(index)]);
  }
  std::vector<double> result;
  for (const std::vector<double>& group : groups) result.push_back(folded_value(group));
  return {result};
}

Region Reduction::needs(size_t, const Region& region, Inputs in, const Types&) const {
  Region needed = whole(in[0]->type.shape);
  size_t place = 0;
  for (size_t d = 0; d < parameters_.folded.size(); ++d) {
    if (!parameters_.folded[d]) needed.dims[d] = region.dims[place];
    if (!parameters_.folded[d] || parameters_.keep_dims) ++place;
  }
  return needed;
}

void Reduction::to_tflite(tflite::NodeWriter& file, Inputs in, const Types&) const {
  std::vector<int64_t> axes;
  for (size_t d = 0; d < parameters_.folded.size(); ++d) {
    if (parameters_.folded[d]) axes.push_back(static_cast<int64_t>(d));
  }
  tflite::schema::ReducerOptionsT options;
  options.keep_dims = parameters_.keep_dims;
  file.add(code(), tflite::usual_version(in[0]->type.dtype), {file.input(0), file.integers("axes", axes)},
           file.outputs(), options);
}

int64_t Reduction::folded_count(const Shape& shape) const {
  int64_t count = 1;
  for (size_t d = 0; d < shape.size(); ++d) count *= parameters_.folded[d] ? shape[d] : 1;
  return count;
}

size_t Reduction::folded_to(const Shape& shape) const {
  const std::vector<bool>& folded = parameters_.folded;
  size_t end = 1;
  while (end < folded.size() && folded[end]) ++end;
  for (size_t d = 0; d < folded.size(); ++d) {
    if (folded[d] && shape[d] != 1 && (d == 0 || d >= end)) return 0;
  }
  return end == 1 ? 0 : end;
}

Order Reduction::order(const TensorType& out) {
  return {.dims = static_cast<int>(out.shape.size()), .block = 1, .reads_first = true};
}

nn::Reduce Reduction::loops(const Shape& shape) const {
  struct Group {
    int32_t extent = 1, stride = 0;
  };
  std::vector<Group> groups[2];  // kept, folded; innermost first
  int last = -1;
  int64_t stride = 1;
  for (size_t d = shape.size(); d-- > 0; stride *= shape[d]) {
    if (shape[d] == 1) continue;
    const int kind = parameters_.folded[d] ? 1 : 0;
    if (kind != last) groups[kind].push_back({1, narrow<int32_t>(stride)});
    groups[kind].back().extent = narrow<int32_t>(groups[kind].back().extent * shape[d]);
    last = kind;
  }
  for (auto& list : groups) {
    require(list.size() <= 3, "alternates between kept and reduced axes too often; transpose the input first");
    list.resize(3);
  }
  const auto& [kept, folded] = groups;
  return {kept[2].extent,   kept[1].extent,   kept[0].extent,   kept[2].stride,
          kept[1].stride,   kept[0].stride,   folded[2].extent, folded[1].extent,
          folded[0].extent, folded[2].stride, folded[1].stride, folded[0].stride};
}

Reduction::Parameters reduction_from_tflite(const tflite::OpView& view) {
  require(!view.inputs.empty() && view.inputs[0] != nullptr,
          "has no input; the file is incomplete, convert the model again");
  const auto rank = static_cast<int64_t>(view.inputs[0]->type.shape.size());
  Reduction::Parameters parameters{std::vector<bool>(static_cast<size_t>(rank), false), false};
  parameters.keep_dims = view.required_options<tflite::schema::ReducerOptions>().keep_dims();
  for (const int64_t axis : view.integers(1, "axes")) {
    require(axis >= -rank && axis < rank, "reduces axis {} of an input of rank {}", axis, rank);
    parameters.folded[static_cast<size_t>(axis < 0 ? axis + rank : axis)] = true;
  }
  return parameters;
}

Reduction::Parameters random_reduction(std::mt19937& random, const Shape& shape) {
  Reduction::Parameters parameters;
  for (size_t d = 0; d < shape.size(); ++d) parameters.folded.push_back(chance(random, 50));
  parameters.keep_dims = chance(random, 50);
  return parameters;
}

Shape reduced(const Shape& shape, const Reduction::Parameters& parameters) {
  Shape result = shape;
  for (size_t d = shape.size(); d-- > 0;) {
    if (!parameters.folded[d]) continue;
    result[d] = 1;
    if (!parameters.keep_dims) result.erase(result.begin() + static_cast<std::ptrdiff_t>(d));
  }
  return result;
}

}  // namespace mote::op
