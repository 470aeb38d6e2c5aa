// SPDX-License-Identifier: Apache-2.0
#include "verify/golden.hpp"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/files.hpp"

namespace mote {

namespace {

constexpr double float_tolerance = 1e-4;  // of the output's range

Bytes read_part(const std::filesystem::path& path, const Tensor& tensor) {
  Bytes bytes = read_file(path);
  require(static_cast<int64_t>(bytes.size()) == byte_size(tensor.type),
          "{}: holds {} bytes, '{}' of the model has {} ({} {})", path.string(), bytes.size(), tensor.name,
          byte_size(tensor.type), to_text(tensor.type.shape), name(tensor.type.dtype));
  return bytes;
}

template <class T>
std::vector<double> as_doubles(ByteSpan bytes) {
  std::vector<double> result;
  for (const T value : to_values<T>(bytes)) result.push_back(static_cast<double>(value));
  return result;
}

std::vector<double> as_doubles(DType dtype, ByteSpan bytes) {
  switch (dtype) {
    case DType::i8: return as_doubles<int8_t>(bytes);
    case DType::i16: return as_doubles<int16_t>(bytes);
    case DType::u16: return as_doubles<uint16_t>(bytes);
    case DType::i32: return as_doubles<int32_t>(bytes);
    case DType::u32: return as_doubles<uint32_t>(bytes);
    case DType::i64: return as_doubles<int64_t>(bytes);
    case DType::u64: return as_doubles<uint64_t>(bytes);
    case DType::f32: return as_doubles<float>(bytes);
    case DType::u8:
    case DType::boolean:
    case DType::i4:
    case DType::i2: return as_doubles<uint8_t>(bytes);
  }
  fail("unknown data type {}", static_cast<int>(dtype));
}

double allowed_difference(DType dtype, const std::vector<double>& expected) {
  if (dtype != DType::f32) return 0;
  double low = 0, high = 0, magnitude = 0;
  for (size_t i = 0; i < expected.size(); ++i) {
    low = i == 0 ? expected[i] : std::min(low, expected[i]);
    high = i == 0 ? expected[i] : std::max(high, expected[i]);
    magnitude = std::max(magnitude, std::abs(expected[i]));
  }
  return float_tolerance * std::max(high - low, magnitude);
}

void compare_output(const Tensor& tensor, ByteSpan expected_bytes, ByteSpan bytes, const std::string& place,
                    Comparison& result) {
  require(expected_bytes.size() == bytes.size(), "{}: {} bytes came back, {} were expected", place, bytes.size(),
          expected_bytes.size());
  const std::vector<double> expected = as_doubles(tensor.type.dtype, expected_bytes);
  const std::vector<double> values = as_doubles(tensor.type.dtype, bytes);
  const double allowed = allowed_difference(tensor.type.dtype, expected);
  const auto element_bytes = static_cast<int64_t>(bytes.size() / std::max<size_t>(values.size(), 1));
  result.total_bytes += static_cast<int64_t>(bytes.size());
  for (size_t i = 0; i < values.size(); ++i) {
    // Equal values first: infinities and zeros of either sign have no difference to take.
    const double difference = values[i] == expected[i] ? 0 : std::abs(values[i] - expected[i]);
    if (difference <= allowed || (std::isnan(values[i]) && std::isnan(expected[i]))) {
      result.equal_bytes += element_bytes;
    } else if (result.first_difference.empty()) {
      result.first_difference = fmt::format("{}, element {}: {}, expected {}", place, i, values[i], expected[i]);
    }
    if (!(difference <= result.max_difference)) result.max_difference = difference;
  }
}

Case read_case(const std::filesystem::path& directory, const std::string& name, const Graph& graph) {
  Case one;
  one.name = name;
  for (size_t i = 0; i < graph.inputs.size(); ++i) {
    one.inputs.push_back(
        read_part(directory / fmt::format("{}_in{}.bin", name, i), graph.tensors[graph.inputs[i]]));
  }
  for (size_t i = 0; i < graph.outputs.size(); ++i) {
    one.outputs.push_back(
        read_part(directory / fmt::format("{}_out{}.bin", name, i), graph.tensors[graph.outputs[i]]));
  }
  return one;
}

}  // namespace

std::vector<Case> read_golden(const std::filesystem::path& directory, const Graph& graph) {
  const std::filesystem::path manifest_path = directory / "manifest.json";
  const Bytes text = read_file(manifest_path);
  const auto* const begin = reinterpret_cast<const char*>(text.data());
  const nlohmann::json manifest = nlohmann::json::parse(begin, begin + text.size(), nullptr, false);
  require(manifest.is_object() && manifest.contains("cases") && manifest["cases"].is_array(),
          "{}: is not a manifest of golden vectors (an object with a list \"cases\")", manifest_path.string());
  std::vector<Case> cases;
  for (const nlohmann::json& entry : manifest["cases"]) {
    require(entry.is_string(), "{}: \"cases\" must hold names", manifest_path.string());
    cases.push_back(read_case(directory, entry.get<std::string>(), graph));
  }
  require(!cases.empty(), "{}: lists no cases", manifest_path.string());
  if (!manifest.value("stateful", false)) return cases;
  const size_t single = cases.size();
  const auto exists = [&](const std::string& name) {
    return std::filesystem::exists(directory / (name + "_out0.bin"));
  };
  for (std::string name = "seq0"; exists(name); name = fmt::format("seq{}", cases.size() - single)) {
    const bool continues = cases.size() > single;
    cases.push_back(read_case(directory, name, graph));
    cases.back().continues = continues;
  }
  require(cases.size() > single, "{}: says \"stateful\" but there is no seq0_out0.bin", manifest_path.string());
  return cases;
}

Case random_case(const Graph& graph, std::mt19937& random, std::string name) {
  Case one;
  one.name = std::move(name);
  for (const TensorId id : graph.inputs) {
    const TensorType& type = graph.tensors[id].type;
    Bytes bytes(static_cast<size_t>(byte_size(type)));
    if (type.dtype == DType::f32) {
      std::vector<float> values(bytes.size() / sizeof(float));
      for (float& value : values) value = static_cast<float>(random() >> 8) * 0x1p-23F - 1.0F;
      bytes = to_bytes(values);
    } else {
      for (std::byte& byte : bytes) byte = static_cast<std::byte>(random() >> 24);
    }
    one.inputs.push_back(std::move(bytes));
  }
  return one;
}

std::vector<std::vector<Bytes>> inputs_of(const std::vector<Case>& cases) {
  std::vector<std::vector<Bytes>> inputs;
  for (const Case& one : cases) inputs.push_back(one.inputs);
  return inputs;
}

std::vector<bool> continues_of(const std::vector<Case>& cases) {
  std::vector<bool> continues;
  for (const Case& one : cases) continues.push_back(one.continues);
  return continues;
}

Comparison compare(const Graph& graph, const std::vector<Case>& expected,
                   const std::vector<std::vector<Bytes>>& outputs) {
  require(expected.size() == outputs.size(), "{} cases came back, {} were run", outputs.size(), expected.size());
  Comparison result;
  result.cases = static_cast<int64_t>(expected.size());
  for (size_t c = 0; c < expected.size(); ++c) {
    for (size_t i = 0; i < graph.outputs.size(); ++i) {
      const Tensor& tensor = graph.tensors[graph.outputs[i]];
      compare_output(tensor, expected[c].outputs.at(i), outputs[c].at(i),
                     fmt::format("{}, output {} '{}'", expected[c].name, i, tensor.name), result);
    }
  }
  return result;
}

}  // namespace mote
