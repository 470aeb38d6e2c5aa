// SPDX-License-Identifier: Apache-2.0
#include "support/guarded_call.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace mote::test {

namespace {

constexpr size_t guard_bytes = 64;
constexpr auto guard_value = std::byte{0xA5};

// A buffer between two guards; the contents are aligned for every element type.
class Guarded {
 public:
  explicit Guarded(Bytes contents) : original_(std::move(contents)) {
    memory_.resize(guard_bytes, guard_value);
    memory_.insert(memory_.end(), original_.begin(), original_.end());
    memory_.insert(memory_.end(), guard_bytes, guard_value);
  }
  [[nodiscard]] std::byte* data() { return memory_.data() + guard_bytes; }
  [[nodiscard]] Bytes contents() const {
    const ByteSpan inside = ByteSpan(memory_).subspan(guard_bytes, original_.size());
    return {inside.begin(), inside.end()};
  }

  void require_guards(std::string_view what) const {
    const auto is_guard = [](std::byte value) { return value == guard_value; };
    require(std::all_of(memory_.begin(), memory_.begin() + guard_bytes, is_guard), "wrote before the {}", what);
    require(std::all_of(memory_.end() - guard_bytes, memory_.end(), is_guard), "wrote behind the {}", what);
  }
  void require_unchanged(std::string_view what) const { require(contents() == original_, "changed the {}", what); }

 private:
  Bytes original_, memory_;
};

std::vector<Guarded> guarded(const std::vector<Bytes>& contents) { return {contents.begin(), contents.end()}; }

std::vector<Guarded> guarded_constants(const Call& call) {
  std::vector<Guarded> constants;
  for (const Constant& constant : call.constants) constants.emplace_back(constant.data);
  return constants;
}

std::vector<Guarded> noisy_outputs(const Types& out, std::mt19937& random) {
  std::vector<Guarded> outputs;
  for (const TensorType& type : out) outputs.emplace_back(noise(static_cast<size_t>(byte_size(type)), random));
  return outputs;
}

struct Memory {
  std::vector<Guarded> inputs, outputs, constants;
  Guarded scratch;
};

std::vector<void*> pointers(const Call& call, Memory& memory) {
  std::vector<void*> result;
  for (const Argument& argument : call.arguments) {
    switch (argument.kind) {
      case Argument::Kind::input:
      case Argument::Kind::state: result.push_back(memory.inputs.at(argument.index).data()); break;
      case Argument::Kind::output: result.push_back(memory.outputs.at(argument.index).data()); break;
      case Argument::Kind::constant:
        result.push_back(
            call.constants.at(argument.index).data.empty() ? nullptr : memory.constants.at(argument.index).data());
        break;
      case Argument::Kind::scratch: result.push_back(memory.scratch.data()); break;
    }
  }
  return result;
}

Memory prepare(const Call& call, const std::vector<Bytes>& inputs, const Types& out, std::mt19937& random) {
  return {guarded(inputs), noisy_outputs(out, random), guarded_constants(call),
          Guarded(noise(static_cast<size_t>(call.scratch_bytes), random))};
}

void require_intact(const Memory& memory) {
  for (const Guarded& buffer : memory.inputs) buffer.require_guards("input");
  for (const Guarded& buffer : memory.outputs) buffer.require_guards("output");
  for (const Guarded& buffer : memory.constants) buffer.require_guards("constant");
  for (const Guarded& buffer : memory.constants) buffer.require_unchanged("constant");
  memory.scratch.require_guards("scratch");
}

}  // namespace

std::vector<const Tensor*> input_pointers(const Sample& sample) {
  std::vector<const Tensor*> inputs;
  for (const auto& tensor : sample.in) inputs.push_back(tensor ? &*tensor : nullptr);
  return inputs;
}

Bytes noise(size_t bytes, std::mt19937& random) {
  Bytes result(bytes);
  for (std::byte& value : result) value = static_cast<std::byte>(random() >> 24);
  return result;
}

std::vector<Bytes> random_inputs(const Sample& sample, std::mt19937& random) {
  std::vector<Bytes> inputs;
  for (const auto& tensor : sample.in) {
    if (!tensor) {
      inputs.emplace_back();
    } else if (!tensor->data.empty()) {  // a constant, or a state of which not every content is possible
      inputs.push_back(tensor->data);
    } else if (tensor->type.dtype == DType::f32) {
      const float magnitude = std::exp2(std::uniform_real_distribution<float>(-3.0F, 5.0F)(random));
      std::uniform_real_distribution<float> distribution(-magnitude, magnitude);
      std::vector<float> values(static_cast<size_t>(elements(tensor->type.shape)));
      for (float& value : values) value = distribution(random);
      inputs.push_back(to_bytes(values));
    } else {
      inputs.push_back(noise(static_cast<size_t>(byte_size(tensor->type)), random));
    }
  }
  return inputs;
}

std::vector<Bytes> run_guarded(const Call& call, const std::vector<Bytes>& inputs, const Types& out,
                               std::mt19937& random) {
  Memory memory = prepare(call, inputs, out, random);
  call.run(pointers(call, memory));
  require_intact(memory);
  for (const Argument& argument : call.arguments) {
    if (argument.kind == Argument::Kind::input) memory.inputs[argument.index].require_unchanged("input");
  }
  std::vector<Bytes> result;
  for (const Guarded& output : memory.outputs) result.push_back(output.contents());
  return result;
}

