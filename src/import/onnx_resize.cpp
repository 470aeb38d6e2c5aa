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

std::vector<Scaling> scalings(const Translator& t, size_t scales_input, size_t sizes_input) {
  const Shape shape = t.shape(0);
  std::vector<Scaling> result;
  for (const int64_t extent : shape) result.push_back({extent, extent, 1.0});
  std::vector<int64_t> axes = t.node().integers("axes");
  if (axes.empty()) {
    for (size_t d = 0; d < shape.size(); ++d) axes.push_back(static_cast<int64_t>(d));
  }
  const std::string policy = t.node().text("keep_aspect_ratio_policy", "stretch");
  require(policy == "stretch", "has keep_aspect_ratio_policy '{}', which is not supported; use stretch", policy);
  if (t.has(sizes_input) && elements(t.shape(sizes_input)) > 0) {
    const std::vector<int64_t> sizes = t.integers(sizes_input, "sizes");
    require(sizes.size() == axes.size(), "has {} sizes for {} axes", sizes.size(), axes.size());
    for (size_t i = 0; i < axes.size(); ++i) {
      Scaling& one = result[t.axis(axes[i], shape.size())];
      one.out = sizes[i];
      one.scale = static_cast<double>(one.out) / static_cast<double>(one.in);
    }
  } else {
    const std::vector<float> scales = t.reals(scales_input, "scales");
    require(scales.size() == axes.size(), "has {} scales for {} axes", scales.size(), axes.size());
    for (size_t i = 0; i < axes.size(); ++i) {
      Scaling& one = result[t.axis(axes[i], shape.size())];
      one.scale = static_cast<double>(scales[i]);
      one.out = static_cast<int64_t>(std::floor(static_cast<double>(one.in) * one.scale));
    }
  }
  for (const Scaling& one : result)
    require(one.out > 0 && one.out <= 32767 && one.scale > 0.0,
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

Value resize_linear(Translator& t, const Value& value, const std::vector<Scaling>& all, const std::string& mode) {
  require(only_image(all), "interpolates other dimensions than height and width, which is not supported");
  for (const Scaling& one : all) {
    const double ratio = static_cast<double>(one.out) / static_cast<double>(one.in);
    require(std::abs(ratio - one.scale) < 1e-6 * ratio,
            "resizes {} to {} with a scale of {}; state the size, or a scale that gives a whole size", one.in,
            one.out, one.scale);
  }
  tfl::ResizeBilinearOptionsT options;
  options.align_corners = mode == "align_corners";
  options.half_pixel_centers =
      mode == "half_pixel" || mode == "pytorch_half_pixel" || mode == "half_pixel_symmetric";
  require(options.align_corners || options.half_pixel_centers || mode == "asymmetric",
          "has coordinate_transformation_mode '{}', which is not supported", mode);
  require(mode != "pytorch_half_pixel" || (all[2].out > 1 && all[3].out > 1),
          "resizes to one pixel in pytorch's mode, which is not supported");
  const TensorId in = t.builder().stored(value, channels_last(4));
  const TensorId id = t.builder().add("RESIZE_BILINEAR", options, {in, image_size(t.builder(), all)},
                                      {t.builder().tensor(in).type})[0];
  return {id, resized_layout(all), value.meaning, value.unsigned_codes};
}

void resize(Translator& t) {
  const std::vector<Scaling> all = scalings(t, 2, 3);
  const std::string kind = t.node().text("mode", "nearest");
  const std::string mode = t.node().text("coordinate_transformation_mode", "half_pixel");
  require(t.node().integer("antialias", 0) == 0, "smooths while it shrinks (antialias), which is not supported");
  for (const char* const unused : {"cubic_coeff_a", "exclude_outside", "extrapolation_value", "nearest_mode"}) {
    t.node().ignore(unused);  // each belongs to one mode, which reads it itself or is refused
  }
  Value value = t.in(0);
  if (!t.moves_quantised({&value})) value = t.plain(0);
  if (kind == "nearest") return t.give(0, resize_nearest(t, value, all, mode));
  require(kind == "linear", "has mode '{}', which is not supported; use nearest or linear", kind);
  t.give(0, resize_linear(t, value, all, mode));
}

constexpr Translation table[] = {{"Resize", resize}};

}  // namespace

std::span<const Translation> resize_translations() { return table; }

}  // namespace mote::onnx
