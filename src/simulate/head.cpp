// SPDX-License-Identifier: Apache-2.0
#include "simulate/head.hpp"

#include <algorithm>

#include "nn/head_record.hpp"
#include "nn/train_dense.hpp"

namespace mote {

namespace {

nn::TrainDense dense_of(const TrainableHead& head) {
  const bool real = head.features.dtype == DType::f32;
  return {narrow<int32_t>(head.inputs), narrow<int32_t>(head.outputs),
          real ? 1.0F : head.features.quant.scale.at(0), real ? 0 : head.features.quant.zero.at(0)};
}

nn::HeadRecord record_of(const TrainableHead& head) {
  return {{static_cast<uint32_t>(head.model), static_cast<uint32_t>(head.model >> 32)},
          narrow<int32_t>(head.inputs),
          narrow<int32_t>(head.outputs)};
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
  const nn::TrainDense dense = dense_of(head_);
  const auto fill = [&](const auto& weights) {
    nn::dense_fill(dense, weights.data(), head_.scales.data(), head_.zero, head_.bias.data(), memory_.data());
  };
  if (head_.weights.data.empty()) {
    nn::dense_clear(dense, memory_.data());
  } else if (head_.weights.type.dtype == DType::i8) {
    fill(to_values<int8_t>(head_.weights.data));
  } else {
    fill(to_values<float>(head_.weights.data));
  }
}

float SimulatedHead::train(ByteSpan features, int32_t label, float rate) {
  return with_features(head_, features, [&](const auto* values) {
    return nn::dense_train(dense_of(head_), values, memory_.data(), label, head_.momentum, rate);
  });
}

int32_t SimulatedHead::predict(ByteSpan features, std::span<float> probabilities) {
  require(static_cast<int64_t>(probabilities.size()) == head_.outputs,
          "room for {} probabilities, the head has {}", probabilities.size(), head_.outputs);
  return with_features(head_, features, [&](const auto* values) {
    return nn::dense_predict(dense_of(head_), values, memory_.data(), probabilities.data());
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
  if (code == nn::head_ok) nn::dense_rest(dense_of(head_), memory_.data());
  return code;
}

std::span<const float> SimulatedHead::weights() const {
  return std::span(memory_).first(static_cast<size_t>(head_.outputs * head_.inputs));
}

std::span<const float> SimulatedHead::bias() const {
  return std::span(memory_).subspan(weights().size(), static_cast<size_t>(head_.outputs));
}

TrainableHead SimulatedHead::trained() const {
  TrainableHead trained = head_;
  const auto parameters = std::span(memory_).first(weights().size() + bias().size());
  const bool fresh = std::all_of(parameters.begin(), parameters.end(), [](float value) { return value == 0.0F; });
  if (fresh) {  // takes no flash
    trained.weights = {};
    trained.scales.clear(), trained.bias.clear();
    return trained;
  }
  trained.zero = 0;
  trained.scales.assign(static_cast<size_t>(head_.outputs), 1.0F);
  trained.weights.type = {};
  trained.weights.type.dtype = DType::f32;
  trained.weights.type.shape = {head_.outputs, head_.inputs};
  trained.weights.data = to_bytes(std::vector<float>(weights().begin(), weights().end()));
  trained.bias.assign(bias().begin(), bias().end());
  return trained;
}

}  // namespace mote