Bytes run_overlapping(const Call& call, const std::vector<Bytes>& inputs, size_t input, int64_t distance,
                      const Types& out, std::mt19937& random) {
  Memory memory = prepare(call, inputs, out, random);
  const int64_t out_bytes = byte_size(out[0]);
  const auto in_bytes = static_cast<int64_t>(inputs[input].size());
  const int64_t in_start = align_up(std::max<int64_t>(0, -distance), 16);
  const int64_t out_start = in_start + distance;
  Bytes shared = noise(static_cast<size_t>(std::max(in_start + in_bytes, out_start + out_bytes)), random);
  std::copy(inputs[input].begin(), inputs[input].end(), shared.begin() + in_start);
  Guarded arena(std::move(shared));
  std::vector<void*> arguments = pointers(call, memory);
  for (size_t i = 0; i < arguments.size(); ++i) {
    const Argument& argument = call.arguments[i];
    if (argument.kind == Argument::Kind::input && argument.index == input) arguments[i] = arena.data() + in_start;
    if (argument.kind == Argument::Kind::output && argument.index == 0) arguments[i] = arena.data() + out_start;
  }
  call.run(arguments);
  require_intact(memory);
  arena.require_guards("shared memory");
  const Bytes contents = arena.contents();
  return {contents.begin() + out_start, contents.begin() + out_start + out_bytes};
}

namespace {

std::vector<double> stored_values(const TensorType& type, ByteSpan bytes) {
  const auto widen = [](const auto& values) {
    std::vector<double> result;
    for (const auto value : values) result.push_back(static_cast<double>(value));
    return result;
  };
  switch (type.dtype) {
    case DType::i8: return widen(to_values<int8_t>(bytes));
    case DType::u8: return widen(to_values<uint8_t>(bytes));
    case DType::boolean: return widen(to_values<uint8_t>(bytes));
    case DType::i16: return widen(to_values<int16_t>(bytes));
    case DType::u16: return widen(to_values<uint16_t>(bytes));
    case DType::i32: return widen(to_values<int32_t>(bytes));
    case DType::u32: return widen(to_values<uint32_t>(bytes));
    case DType::i64: return widen(to_values<int64_t>(bytes));
    case DType::u64: return widen(to_values<uint64_t>(bytes));
    case DType::f32: return widen(to_values<float>(bytes));
    case DType::i4: {
      std::vector<double> values;
      for (int64_t i = 0; i < elements(type.shape); ++i) {  // two a byte, the first in the lower half
        const int nibble = static_cast<int>(bytes[static_cast<size_t>(i / 2)]) >> (i % 2 * 4) & 15;
        values.push_back(nibble < 8 ? nibble : nibble - 16);
      }
      return values;
    }
    case DType::i2: break;
  }
  fail("packed type {} has no stored values here", name(type.dtype));
}

// Where index `element` stands along the axis of a per-channel type; 0 for per-tensor types.
size_t channel_of(const TensorType& type, size_t element) {
  if (type.quant.scale.size() <= 1) return 0;
  int64_t inner = 1;
  for (size_t i = static_cast<size_t>(type.quant.axis) + 1; i < type.shape.size(); ++i) inner *= type.shape[i];
  return element / static_cast<size_t>(inner) % type.quant.scale.size();
}

bool is_unsigned(DType dtype) {
  return dtype == DType::u8 || dtype == DType::u16 || dtype == DType::u32 || dtype == DType::u64;
}
double lowest(DType dtype) { return is_unsigned(dtype) ? 0.0 : -std::exp2(static_cast<double>(bits(dtype) - 1)); }
double highest(DType dtype) {
  return std::exp2(static_cast<double>(bits(dtype) - (is_unsigned(dtype) ? 0 : 1))) - 1.0;
}

}  // namespace

std::vector<double> to_reals(const TensorType& type, ByteSpan bytes) {
  std::vector<double> values = stored_values(type, bytes);
  if (type.dtype == DType::f32 || type.quant.empty()) return values;
  for (size_t i = 0; i < values.size(); ++i) {
    const size_t channel = channel_of(type, i);
    values[i] = static_cast<double>(type.quant.scale[channel]) * (values[i] - type.quant.zero[channel]);
  }
  return values;
}

double difference(const TensorType& type, ByteSpan bytes, const std::vector<double>& expected) {
  const std::vector<double> values = stored_values(type, bytes);
  require(values.size() == expected.size(), "the reference gives {} values, the kernel {}", expected.size(),
          values.size());
  double unit = 1.0;
  if (type.dtype == DType::f32) {
    double largest = 1e-30;
    for (const double value : expected) largest = std::max(largest, std::abs(value));
    unit = 1.0 / largest;
  }
  double worst = 0.0;
  for (size_t i = 0; i < values.size(); ++i) {
    double target = expected[i];
    if (type.dtype != DType::f32) {
      if (!type.quant.empty())
        target = target / static_cast<double>(tensor_scale(type, "output")) + type.quant.zero[0];
      target = std::clamp(target, lowest(type.dtype), highest(type.dtype));
    }
    const double distance = std::abs(values[i] - target) * unit;
    worst = std::isnan(distance) ? std::numeric_limits<double>::infinity() : std::max(worst, distance);
  }
  return worst;
}

}  // namespace mote::test
