// SPDX-License-Identifier: Apache-2.0
// A dense layer of float32 weights that learns on the device: scores, cross-entropy, gradient and update.
//
// Softmax regression with stochastic gradient descent (Goodfellow, Bengio, Courville: Deep Learning, 6.2.2.3 and
// 8.1.3); momentum as in Sutskever et al., ICML 2013, without its look-ahead. Same bits everywhere, without
// contraction.
#pragma once

#include <string.h>

#include "nn/dot_f32.hpp"
#include "nn/float_math.hpp"

namespace nn {

// Integer features stand for scale * (q - zero); of float features scale is 1 and zero 0.
struct TrainDense {
  int32_t inputs, outputs;
  float scale;
  int32_t zero;
};

MOTE_KERNEL int32_t dense_parameters(const TrainDense& p) { return p.outputs * (p.inputs + 1); }

// Where a layer's numbers stand in the head's memory. A single layer's: weights [outputs][inputs], bias [outputs],
// the momentum of both, features [inputs], errors [outputs].
struct DenseHead {
  float *weights, *bias, *momentum, *features, *errors;
};

MOTE_KERNEL DenseHead dense_head(const TrainDense& p, void* memory) {
  auto* const weights = static_cast<float*>(memory);
  float* const momentum = weights + dense_parameters(p);
  float* const features = momentum + dense_parameters(p);
  return {weights, weights + p.outputs * p.inputs, momentum, features, features + p.inputs};
}

// The head keeps its parameters and forgets where it was going.
MOTE_KERNEL void dense_rest(const TrainDense& p, void* memory) {
  float* const momentum = dense_head(p, memory).momentum;
  for (int32_t i = 0; i < dense_parameters(p); ++i) momentum[i] = 0.0f;
}

// With zeros every class is as likely, and no symmetry needs breaking in a last layer.
MOTE_KERNEL void dense_clear_layer(const TrainDense& p, const DenseHead& head) {
  for (int32_t i = 0; i < p.outputs * p.inputs; ++i) head.weights[i] = 0.0f;
  for (int32_t o = 0; o < p.outputs; ++o) head.bias[o] = 0.0f;
}

// The weights scales[output] * (q - zero) of a file.
template <class T>
MOTE_KERNEL void dense_fill_layer(const TrainDense& p, const T* weights, const float* scales, int32_t zero,
                                  const float* bias, const DenseHead& head) {
  for (int32_t o = 0; o < p.outputs; ++o) {
    for (int32_t i = 0; i < p.inputs; ++i) {
      const int32_t at = o * p.inputs + i;
      head.weights[at] = scales[o] * (static_cast<float>(weights[at]) - static_cast<float>(zero));
    }
    head.bias[o] = bias[o];
  }
}

MOTE_KERNEL void dense_clear(const TrainDense& p, void* memory) {
  dense_rest(p, memory);
  dense_clear_layer(p, dense_head(p, memory));
}

template <class T>
MOTE_KERNEL void dense_fill(const TrainDense& p, const T* weights, const float* scales, int32_t zero,
                            const float* bias, void* memory) {
  dense_rest(p, memory);
  dense_fill_layer(p, weights, scales, zero, bias, dense_head(p, memory));
}

// The layer's sums in the place of its errors.
MOTE_KERNEL void dense_sums(const TrainDense& p, const DenseHead& head) {
  for (int32_t o = 0; o < p.outputs; ++o)
    head.errors[o] = dot_f32(head.weights + o * p.inputs, head.features, p.inputs, head.bias[o]);
}

// The features as real numbers, and their sums.
template <class T>
MOTE_KERNEL void dense_scores(const TrainDense& p, const T* features, const DenseHead& head) {
  for (int32_t i = 0; i < p.inputs; ++i)
    head.features[i] = p.scale * (static_cast<float>(features[i]) - static_cast<float>(p.zero));
  dense_sums(p, head);
}

// Scores become probabilities. Returns ln(sum(e^(score - largest))).
MOTE_KERNEL float probabilities_of(float* scores, int32_t count, float largest) {
  float sum = 0.0f;
  for (int32_t i = 0; i < count; ++i) {
    scores[i] = exp_f32(scores[i] - largest);
    sum += scores[i];
  }
  for (int32_t i = 0; i < count; ++i) scores[i] /= sum;
  return log_f32(sum);
}

// Scores of the last layer in its errors become `probabilities`; returns the index of the most likely class, the
// first of equals.
MOTE_KERNEL int32_t dense_choose(const TrainDense& p, const DenseHead& head, float* probabilities) {
  int32_t best = 0;
  for (int32_t o = 1; o < p.outputs; ++o) best = head.errors[o] > head.errors[best] ? o : best;
  probabilities_of(head.errors, p.outputs, head.errors[best]);
  memcpy(probabilities, head.errors, static_cast<size_t>(p.outputs) * sizeof(float));
  return best;
}

template <class T>
MOTE_KERNEL int32_t dense_predict(const TrainDense& p, const T* features, void* memory, float* probabilities) {
  const DenseHead head = dense_head(p, memory);
  dense_scores(p, features, head);
  return dense_choose(p, head, probabilities);
}

// One weight's step down its gradient: m = momentum * m + gradient, w = w - rate * m. As sums of products, which
// dot_f32 computes with the same roundings and in fewer instructions where there is no floating-point unit.
MOTE_KERNEL void descend(float& weight, float& moving, float gradient, float momentum, float rate) {
  moving = dot_f32(&momentum, &moving, 1, gradient);
  const float downwards = -rate;
  weight = dot_f32(&downwards, &moving, 1, weight);
}

// errors: the loss's derivative by the scores; that by weight [o][i] is errors[o] * features[i].
MOTE_KERNEL void dense_update(const TrainDense& p, const DenseHead& head, float momentum, float rate) {
  for (int32_t o = 0; o < p.outputs; ++o) {
    const int32_t row = o * p.inputs;
    for (int32_t i = 0; i < p.inputs; ++i)
      descend(head.weights[row + i], head.momentum[row + i], head.errors[o] * head.features[i], momentum, rate);
    descend(head.bias[o], head.momentum[p.outputs * p.inputs + o], head.errors[o], momentum, rate);
  }
}

// Scores of the last layer in its errors become the loss's derivatives by them: probability - (1 for the label).
// Returns the cross-entropy -ln(probability of `label`).
MOTE_KERNEL float dense_errors(const TrainDense& p, const DenseHead& head, int32_t label) {
  const float largest = largest_of(head.errors, p.outputs);
  const float below = largest - head.errors[label];
  const float loss = probabilities_of(head.errors, p.outputs, largest) + below;
  head.errors[label] -= 1.0f;
  return loss;
}

// The cross-entropy before the step, and the step. A label that is no class changes nothing and gives -1.
template <class T>
MOTE_KERNEL float dense_train(const TrainDense& p, const T* features, void* memory, int32_t label, float momentum,
                              float rate) {
  if (label < 0 || label >= p.outputs) return -1.0f;
  const DenseHead head = dense_head(p, memory);
  dense_scores(p, features, head);
  const float loss = dense_errors(p, head, label);
  dense_update(p, head, momentum, rate);
  return loss;
}

}  // namespace nn
