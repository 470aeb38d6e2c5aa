// SPDX-License-Identifier: Apache-2.0
// Resize and Upsample of ONNX. Where TFLite's operators place their samples alike, they are used; nearest
// neighbours of any other kind are gathered.
#include <algorithm>
#include <cmath>

#include "import/onnx_translator.hpp"

namespace mote::onnx {

namespace {

namespace tfl = tflite::schema;

// One dimension: how many elements, and the scale that the file states (or the ratio).
struct Scaling {
  int64_t in = 1, out = 1;
  double scale = 1.0;
};

double position(const std::string& mode, int64_t index, const Scaling& s) {
  const auto x = static_cast<double>(index);
  const auto out = static_cast<double>(s.out), in = static_cast<double>(s.in);
  if (mode == "asymmetric") return x / s.scale;
  if (mode == "half_pixel") return (x + 0.5) / s.scale - 0.5;
  if (mode == "pytorch_half_pixel") return s.out > 1 ? (x + 0.5) / s.scale - 0.5 : 0.0;
  if (mode == "align_corners") return s.out > 1 ? x * (in - 1) / (out - 1) : 0.0;
  if (mode == "half_pixel_symmetric") {
    const double adjustment = out / (s.scale * in);
    return in / 2 * (1 - adjustment) + (x + 0.5) / s.scale - 0.5;
  }
  fail("has coordinate_transformation_mode '{}', which is not supported", mode);
}

int64_t nearest(const std::string& rounding, double x, int64_t extent) {
  double rounded = 0.0;
  if (rounding == "round_prefer_floor") {
    rounded = std::ceil(x - 0.5);
  } else if (rounding == "round_prefer_ceil") {
    rounded = std::floor(x + 0.5);
  } else if (rounding == "floor") {
    rounded = std::floor(x);
  } else {
    require(rounding == "ceil", "has nearest_mode '{}', which Mote does not know", rounding);
    rounded = std::ceil(x);
  }
  return std::clamp<int64_t>(static_cast<int64_t>(rounded), 0, extent - 1);
}

// 0 for what is no size: it is refused with those that are too small.
int64_t whole_size(double size) { return size >= 0.0 && size <= 1e9 ? static_cast<int64_t>(std::floor(size)) : 0; }

// One scale for all axes: the smallest or the largest that the sizes ask for.
template <class Axis>
void keep_aspect_ratio(std::vector<Scaling>& all, const std::vector<int64_t>& axes, const std::string& policy,
                       Axis axis) {
  if (policy == "stretch" || axes.empty()) return;
  require(policy == "not_larger" || policy == "not_smaller",
          "has keep_aspect_ratio_policy '{}', which Mote does not know", policy);
  double scale = all[axis(axes[0])].scale;
  for (const int64_t number : axes) {
    const double own = all[axis(number)].scale;
    scale = policy == "not_larger" ? std::min(scale, own) : std::max(scale, own);
  }
  for (const int64_t number : axes) {
    Scaling& one = all[axis(number)];
    one.scale = scale;
    one.out = whole_size(scale * static_cast<double>(one.in) + 0.5);
  }
}

std::vector<Scaling> scalings(const Translator& t, size_t scales_input, size_t sizes_input) {
  const Shape shape = t.shape(0);
  std::vector<Scaling> result;
  for (const int64_t extent : shape) result.push_back({extent, extent, 1.0});
  std::vector<int64_t> axes = t.node().integers("axes");
  if (axes.empty()) {
    for (size_t d = 0; d < shape.size(); ++d) axes.push_back(static_cast<int64_t>(d));
  }
  const std::string policy = t.node().text("keep_aspect_ratio_policy", "stretch");
  if (t.has(sizes_input) && elements(t.shape(sizes_input)) > 0) {
    const std::vector<int64_t> sizes = t.integers(sizes_input, "sizes");
    require(sizes.size() == axes.size(), "has {} sizes for {} axes", sizes.size(), axes.size());
    for (size_t i = 0; i < axes.size(); ++i) {
      Scaling& one = result[t.axis(axes[i], shape.size())];
      one.out = sizes[i];
      one.scale = static_cast<double>(one.out) / static_cast<double>(one.in);
    }
    keep_aspect_ratio(result, axes, policy, [&](int64_t axis) { return t.axis(axis, shape.size()); });
  } else {
    const std::vector<float> scales = t.reals(scales_input, "scales");
    require(scales.size() == axes.size(), "has {} scales for {} axes", scales.size(), axes.size());
    for (size_t i = 0; i < axes.size(); ++i) {
      Scaling& one = result[t.axis(axes[i], shape.size())];
      one.scale = static_cast<double>(scales[i]);
      one.out = whole_size(static_cast<double>(one.in) * one.scale);
    }
  }
  for (const Scaling& one : result)
    require(one.out > 0 && one.out <= 32767 && std::isfinite(one.scale) && one.scale > 0.0,
            "resizes {} to {}; sizes up to 32767 are supported", one.in, one.out);
  return result;
}

// Takes the elements that `pick` names, dimension by dimension.
template <class Pick>
Value gathered(Translator& t, Value value, const std::vector<Scaling>& all, Pick pick) {
  Shape shape = value.shape();
  for (size_t d = 0; d < all.size(); ++d) {
    std::vector<int32_t> indices;
    bool same = all[d].in == all[d].out;
    for (int64_t i = 0; i < all[d].out; ++i) {
      indices.push_back(narrow<int32_t>(pick(i, all[d])));
      same = same && indices.back() == i;
    }
    if (same) continue;
    const Ordered source = t.builder().ordered(value);
    tfl::GatherOptionsT options;
    options.axis = static_cast<int32_t>(source.place(d));
    const TensorId list = t.builder().constant({all[d].out}, indices);
    shape[d] = all[d].out;
    value.id = t.builder().add("GATHER", options, {source.id, list}, {t.builder().tensor(source.id).type})[0];
    value.layout = layout_of(shape, source.order);
  }
  return value;
}

// Whether TFLite's nearest neighbours with these options are the ones that `pick` names.
template <class Pick>
bool places_agree(const Scaling& s, bool half_pixel, Pick pick) {
  for (int64_t i = 0; i < s.out; ++i) {
    const double x = (static_cast<double>(i) + (half_pixel ? 0.5 : 0.0)) * static_cast<double>(s.in) /
                     static_cast<double>(s.out);
    if (std::min(static_cast<int64_t>(std::floor(x)), s.in - 1) != pick(i, s)) return false;
  }
  return true;
}

bool only_image(const std::vector<Scaling>& all) {
  return all.size() == 4 && all[0].in == all[0].out && all[1].in == all[1].out;
}

TensorId image_size(Builder& builder, const std::vector<Scaling>& all) {
  return builder.constant({2}, std::vector<int32_t>{narrow<int32_t>(all[2].out), narrow<int32_t>(all[3].out)});
}

Layout resized_layout(const std::vector<Scaling>& all) {
  Shape shape;
  for (const Scaling& one : all) shape.push_back(one.out);
  return layout_of(shape, channels_last(shape.size()));
}

Value resize_nearest(Translator& t, const Value& value, const std::vector<Scaling>& all, const std::string& mode) {
  const std::string rounding = t.node().text("nearest_mode", "round_prefer_floor");
  const auto pick = [&](int64_t index, const Scaling& s) {
    return nearest(rounding, position(mode, index, s), s.in);
  };
  for (const bool half_pixel : {false, true}) {
    if (!only_image(all) || !places_agree(all[2], half_pixel, pick) || !places_agree(all[3], half_pixel, pick))
      continue;
    tfl::ResizeNearestNeighborOptionsT options;
    options.half_pixel_centers = half_pixel;
    const TensorId in = t.builder().stored(value, channels_last(4));
    const TensorId id = t.builder().add("RESIZE_NEAREST_NEIGHBOR", options, {in, image_size(t.builder(), all)},
                                        {t.builder().tensor(in).type})[0];
    return {id, resized_layout(all), value.meaning, value.unsigned_codes};
  }
  return gathered(t, value, all, pick);
}

// Whether TFLite's bilinear operator places its samples as the file says.
bool is_bilinear(const std::vector<Scaling>& all, const std::string& mode) {
  if (!only_image(all)) return false;
  for (const Scaling& one : all) {
    const double ratio = static_cast<double>(one.out) / static_cast<double>(one.in);
    if (std::abs(ratio - one.scale) >= 1e-6 * ratio) return false;
  }
  return mode == "align_corners" || mode == "half_pixel" || mode == "half_pixel_symmetric" ||
         mode == "asymmetric" || (mode == "pytorch_half_pixel" && all[2].out > 1 && all[3].out > 1);
}

Value resize_bilinear(Translator& t, const Value& value, const std::vector<Scaling>& all,
                      const std::string& mode) {
  tfl::ResizeBilinearOptionsT options;
  options.align_corners = mode == "align_corners";
  options.half_pixel_centers =
      mode == "half_pixel" || mode == "pytorch_half_pixel" || mode == "half_pixel_symmetric";
  const TensorId in = t.builder().stored(value, channels_last(4));
  const TensorId id = t.builder().add("RESIZE_BILINEAR", options, {in, image_size(t.builder(), all)},
                                      {t.builder().tensor(in).type})[0];
  return {id, resized_layout(all), value.meaning, value.unsigned_codes};
}

// How an interpolation weighs the elements at a distance.
struct Curve {
  bool cubic = false, smooth = false, exclude_outside = false;
  double a = -0.75;  // of the cubic

