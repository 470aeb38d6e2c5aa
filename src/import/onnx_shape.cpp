// SPDX-License-Identifier: Apache-2.0
// Operators of ONNX that change how a tensor is seen: most of them move nothing here, they change the layout.
#include <algorithm>

#include "formats/onnx_tensor.hpp"
#include "import/onnx_float.hpp"
#include "import/onnx_translator.hpp"

namespace mote::onnx {

namespace {

namespace tfl = tflite::schema;

// The same data under another shape: by bookkeeping if possible, otherwise put into ONNX's order first.
void give_reshaped(Translator& t, const Shape& shape) {
  Value value = t.in(0);
  require(elements(shape) == elements(value.shape()),
          "cannot give {} the shape {}: the numbers of elements differ", to_text(value.shape()), to_text(shape));
  if (t.builder().constant(value) && t.builder().tensor(value.id).type.quant.scale.size() <= 1) {
    value.id = t.builder().with_shape(t.builder().stored(value, identity(value.shape().size())), shape);
    value.layout = layout_of(shape, identity(shape.size()));
  } else if (const std::optional<Layout> layout = reshaped(value.layout, shape)) {
    value.layout = *layout;
  } else {
    value.id = t.builder().with_shape(t.builder().stored(value, identity(value.shape().size())), shape);
    value.layout = layout_of(shape, identity(shape.size()));
  }
  t.give(0, std::move(value));
}

void reshape(Translator& t) {
  const Shape from = t.shape(0);
  Shape to = t.integers(1, "shape");
  const bool zero_is_zero = t.node().integer("allowzero", 0) != 0;
  std::optional<size_t> open;
  for (size_t d = 0; d < to.size(); ++d) {
    if (to[d] == 0 && !zero_is_zero) {
      require(d < from.size(),
              "copies dimension {} of {}, which has none; export it with another opset or fix the shape", d,
              to_text(from));
      to[d] = from[d];
    }
    if (to[d] != -1) continue;
    require(!open, "leaves two dimensions of its shape {} open", to_text(t.integers(1, "shape")));
    open = d;
  }
  if (open) {
    to[*open] = 1;
    const int64_t others = elements(to);
    require(others > 0 && elements(from) % others == 0,
            "cannot complete the shape {} (-1: open) to the {} elements of {}", to_text(t.integers(1, "shape")),
            elements(from), to_text(from));
    to[*open] = elements(from) / others;
  }
  give_reshaped(t, to);
}

void flatten(Translator& t) {
  const Shape shape = t.shape(0);
  const int64_t stated = t.node().integer("axis", 1);
  const size_t axis = stated == std::ssize(shape) ? shape.size() : t.axis(stated, shape.size());
  const auto split = shape.begin() + static_cast<std::ptrdiff_t>(axis);
  give_reshaped(t, {elements(Shape(shape.begin(), split)), elements(Shape(split, shape.end()))});
}

void squeeze(Translator& t) {
  const Shape shape = t.shape(0);
  std::vector<bool> drop(shape.size(), false);
  const auto axes = t.list("axes", 1);
  for (size_t d = 0; d < shape.size(); ++d) drop[d] = !axes && shape[d] == 1;
  for (const int64_t number : axes.value_or(Shape{})) {
    const size_t axis = t.axis(number, shape.size());
    require(shape[axis] == 1, "squeezes axis {} of {}, which is not 1", number, to_text(shape));
    drop[axis] = true;
  }
  Shape result;
  for (size_t d = 0; d < shape.size(); ++d) {
    if (!drop[d]) result.push_back(shape[d]);
  }
  give_reshaped(t, result);
}

void unsqueeze(Translator& t) {
  const auto axes = t.list("axes", 1);
  require(axes.has_value(), "has no axes");
  const size_t rank = t.shape(0).size() + axes->size();
  std::vector<bool> fresh(rank, false);
  for (const int64_t number : *axes) fresh[t.axis(number, rank)] = true;
  Shape result;
  size_t next = 0;
  const Shape shape = t.shape(0);
  for (size_t d = 0; d < rank; ++d) {
    require(fresh[d] || next < shape.size(), "names an axis twice");
    result.push_back(fresh[d] ? 1 : shape[next++]);
  }
  give_reshaped(t, result);
}

Permutation permutation_of(const Translator& t, size_t rank) {
  const std::vector<int64_t> stated = t.node().integers("perm");
  Permutation order = identity(rank);
  if (stated.empty()) {
    std::reverse(order.begin(), order.end());
    return order;
  }
  require(stated.size() == rank, "permutes {} axes of {}", stated.size(), rank);
  for (size_t d = 0; d < rank; ++d) order[d] = t.axis(stated[d], rank);
  Permutation sorted = order;
  std::sort(sorted.begin(), sorted.end());
  require(sorted == identity(rank), "has a perm that names an axis twice");
  return order;
}

void transpose(Translator& t) {
  Value value = t.in(0);
  const Permutation order = permutation_of(t, value.shape().size());
  t.give_transposed(std::move(value), order);
}

constexpr int64_t largest_block = 4096;

// Depth to space and back are a reshape, a transposition and a reshape.
void depth_to_space(Translator& t) {
  const Shape s = t.shape(0);
  const int64_t block = t.node().integer("blocksize");
  require(s.size() == 4 && block > 0 && block <= largest_block && s[1] % (block * block) == 0,
          "has a block of {} for {}", block, to_text(s));
  const std::string mode = t.node().text("mode", "DCR");
  require(mode == "DCR" || mode == "CRD", "has mode '{}', which Mote does not know", mode);
  const int64_t depth = s[1] / (block * block);
  Value value = t.in(0);
  const Value whole{t.builder().stored(value, channels_last(4)), layout_of(s, channels_last(4)), value.meaning,
                    value.unsigned_codes};
  const bool depth_last = mode == "DCR";
  const Shape split =
      depth_last ? Shape{s[0], block, block, depth, s[2], s[3]} : Shape{s[0], depth, block, block, s[2], s[3]};
  const Permutation order = depth_last ? Permutation{0, 3, 4, 1, 5, 2} : Permutation{0, 1, 4, 2, 5, 3};
  value = whole;
  value.layout =
      reshaped(transposed(reshaped(whole.layout, split).value(), order), {s[0], depth, s[2] * block, s[3] * block})
          .value();
  t.give(0, std::move(value));
}

void space_to_depth(Translator& t) {
  const Shape s = t.shape(0);
  const int64_t block = t.node().integer("blocksize");
  require(s.size() == 4 && block > 0 && block <= largest_block && s[2] % block == 0 && s[3] % block == 0,
          "has a block of {} for {}", block, to_text(s));
  Value value = t.in(0);
  const Shape split{s[0], s[1], s[2] / block, block, s[3] / block, block};
  const std::optional<Layout> layout = reshaped(value.layout, split);
  require(layout.has_value(), "has an input that is stored in pieces, which is not supported");
  value.layout =
      reshaped(transposed(*layout, {0, 3, 5, 1, 2, 4}), {s[0], s[1] * block * block, s[2] / block, s[3] / block})
          .value();
  t.give(0, std::move(value));
}

void constant(Translator& t) {
  const Node& node = t.node();
  Tensor tensor;
  if (const auto value = node.tensor("value")) {
    require(value->problem.empty(), "{}", value->problem);
    tensor = value->tensor;
  } else if (node.has("value_int")) {
    tensor = {"", {DType::i64, {}, {}}, to_bytes(std::vector<int64_t>{node.integer("value_int")})};
  } else if (node.has("value_float")) {
    tensor = {"", {DType::f32, {}, {}}, to_bytes(std::vector<float>{node.real("value_float", 0.0F)})};
  } else if (node.has("value_ints")) {
    const std::vector<int64_t> values = node.integers("value_ints");
    tensor = {"", {DType::i64, {std::ssize(values)}, {}}, to_bytes(values)};
  } else {
    require(node.has("value_floats"), "has no value of a kind that Mote reads");
    const std::vector<float> values = node.reals("value_floats");
    tensor = {"", {DType::f32, {std::ssize(values)}, {}}, to_bytes(values)};
  }
  const Shape shape = tensor.type.shape;
  const TensorId id = t.builder().add_tensor(t.node().outputs[0], tensor.type, std::move(tensor.data));
  t.give(0, {id, layout_of(shape, identity(shape.size()))});
}

void shape_of_input(Translator& t) {
  const Shape shape = t.shape(0);
  const auto rank = std::ssize(shape);
  const auto clamped = [&](int64_t number) {
    return std::clamp<int64_t>(number < 0 ? number + rank : number, 0, rank);
  };
  const int64_t start = clamped(t.node().integer("start", 0));
  const int64_t end = std::max(start, clamped(t.node().integer("end", rank)));
  const Shape part(shape.begin() + start, shape.begin() + end);
  t.give(0, t.builder().constant_value({std::ssize(part)}, part));
}

void size_of_input(Translator& t) { t.give(0, t.builder().constant_value({}, {elements(t.shape(0))})); }

void constant_of_shape(Translator& t) {
  const Shape shape = t.integers(0, "shape");
  Tensor one{"", {DType::f32, {1}, {}}, to_bytes(std::vector<float>{0.0F})};
  if (const auto value = t.node().tensor("value")) {
    require(value->problem.empty(), "{}", value->problem);
    one = value->tensor;
  }
  require(elements(one.type.shape) == 1, "has {} values, it takes one", elements(one.type.shape));
  const int64_t count = elements(shape);
  require(count <= (int64_t{1} << 24), "makes a constant of {} elements, which is too large", count);
  Bytes data;
  for (int64_t i = 0; i < count; ++i) data.insert(data.end(), one.data.begin(), one.data.end());
  const TensorId id = t.builder().add_tensor(t.node().outputs[0], {one.type.dtype, shape, {}}, std::move(data));
  t.give(0, {id, layout_of(shape, identity(shape.size()))});
}

void expand(Translator& t) {
  Value value = t.plain(0);
  Shape wanted = t.integers(1, "shape"), shape = value.shape();
  const size_t rank = std::max(wanted.size(), shape.size());
  wanted.insert(wanted.begin(), rank - wanted.size(), 1);
  value.layout.dims.insert(value.layout.dims.begin(), rank - shape.size(), {});
  shape.insert(shape.begin(), rank - shape.size(), 1);
  const Ordered source = t.builder().ordered(value);
  std::vector<int32_t> repeats(rank, 1);
  for (size_t d = 0; d < rank; ++d) {
    require(shape[d] == wanted[d] || shape[d] == 1 || wanted[d] == 1, "cannot expand {} to {}", to_text(shape),
            to_text(wanted));
    if (shape[d] == 1) repeats[source.place(d)] = narrow<int32_t>(wanted[d]);
    wanted[d] = std::max(wanted[d], shape[d]);
  }
  const TensorId times = t.builder().constant({std::ssize(repeats)}, repeats);
  const TensorType type = t.builder().tensor(source.id).type;
  const bool same = wanted == shape;
  const TensorId id = same ? source.id : t.builder().add("TILE", {source.id, times}, {type})[0];
  t.give(0, {id, layout_of(wanted, source.order)});
}

void tile(Translator& t) {
  const Value value = t.in(0);
  const std::vector<int64_t> stated = t.integers(1, "repeats");
  Shape shape = value.shape();
  require(stated.size() == shape.size(), "has {} repeats for {}", stated.size(), to_text(shape));
  const Ordered source = t.builder().ordered(value);
  std::vector<int32_t> repeats(shape.size(), 1);
  for (size_t d = 0; d < shape.size(); ++d) {
    repeats[source.place(d)] = narrow<int32_t>(stated[d]);
    shape[d] *= stated[d];
  }
  const TensorId times = t.builder().constant({std::ssize(repeats)}, repeats);
  const TensorId id = t.builder().add("TILE", {source.id, times}, {t.builder().tensor(source.id).type})[0];
  t.give(0, {id, layout_of(shape, source.order), value.meaning, value.unsigned_codes});
}

constexpr Translation table[] = {
    {"Constant", constant},
    {"ConstantOfShape", constant_of_shape},
    {"DepthToSpace", depth_to_space},
    {"Expand", expand},
    {"Flatten", flatten},
    {"Reshape", reshape},
    {"Shape", shape_of_input},
    {"Size", size_of_input},
    {"SpaceToDepth", space_to_depth},
    {"Squeeze", squeeze},
    {"Tile", tile},
    {"Transpose", transpose},
    {"Unsqueeze", unsqueeze},
};

}  // namespace

std::span<const Translation> shape_translations() { return table; }

}  // namespace mote::onnx
