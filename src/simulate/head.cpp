// SPDX-License-Identifier: Apache-2.0
#include "simulate/head.hpp"

#include <algorithm>

#include "nn/head_record.hpp"
#include "nn/train_two_dense.hpp"

namespace mote {

namespace {

nn::TrainDense front_of(const TrainableHead& head) {
  const bool real = head.features.dtype == DType::f32;
  return {narrow<int32_t>(head.inputs), narrow<int32_t>(head.hidden ? head.hidden->outputs : head.outputs),
          real ? 1.0F : head.features.quant.scale.at(0), real ? 0 : head.features.quant.zero.at(0)};
}

// Calls with the one layer or the two, as the kernels have them.
template <class Visit>
auto with_layers(const TrainableHead& head, const Visit& visit) {
  const nn::TrainDense front = front_of(head);
  if (!head.hidden) return visit(front);
  const nn::TrainDense last{front.outputs, narrow<int32_t>(head.outputs), 1.0F, 0};
  return visit(nn::TrainTwoDense{front, last, head.hidden->low, head.hidden->high});
}

void fill(const nn::TrainDense& p, const FirstWeights& first, const nn::DenseHead& layer) {
  const auto from = [&](const auto& weights) {
    nn::dense_fill_layer(p, weights.data(), first.scales.data(), first.zero, first.bias.data(), layer);
  };
  if (first.weights.data.empty()) {
    nn::dense_clear_layer(p, layer);
  } else if (first.weights.type.dtype == DType::i8) {
    from(to_values<int8_t>(first.weights.data));
  } else {
    from(to_values<float>(first.weights.data));
  }
}

void begin(const nn::TrainDense& p, const TrainableHead& head, void* memory) {
  nn::dense_rest(p, memory);
  fill(p, head.first, nn::dense_head(p, memory));
}

void begin(const nn::TrainTwoDense& p, const TrainableHead& head, void* memory) {
  nn::dense_rest(p, memory);
  fill(p.hidden, head.hidden->first, nn::hidden_layer(p, memory));
  fill(p.last, head.first, nn::last_layer(p, memory));
}

nn::HeadRecord record_of(const TrainableHead& head) {
  return {{static_cast<uint32_t>(head.model), static_cast<uint32_t>(head.model >> 32)},
          narrow<int32_t>(head.inputs),
          narrow<int32_t>(head.outputs),
          narrow<int32_t>(head_sizes(head).parameters / 4)};
}

// Parameters as weights to start from. Zeros take no flash.
FirstWeights first_of(std::span<const float> parameters, int64_t inputs, int64_t outputs) {
  FirstWeights first;
  const bool zeros = std::all_of(parameters.begin(), parameters.end(), [](float value) { return value == 0.0F; });
  if (zeros) return first;
  const auto count = static_cast<size_t>(inputs * outputs);
  first.scales.assign(static_cast<size_t>(outputs), 1.0F);
  first.weights.type.dtype = DType::f32;
  first.weights.type.shape = {outputs, inputs};
  first.weights.data = to_bytes(parameters.first(count));
  first.bias.assign(parameters.begin() + static_cast<long>(count), parameters.end());
  return first;
}

// Calls with the features in their own type.
template <class Visit>
auto with_features(const TrainableHead& head, ByteSpan bytes, const Visit& visit) {
  require(static_cast<int64_t>(bytes.size()) == byte_size(head.features),
          "the head reads {} bytes of features, not {}", byte_size(head.features), bytes.size());
  const void* const features = bytes.data();
  if (head.features.dtype == DType::i8) return visit(static_cast<const int8_t*>(features));
  if (head.features.dtype == DType::i16) return visit(static_cast<const int16_t*>(features));
  return visit(static_cast<const float*>(features));
}

}  // namespace

SimulatedHead::SimulatedHead(TrainableHead head)
    : head_(std::move(head)), memory_(static_cast<size_t>(head_sizes(head_).ram()) / sizeof(float)) {
  reset();
}

void SimulatedHead::reset() {
  with_layers(head_, [&](const auto& layers) { begin(layers, head_, memory_.data()); });
}

float SimulatedHead::train(ByteSpan features, int32_t label, float rate) {
  return with_layers(head_, [&](const auto& layers) {
    return with_features(head_, features, [&](const auto* values) {
      return nn::dense_train(layers, values, memory_.data(), label, head_.momentum, rate);
    });
  });
}

int32_t SimulatedHead::predict(ByteSpan features, std::span<float> probabilities) {
  require(static_cast<int64_t>(probabilities.size()) == head_.outputs,
          "room for {} probabilities, the head has {}", probabilities.size(), head_.outputs);
  return with_layers(head_, [&](const auto& layers) {
    return with_features(head_, features, [&](const auto* values) {
      return nn::dense_predict(layers, values, memory_.data(), probabilities.data());
    });
  });
}

Bytes SimulatedHead::save() const {
  Bytes record(static_cast<size_t>(head_sizes(head_).record));
  nn::save_head(record_of(head_), memory_.data(), reinterpret_cast<uint8_t*>(record.data()));
  return record;
}

int32_t SimulatedHead::load(ByteSpan record) {
  // As flash behind the end: what a record lacks makes its checksum wrong.
  Bytes whole(std::max(record.size(), static_cast<size_t>(head_sizes(head_).record)), std::byte{0xFF});
  std::copy(record.begin(), record.end(), whole.begin());
  const int32_t code =
      nn::load_head(record_of(head_), reinterpret_cast<const uint8_t*>(whole.data()), memory_.data());
  if (code == nn::head_ok) with_layers(head_, [&](const auto& layers) { nn::dense_rest(layers, memory_.data()); });
  return code;
}

std::span<const float> SimulatedHead::parameters() const {
  return std::span(memory_).first(static_cast<size_t>(head_sizes(head_).parameters) / sizeof(float));
}

TrainableHead SimulatedHead::trained() const {
  TrainableHead trained = head_;
  std::span<const float> rest = parameters();
  int64_t inputs = head_.inputs;
  if (trained.hidden) {
    const auto count = static_cast<size_t>(trained.hidden->outputs * (inputs + 1));
    trained.hidden->first = first_of(rest.first(count), inputs, trained.hidden->outputs);
    rest = rest.subspan(count);
    inputs = trained.hidden->outputs;
  }
  trained.first = first_of(rest, inputs, head_.outputs);
  return trained;
}

}  // namespace mote
