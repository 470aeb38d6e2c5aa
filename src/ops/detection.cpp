// SPDX-License-Identifier: Apache-2.0
// TFLite_Detection_PostProcess, which ends detectors of the SSD kind: everything the compiler knows about it.
#include "nn/detection.hpp"

#include "formats/custom_options.hpp"
#include "ops/checks.hpp"
#include "ops/registry.hpp"
#include "ops/sampling.hpp"

namespace mote::op {

namespace {

struct Options {
  int32_t detections = 0, per_class = 0, classes = 0, classes_of_a_box = 1;
  bool by_class = false;
  float score_threshold = 0, overlap_threshold = 0;
  float y_scale = 1, x_scale = 1, h_scale = 1, w_scale = 1;
};

// Inputs: boxes, scores, anchors. Outputs: boxes, classes, scores, how many.
class Detection final : public Operator {
 public:
  explicit Detection(Options options) : options_(options) {}

  [[nodiscard]] std::string name() const override { return "detection"; }
  [[nodiscard]] std::string parameters() const override {
    return fmt::format("detections={} classes={}{}", options_.detections, options_.classes,
                       options_.by_class ? fmt::format(" per_class={}", options_.per_class) : "");
  }

  [[nodiscard]] Types infer(Inputs in, const Types& declared) const override {
    require(in.size() == 3, "has {} inputs, it takes 3", in.size());
    for (size_t i = 0; i < 3; ++i) require_dtype(input_type(in, i), {DType::f32}, "input");
    const Shape& boxes = in[0]->type.shape;
    const Shape& scores = in[1]->type.shape;
    const Shape& anchors = in[2]->type.shape;
    require(boxes.size() == 3 && scores.size() == 3 && boxes[0] == 1 && scores[0] == 1 && boxes[2] >= 4 &&
                boxes[1] == scores[1] && anchors == Shape({boxes[1], 4}),
            "has boxes {}, scores {} and anchors {}; 1xNx4, 1xNxC and Nx4 were expected", to_text(boxes),
            to_text(scores), to_text(anchors));
    require(scores[2] == options_.classes || scores[2] == options_.classes + 1,
            "has {} scores a box for {} classes; there may be one more, for the background", scores[2],
            options_.classes);
    require(declared.size() == 4, "has {} outputs, it gives 4", declared.size());
    Types out;
    for (const Shape& shape : {Shape{1, rows(), 4}, Shape{1, rows()}, Shape{1, rows()}, Shape{1}}) {
      TensorType type = declared_type({declared[out.size()]}, DType::f32);
      type.shape = shape;
      out.push_back(std::move(type));
    }
    return out;
  }

  [[nodiscard]] Reals reference(Inputs in, const Types& out, const Reals& x) const override;

  [[nodiscard]] Call lower(Inputs in, const Types&) const override {
    const int32_t boxes = narrow<int32_t>(in[0]->type.shape[1]);
    const nn::Detection params{boxes,
                               narrow<int32_t>(in[0]->type.shape[2]),
                               narrow<int32_t>(in[1]->type.shape[2]),
                               options_.classes,
                               options_.detections,
                               options_.per_class,
                               narrow<int32_t>(rows()),
                               options_.by_class ? 1 : 0,
                               options_.score_threshold,
                               options_.overlap_threshold,
                               options_.y_scale,
                               options_.x_scale,
                               options_.h_scale,
                               options_.w_scale};
    std::vector<Constant> constants;
    const std::vector<Argument> arguments{data_argument(in, 0, constants),
                                          data_argument(in, 1, constants),
                                          data_argument(in, 2, constants),
                                          scratch(),
                                          output(0),
                                          output(1),
                                          output(2),
                                          output(3)};
    Call call = make_call(nn::detection_f32, "detection_f32", "nn/detection.hpp", "Detection", params, arguments);
    call.constants = std::move(constants);
    call.scratch_bytes = int64_t{boxes} * 5 * 4 + int64_t{options_.detections} * 4 + boxes;
    return call;
  }