  [[nodiscard]] double weight(double distance) const {
    const double x = std::abs(distance);
    if (!cubic) return std::max(0.0, 1.0 - x);
    if (x <= 1.0) return ((a + 2) * x - (a + 3)) * x * x + 1;
    return x < 2.0 ? ((a * x - 5 * a) * x + 8 * a) * x - 4 * a : 0.0;
  }
};

// One dimension as a matrix: for each output the weights of all inputs.
std::vector<std::vector<double>> weights_of(const Scaling& s, const std::string& mode, const Curve& curve) {
  const double stretch = curve.smooth && s.scale < 1.0 ? 1.0 / s.scale : 1.0;
  const double reach = (curve.cubic ? 2.0 : 1.0) * stretch;
  std::vector<std::vector<double>> rows;
  for (int64_t i = 0; i < s.out; ++i) {
    const double x = position(mode, i, s);
    std::vector<double> row(static_cast<size_t>(s.in), 0.0);
    double sum = 0.0;
    const auto first = static_cast<int64_t>(std::floor(x - reach)),
               last = static_cast<int64_t>(std::ceil(x + reach));
    for (int64_t at = first; at <= last; ++at) {
      const bool outside = at < 0 || at >= s.in;
      const double weight = curve.weight((static_cast<double>(at) - x) / stretch);
      if (outside && curve.exclude_outside) continue;
      row[static_cast<size_t>(std::clamp<int64_t>(at, 0, s.in - 1))] += weight;
      sum += weight;
    }
    require(sum != 0.0, "interpolates where there are no elements");
    for (double& weight : row) weight /= sum;
    rows.push_back(std::move(row));
  }
  return rows;
}

// Dimension by dimension a matrix product with the interpolation's weights.
Value interpolated(Translator& t, Value value, const std::vector<Scaling>& all, const std::string& mode,
                   const Curve& curve) {
  Builder& builder = t.builder();
  Shape shape = value.shape();
  for (size_t d = 0; d < all.size(); ++d) {
    if (all[d].in == all[d].out && all[d].scale == 1.0) continue;
    require(all[d].in * all[d].out <= (int64_t{1} << 24),
            "makes {} elements of {} by a matrix, which is too large; use mode nearest, or linear with scales "
            "that are "
            "the ratio of the sizes",
            all[d].out, all[d].in);
    std::vector<float> matrix;
    for (const std::vector<double>& row : weights_of(all[d], mode, curve))
      matrix.insert(matrix.end(), row.begin(), row.end());
    Permutation order = builder.ordered(value).order;
    const auto place = std::find(order.begin(), order.end(), d);
    std::rotate(place, place + 1, order.end());
    tfl::FullyConnectedOptionsT options;
    options.keep_num_dims = true;
    const TensorId in = builder.with_shape(builder.stored(value, order), permuted(shape, order));
    const TensorId weights = builder.constant({all[d].out, all[d].in}, matrix);
    shape[d] = all[d].out;
    value = {builder.add("FULLY_CONNECTED", options, {in, weights}, {{DType::f32, {}, {}}})[0],
             layout_of(shape, order)};
  }
  return value;
}

void resize(Translator& t) {
  const std::vector<Scaling> all = scalings(t, 2, 3);
  const std::string kind = t.node().text("mode", "nearest");
  const std::string mode = t.node().text("coordinate_transformation_mode", "half_pixel");
  const Curve curve{kind == "cubic", t.node().integer("antialias", 0) != 0,
                    t.node().integer("exclude_outside", 0) != 0,
                    static_cast<double>(t.node().real("cubic_coeff_a", -0.75F))};
  for (const char* const unused : {"extrapolation_value", "nearest_mode"}) {
    t.node().ignore(unused);  // each belongs to one mode, which reads it itself or is refused
  }
  Value value = t.in(0);
  if (!t.moves_quantised({&value})) value = t.plain(0);
  if (kind == "nearest") return t.give(0, resize_nearest(t, value, all, mode));
  require(kind == "linear" || kind == "cubic", "has mode '{}', which Mote does not know", kind);
  if (kind == "linear" && !curve.smooth && !curve.exclude_outside && is_bilinear(all, mode))
    return t.give(0, resize_bilinear(t, value, all, mode));
  t.give(0, interpolated(t, t.plain(0), all, mode, curve));
}

constexpr Translation table[] = {{"Resize", resize}};

}  // namespace

std::span<const Translation> resize_translations() { return table; }

}  // namespace mote::onnx
