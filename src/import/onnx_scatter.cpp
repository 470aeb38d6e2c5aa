// SPDX-License-Identifier: Apache-2.0
// ScatterND and ScatterElements of ONNX: their indices become places in the data, where they are known now while
// compiling.
#include <algorithm>

#include "import/onnx_translator.hpp"
#include "nn/scatter.hpp"
#include "ops/scatter.hpp"

namespace mote::onnx {

namespace {

namespace tfl = tflite::schema;

int32_t mode_of(const Translator& t) {
  static constexpr std::pair<std::string_view, int32_t> modes[] = {{"none", nn::scatter_replaces},
                                                                   {"add", nn::scatter_adds},
                                                                   {"mul", nn::scatter_multiplies},
                                                                   {"max", nn::scatter_keeps_largest},
                                                                   {"min", nn::scatter_keeps_smallest}};
  const std::string reduction = t.node().text("reduction", "none");
  const auto* const found =
      std::find_if(std::begin(modes), std::end(modes), [&](const auto& mode) { return mode.first == reduction; });
  require(found != std::end(modes), "has reduction '{}', which Mote does not know", reduction);
  return found->second;
}

// Integer arithmetic on indices, constant or not; operands broadcast as they are stored.
class Indices {
 public:
  explicit Indices(Translator& t) : builder_(t.builder()) {}

  // Input 1 of the node in ONNX's order, from 0 on along dimensions of these extents (one, or one an index of a
  // tuple).
  TensorId from_zero(Translator& t, const std::vector<int32_t>& extents) {
    const Value value = t.plain(1);
    TensorId id = builder_.stored(value, identity(value.shape().size()));
    const DType dtype = builder_.tensor(id).type.dtype;
    require(dtype == DType::i32 || dtype == DType::i64, "has indices of type {}; they must be integers",
            name(dtype));
    if (dtype != DType::i32) id = builder_.add("CAST", tfl::CastOptionsT{}, {id}, {{DType::i32, {}, {}}})[0];
    check(id, extents);
    const TensorId below = builder_.add("LESS", {id, row({0})}, {{DType::boolean, {}, {}}})[0];
    const TensorId moved =
        builder_.add("SELECT_V2", {below, sum(id, row(extents)), id}, {{DType::i32, {}, {}}})[0];
    return builder_.with_shape(moved, value.shape());  // of one element it is a scalar
  }

  TensorId row(const std::vector<int32_t>& values) { return builder_.constant({std::ssize(values)}, values); }
  TensorId sum(TensorId a, TensorId b) { return builder_.add("ADD", tfl::AddOptionsT{}, {a, b}, integers())[0]; }
  TensorId product(TensorId a, TensorId b) {
    return builder_.add("MUL", tfl::MulOptionsT{}, {a, b}, integers())[0];
  }

  // The index at `place` of each tuple.
  TensorId column(TensorId tuples, int32_t place) {
    const auto rank = builder_.tensor(tuples).type.shape.size();
    std::vector<int32_t> begin(rank, 0), end(rank, 0), step(rank, 1);
    begin.back() = place, end.back() = place + 1;
    tfl::StridedSliceOptionsT options;
    options.end_mask = (1 << (rank - 1)) - 1;
    return builder_.add("STRIDED_SLICE", options, {tuples, row(begin), row(end), row(step)}, integers())[0];
  }

 private:
  static Types integers() { return {{DType::i32, {}, {}}}; }

  // What is known now need not be bounded later.
  void check(TensorId id, const std::vector<int32_t>& extents) const {
    if (!builder_.tensor(id).constant()) return;
    const std::vector<int32_t> values = to_values<int32_t>(builder_.tensor(id).data);
    for (size_t i = 0; i < values.size(); ++i) {
      const int32_t extent = extents[i % extents.size()];
      require(values[i] >= -extent && values[i] < extent, "writes to index {} of a dimension of {}", values[i],
              extent);
    }
  }