 private:
  [[nodiscard]] int64_t rows() const { return int64_t{options_.detections} * options_.classes_of_a_box; }

  Options options_;
};

struct Corners {
  double low_y = 0, low_x = 0, high_y = 0, high_x = 0;
  [[nodiscard]] double area() const { return (high_y - low_y) * (high_x - low_x); }
};

double overlap(const Corners& a, const Corners& b) {
  if (a.area() <= 0 || b.area() <= 0) return 0;
  const double height = std::max(0.0, std::min(a.high_y, b.high_y) - std::max(a.low_y, b.low_y));
  const double width = std::max(0.0, std::min(a.high_x, b.high_x) - std::max(a.low_x, b.low_x));
  return height * width / (a.area() + b.area() - height * width);
}

struct Found {
  size_t box = 0, of_class = 0;
  double score = 0;
};

// Sorts first and looks whether a box may join those that are chosen: another way than the kernel's.
std::vector<Found> suppress(std::vector<Found> candidates, const std::vector<Corners>& corners,
                            const Options& options, int32_t most) {
  std::stable_sort(candidates.begin(), candidates.end(),
                   [](const Found& a, const Found& b) { return a.score > b.score; });
  std::vector<Found> chosen;
  for (const Found& one : candidates) {
    const auto clashes = [&](const Found& other) {
      return overlap(corners[other.box], corners[one.box]) > static_cast<double>(options.overlap_threshold);
    };
    if (std::ssize(chosen) == most) break;
    if (one.score >= static_cast<double>(options.score_threshold) &&
        std::none_of(chosen.begin(), chosen.end(), clashes))
      chosen.push_back(one);
  }
  return chosen;
}

Reals Detection::reference(Inputs in, const Types&, const Reals& x) const {
  const auto boxes = static_cast<size_t>(in[0]->type.shape[1]), size = static_cast<size_t>(in[0]->type.shape[2]);
  const auto stride = static_cast<size_t>(in[1]->type.shape[2]), classes = static_cast<size_t>(options_.classes);
  std::vector<Corners> corners;
  for (size_t i = 0; i < boxes; ++i) {
    const double* const box = &x[0][i * size];
    const double* const anchor = &x[2][i * 4];
    const double y = box[0] / static_cast<double>(options_.y_scale) * anchor[2] + anchor[0];
    const double x_centre = box[1] / static_cast<double>(options_.x_scale) * anchor[3] + anchor[1];
    const double height = std::exp(box[2] / static_cast<double>(options_.h_scale)) * anchor[2] / 2;
    const double width = std::exp(box[3] / static_cast<double>(options_.w_scale)) * anchor[3] / 2;
    corners.push_back({y - height, x_centre - width, y + height, x_centre + width});
  }
  std::vector<std::vector<Found>> groups(options_.by_class ? classes : 1);
  for (size_t i = 0; i < boxes; ++i) {
    const double* const scores = &x[1][i * stride + stride - classes];
    const auto best = static_cast<size_t>(std::max_element(scores, scores + classes) - scores);
    for (size_t c = 0; c < classes; ++c) {
      if (options_.by_class || c == best) groups[options_.by_class ? c : 0].push_back({i, c, scores[c]});
    }
  }
  std::vector<Found> all;
  for (const std::vector<Found>& group : groups) {
    const int32_t most = options_.by_class ? options_.per_class : options_.detections;
    for (const Found& one : suppress(group, corners, options_, most)) all.push_back(one);
  }
  std::stable_sort(all.begin(), all.end(), [](const Found& a, const Found& b) { return a.score > b.score; });
  all.resize(std::min(all.size(), static_cast<size_t>(options_.detections)));
  const auto rows_out = static_cast<size_t>(rows());
  Reals out{std::vector<double>(rows_out * 4),
            std::vector<double>(rows_out),
            std::vector<double>(rows_out),
            {static_cast<double>(all.size())}};
  for (size_t i = 0; i < all.size(); ++i) {
    const Corners& box = corners[all[i].box];
    const double values[] = {box.low_y, box.low_x, box.high_y, box.high_x};
    std::copy(std::begin(values), std::end(values), out[0].begin() + static_cast<std::ptrdiff_t>(4 * i));
    out[1][i] = static_cast<double>(all[i].of_class);
    out[2][i] = all[i].score;
  }
  return out;
}

Made from_tflite(const tflite::OpView& view) {
  constexpr int64_t most = 1 << 16;
  tflite::CustomOptions file(view);
  Options options;
  options.detections = file.integer("max_detections", 1, most);
  options.classes_of_a_box = file.integer("max_classes_per_detection", 1, most);
  options.per_class = file.has("detections_per_class") ? file.integer("detections_per_class", 1, most) : 100;
  options.by_class = file.has("use_regular_nms") && file.boolean("use_regular_nms");
  options.classes = file.integer("num_classes", 1, most);
  options.score_threshold = file.real("nms_score_threshold");
  options.overlap_threshold = file.real("nms_iou_threshold");
  options.y_scale = file.real("y_scale");
  options.x_scale = file.real("x_scale");
  options.h_scale = file.real("h_scale");
  options.w_scale = file.real("w_scale");
  // Not needed here: the outputs say what they are.
  for (const char* const name : {"_output_quantized", "_support_output_type_float_in_quantized_op"}) {
    if (file.has(name)) (void)file.boolean(name);
  }
  file.require_all_read();
  require(options.by_class || options.classes_of_a_box == 1,
          "gives {} classes of each box, which is not supported; export with max_classes_per_detection=1 or "
          "use_regular_nms",
          options.classes_of_a_box);
  require(options.overlap_threshold > 0 && options.overlap_threshold <= 1,
          "has nms_iou_threshold {}, it must be above 0 and at most 1", options.overlap_threshold);
  return {std::make_shared<Detection>(options), {0, 1, 2}};
}

Tensor random_reals(std::mt19937& random, const Shape& shape, float low, float high) {
  Tensor tensor = variable({DType::f32, shape, {}});
  std::vector<float> values;
  for (int64_t i = 0; i < elements(shape); ++i) values.push_back(random_real(random, low, high));
  tensor.data = to_bytes(values);
  return tensor;
}

Sample sample(std::mt19937& random) {
  Options options;
  options.detections = static_cast<int32_t>(random_integer(random, 1, 8));
  options.per_class = static_cast<int32_t>(random_integer(random, 1, 4));
  options.classes = static_cast<int32_t>(random_integer(random, 1, 4));
  options.by_class = chance(random, 50);
  options.classes_of_a_box = options.by_class && chance(random, 20) ? 2 : 1;
  options.score_threshold = random_real(random, -2.0F, 2.0F);
  options.overlap_threshold = random_real(random, 0.1F, 0.9F);
  options.y_scale = options.x_scale = 10.0F;
  options.h_scale = options.w_scale = 5.0F;
  const int64_t boxes = random_integer(random, 1, 12),
                rows = int64_t{options.detections} * options.classes_of_a_box;
  Tensor anchors = random_reals(random, {boxes, 4}, 0.1F, 1.0F);
  const int64_t background = random_integer(random, 0, 1);
  const auto type = [](Shape shape) { return TensorType{DType::f32, std::move(shape), {}}; };
  return {std::make_shared<Detection>(options),
          {random_reals(random, {1, boxes, 4 + random_integer(random, 0, 1)}, -3, 3),
           random_reals(random, {1, boxes, options.classes + background}, -4, 4), anchors},
          {type({1, rows, 4}), type({1, rows}), type({1, rows}), type({1})},
          1e-5};
}

}  // namespace

extern const OpDef detection{
    .name = "detection", .tflite = {{"TFLite_Detection_PostProcess", from_tflite}}, .sample = sample};

}  // namespace mote::op
