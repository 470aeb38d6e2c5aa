// SPDX-License-Identifier: Apache-2.0
#include "formats/custom_options.hpp"

#include <flatbuffers/flexbuffers.h>

namespace mote::tflite {

namespace {

flexbuffers::Map map_of(ByteSpan bytes) {
  return flexbuffers::GetRoot(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()).AsMap();
}

}  // namespace

CustomOptions::CustomOptions(const OpView& view) : bytes_(view.custom_options) {
  const auto* const data = reinterpret_cast<const uint8_t*>(bytes_.data());
  require(bytes_.size() >= 3 && flexbuffers::VerifyBuffer(data, bytes_.size()) &&
              flexbuffers::GetRoot(data, bytes_.size()).IsMap(),
          "carries custom options that are no FlexBuffers map; convert the model again");
}

int32_t CustomOptions::integer(const std::string& name, int64_t low, int64_t high) {
  const flexbuffers::Reference value = map_of(bytes_)[name.c_str()];
  require(value.IsIntOrUint() || value.IsBool(), "has no integer option '{}'; convert the model again", name);
  const int64_t number = value.AsInt64();
  require(number >= low && number <= high, "has option {} = {}, it must be from {} to {}", name, number, low,
          high);
  read_.insert(name);
  return static_cast<int32_t>(number);
}

bool CustomOptions::boolean(const std::string& name) { return integer(name, 0, 1) != 0; }

float CustomOptions::real(const std::string& name) {
  const flexbuffers::Reference value = map_of(bytes_)[name.c_str()];
  require(value.IsNumeric(), "has no real option '{}'; convert the model again", name);
  read_.insert(name);
  return value.AsFloat();
}

bool CustomOptions::has(const std::string& name) const { return !map_of(bytes_)[name.c_str()].IsNull(); }

void CustomOptions::require_all_read() const {
  const flexbuffers::TypedVector keys = map_of(bytes_).Keys();
  for (size_t i = 0; i < keys.size(); ++i) {
    const std::string key = keys[i].AsKey();
    require(read_.contains(key), "has an option '{}', which Mote does not know", key);
  }
}

}  // namespace mote::tflite
