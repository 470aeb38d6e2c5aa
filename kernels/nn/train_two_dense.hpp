// SPDX-License-Identifier: Apache-2.0
// Two dense layers that learn together, a clamp such as ReLU between them: backpropagation (Goodfellow, Bengio,
// Courville: Deep Learning, 6.5) through the last one into the hidden one.
#pragma once

#include "nn/train_dense.hpp"

namespace nn {

// Hidden values lie in [low, high]; where the clamp holds one of them, no gradient passes.
struct TrainTwoDense {
  TrainDense hidden, last;
  float low, high;
};

MOTE_KERNEL int32_t dense_parameters(const TrainTwoDense& p) {
  return dense_parameters(p.hidden) + dense_parameters(p.last);
}

// Memory in floats: weights and bias of the hidden layer, of the last one, the momentum of all in the same order,
// features [inputs], errors of the hidden layer, its values, errors of the last one.
MOTE_KERNEL DenseHead hidden_layer(const TrainTwoDense& p, void* memory) {
  auto* const weights = static_cast<float*>(memory);
  float* const momentum = weights + dense_parameters(p);
  float* const features = momentum + dense_parameters(p);
  return {weights, weights + p.hidden.outputs * p.hidden.inputs, momentum, features, features + p.hidden.inputs};
}

MOTE_KERNEL DenseHead last_layer(const TrainTwoDense& p, void* memory) {
  const DenseHead hidden = hidden_layer(p, memory);
  float* const weights = hidden.weights + dense_parameters(p.hidden);
  float* const values = hidden.errors + p.hidden.outputs;
  return {weights, weights + p.last.outputs * p.last.inputs, hidden.momentum + dense_parameters(p.hidden), values,
          values + p.last.inputs};
}

MOTE_KERNEL void dense_rest(const TrainTwoDense& p, void* memory) {
  float* const momentum = hidden_layer(p, memory).momentum;
  for (int32_t i = 0; i < dense_parameters(p); ++i) momentum[i] = 0.0f;
}

// Hidden values and the scores behind them.
template <class T>
MOTE_KERNEL void dense_forward(const TrainTwoDense& p, const T* features, const DenseHead& hidden,
                               const DenseHead& last) {
  dense_scores(p.hidden, features, hidden);
  for (int32_t i = 0; i < p.hidden.outputs; ++i) {
    const float sum = hidden.errors[i];
    last.features[i] = sum < p.low ? p.low : sum > p.high ? p.high : sum;
  }
  dense_sums(p.last, last);
}

template <class T>
MOTE_KERNEL int32_t dense_predict(const TrainTwoDense& p, const T* features, void* memory, float* probabilities) {
  const DenseHead last = last_layer(p, memory);
  dense_forward(p, features, hidden_layer(p, memory), last);
  return dense_choose(p.last, last, probabilities);
}

// The loss's derivatives by the hidden sums, with the last layer's weights before their step.
MOTE_KERNEL void dense_back(const TrainTwoDense& p, const DenseHead& last, const DenseHead& hidden) {
  for (int32_t i = 0; i < p.hidden.outputs; ++i) {
    float error = 0.0f;
    if (last.features[i] > p.low && last.features[i] < p.high) {
      for (int32_t o = 0; o < p.last.outputs; ++o)
        error = dot_f32(&last.errors[o], &last.weights[o * p.last.inputs + i], 1, error);
    }
    hidden.errors[i] = error;
  }
}

template <class T>
MOTE_KERNEL float dense_train(const TrainTwoDense& p, const T* features, void* memory, int32_t label,
                              float momentum, float rate) {
  if (label < 0 || label >= p.last.outputs) return -1.0f;
  const DenseHead hidden = hidden_layer(p, memory), last = last_layer(p, memory);
  dense_forward(p, features, hidden, last);
  const float loss = dense_errors(p.last, last, label);
  dense_back(p, last, hidden);
  dense_update(p.last, last, momentum, rate);
  dense_update(p.hidden, hidden, momentum, rate);
  return loss;
}

}  // namespace nn