  Builder& builder_;
};

// Strides of a tensor in ONNX's order.
std::vector<int32_t> strides_of(const Shape& shape) {
  std::vector<int32_t> strides(shape.size(), 1);
  for (size_t d = shape.size(); d-- > 1;) strides[d - 1] = narrow<int32_t>(strides[d] * shape[d]);
  return strides;
}

std::vector<int32_t> extents_of(const Shape& shape, size_t count) {
  std::vector<int32_t> extents;
  for (size_t d = 0; d < count; ++d) extents.push_back(narrow<int32_t>(shape[d]));
  return extents;
}

// Data and updates keep one quantisation, or become plain.
void scatter(Translator& t, TensorId places, const Shape& updates_shape) {
  Builder& builder = t.builder();
  const int32_t mode = mode_of(t);
  Value data = t.in(0), updates = t.in(2);
  if (mode != nn::scatter_replaces || !t.moves_quantised({&data, &updates})) {
    data = t.plain(0), updates = t.plain(2);
  }
  const Shape shape = data.shape();
  require(updates.shape() == updates_shape, "has updates {}, its indices need {}", to_text(updates.shape()),
          to_text(updates_shape));
  const std::vector<TensorId> in{builder.stored(data, identity(shape.size())), places,
                                 builder.stored(updates, identity(updates_shape.size()))};
  const TensorId id = builder.add(make_scatter(mode), in, {builder.tensor(in[0]).type})[0];
  t.give(0, {id, layout_of(shape, identity(shape.size())), data.meaning, data.unsigned_codes});
}

// A tuple of indices names a slice.
void scatter_nd(Translator& t) {
  const Shape shape = t.shape(0), tuples = t.shape(1);
  require(!tuples.empty() && tuples.back() > 0 && tuples.back() <= std::ssize(shape), "writes to {} by tuples {}",
          to_text(shape), to_text(tuples));
  const auto depth = static_cast<size_t>(tuples.back());
  Indices indices(t);
  const TensorId from_zero = indices.from_zero(t, extents_of(shape, depth));
  const std::vector<int32_t> strides = strides_of(Shape(shape.begin(), shape.begin() + tuples.back()));
  TensorId places = indices.column(from_zero, static_cast<int32_t>(depth) - 1);
  for (size_t d = 0; d + 1 < depth; ++d) {
    const TensorId part = indices.column(from_zero, static_cast<int32_t>(d));
    places = indices.sum(places, indices.product(part, indices.row({strides[d]})));
  }
  Shape updates(tuples.begin(), tuples.end() - 1);
  updates.insert(updates.end(), shape.begin() + tuples.back(), shape.end());
  scatter(t, places, updates);
}

// An index moves an update along the axis; its other coordinates are its own place.
void scatter_elements(Translator& t) {
  const Shape shape = t.shape(0), updates = t.shape(1);
  require(shape.size() == updates.size() && !shape.empty(), "writes to {} by indices {}", to_text(shape),
          to_text(updates));
  const size_t axis = t.axis(t.node().integer("axis", 0), shape.size());
  const std::vector<int32_t> strides = strides_of(shape), own = strides_of(updates);
  std::vector<int32_t> base;
  for (int64_t i = 0; i < elements(updates); ++i) {
    int64_t place = 0;
    for (size_t d = 0; d < shape.size(); ++d) {
      require(d == axis || updates[d] <= shape[d], "writes updates {} over {}", to_text(updates), to_text(shape));
      if (d != axis) place += i / own[d] % updates[d] * strides[d];
    }
    base.push_back(narrow<int32_t>(place));
  }
  Indices indices(t);
  const TensorId moved =
      indices.product(indices.from_zero(t, {narrow<int32_t>(shape[axis])}), indices.row({strides[axis]}));
  scatter(t, indices.sum(moved, t.builder().constant(updates, base)), updates);
}

constexpr Translation table[] = {{"ScatterElements", scatter_elements}, {"ScatterND", scatter_nd}};

}  // namespace

std::span<const Translation> scatter_translations() { return table; }

}  // namespace mote::onnx
