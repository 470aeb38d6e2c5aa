// SPDX-License-Identifier: Apache-2.0
// From a detector's raw boxes and scores to its detections: boxes are decoded around their anchors, and of those
// that overlap too much only the one with the highest score stays.
#pragma once

#include "nn/float_math.hpp"

namespace nn {

struct Detection {
  int32_t boxes, box_size;        // numbers of a box; the first four count
  int32_t score_stride, classes;  // scores of a box; the last `classes` of them count
  int32_t detections, per_class;  // most in all, most of a class
  int32_t rows;                   // of the outputs
  int32_t by_class;               // 0: each box takes part with its best class only
  float score_threshold, overlap_threshold;
  float y_scale, x_scale, h_scale, w_scale;

  template <class F>
  constexpr void fields(F&& f) const {
    f("boxes", boxes);
    f("box_size", box_size);
    f("score_stride", score_stride);
    f("classes", classes);
    f("detections", detections);
    f("per_class", per_class);
    f("rows", rows);
    f("by_class", by_class);
    f("score_threshold", score_threshold);
    f("overlap_threshold", overlap_threshold);
    f("y_scale", y_scale);
    f("x_scale", x_scale);
    f("h_scale", h_scale);
    f("w_scale", w_scale);
  }
};

// A box and an anchor are y, x, height, width; a corner box is y and x of the lowest, then of the highest corner.
MOTE_KERNEL void decode_boxes(const Detection& p, const float* boxes, const float* anchors, float* corners) {
  for (int32_t i = 0; i < p.boxes; ++i, boxes += p.box_size, anchors += 4, corners += 4) {
    const float y = boxes[0] / p.y_scale * anchors[2] + anchors[0];
    const float x = boxes[1] / p.x_scale * anchors[3] + anchors[1];
    const float half_height = 0.5f * exp_f32(boxes[2] / p.h_scale) * anchors[2];
    const float half_width = 0.5f * exp_f32(boxes[3] / p.w_scale) * anchors[3];
    corners[0] = y - half_height;
    corners[1] = x - half_width;
    corners[2] = y + half_height;
    corners[3] = x + half_width;
  }
}

// The intersection's part of the union; 0 when one of the two is empty.
MOTE_KERNEL float overlap_of_boxes(const float* a, const float* b) {
  const float area_a = (a[2] - a[0]) * (a[3] - a[1]);
  const float area_b = (b[2] - b[0]) * (b[3] - b[1]);
  if (area_a <= 0.0f || area_b <= 0.0f) return 0.0f;
  const float height = (a[2] < b[2] ? a[2] : b[2]) - (a[0] > b[0] ? a[0] : b[0]);
  const float width = (a[3] < b[3] ? a[3] : b[3]) - (a[1] > b[1] ? a[1] : b[1]);
  const float shared = (height > 0.0f ? height : 0.0f) * (width > 0.0f ? width : 0.0f);
  return shared / (area_a + area_b - shared);
}

// The first box of the highest score from the threshold on, or -1. It and all that overlap it too much leave the
// candidates (`waiting`, 1 or 0).
MOTE_KERNEL int32_t take_best_box(const Detection& p, const float* scores, const float* corners,
                                  uint8_t* waiting) {
  int32_t best = -1;
  for (int32_t i = 0; i < p.boxes; ++i) {
    if (waiting[i] != 0 && scores[i] >= p.score_threshold && (best < 0 || scores[i] > scores[best])) best = i;
  }
  if (best < 0) return best;
  waiting[best] = 0;
  for (int32_t i = 0; i < p.boxes; ++i) {
    if (waiting[i] != 0 && overlap_of_boxes(corners + 4 * best, corners + 4 * i) > p.overlap_threshold)
      waiting[i] = 0;
  }
  return best;
}

// The detections found so far, highest score first; later ones go behind equal ones.
struct FoundBoxes {
  int32_t most, count;
  int32_t* box;
  float *classes, *scores;

  MOTE_KERNEL void insert(int32_t found, int32_t of_class, float score) {
    int32_t at = count;
    while (at > 0 && scores[at - 1] < score) --at;
    if (at == most) return;
    if (count < most) ++count;
    for (int32_t i = count - 1; i > at; --i) {
      box[i] = box[i - 1];
      classes[i] = classes[i - 1];
      scores[i] = scores[i - 1];
    }
    box[at] = found;
    classes[at] = static_cast<float>(of_class);
    scores[at] = score;
  }
};

// Each class by itself.
MOTE_KERNEL void detect_by_class(const Detection& p, const float* scores, const float* corners, float* of_class,
                                 uint8_t* waiting, FoundBoxes& found) {
  for (int32_t c = 0; c < p.classes; ++c) {
    for (int32_t i = 0; i < p.boxes; ++i) {
      of_class[i] = scores[i * p.score_stride + c];
      waiting[i] = 1;
    }
    for (int32_t taken = 0; taken < p.per_class; ++taken) {
      const int32_t best = take_best_box(p, of_class, corners, waiting);
      if (best < 0) break;
      found.insert(best, c, of_class[best]);
    }
  }
}

// All boxes together, each with its best class.
MOTE_KERNEL void detect_best_classes(const Detection& p, const float* scores, const float* corners, float* highest,
                                     uint8_t* waiting, FoundBoxes& found) {
  for (int32_t i = 0; i < p.boxes; ++i) {
    const float* const row = scores + i * p.score_stride;
    highest[i] = row[0];
    for (int32_t c = 1; c < p.classes; ++c) highest[i] = row[c] > highest[i] ? row[c] : highest[i];
    waiting[i] = 1;
  }
  while (found.count < found.most) {
    const int32_t best = take_best_box(p, highest, corners, waiting);
    if (best < 0) break;
    const float* const row = scores + best * p.score_stride;
    int32_t of_class = 0;
    while (row[of_class] < highest[best]) ++of_class;
    found.insert(best, of_class, highest[best]);
  }
}

// Scratch: corners (4 floats a box), scores (a float a box), boxes found (int32 a detection), candidates (a byte a
// box). What is not found is 0.
MOTE_KERNEL void detection_f32(const Detection& p, const float* boxes, const float* scores, const float* anchors,
                               float* scratch, float* out_boxes, float* out_classes, float* out_scores,
                               float* out_count) {
  float* const corners = scratch;
  float* const class_scores = corners + 4 * p.boxes;
  auto* const found_boxes = reinterpret_cast<int32_t*>(class_scores + p.boxes);
  auto* const waiting = reinterpret_cast<uint8_t*>(found_boxes + p.detections);
  FoundBoxes found{p.detections, 0, found_boxes, out_classes, out_scores};
  decode_boxes(p, boxes, anchors, corners);
  scores += p.score_stride - p.classes;  // the background comes first
  if (p.by_class != 0) {
    detect_by_class(p, scores, corners, class_scores, waiting, found);
  } else {
    detect_best_classes(p, scores, corners, class_scores, waiting, found);
  }
  for (int32_t i = 0; i < p.rows; ++i) {
    const bool is_found = i < found.count;
    for (int32_t k = 0; k < 4; ++k) out_boxes[4 * i + k] = is_found ? corners[4 * found_boxes[i] + k] : 0.0f;
    if (!is_found) out_classes[i] = out_scores[i] = 0.0f;
  }
  *out_count = static_cast<float>(found.count);
}

}  // namespace nn
