// SPDX-License-Identifier: Apache-2.0
#include "support/run_call.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace mote::test {

namespace {

constexpr size_t guard_bytes = 64;

// A buffer between guards, aligned to 16 bytes.
class Guarded {
 public:
  explicit Guarded(ByteSpan content) : size_(content.size()), bytes_(guard_bytes * 3 + content.size(), mark) {
    const size_t misaligned = reinterpret_cast<uintptr_t>(bytes_.data() + guard_bytes) % 16;
    begin_ = guard_bytes + (16 - misaligned) % 16;
    std::copy(content.begin(), content.end(), bytes_.begin() + static_cast<ptrdiff_t>(begin_));
  }
  [[nodiscard]] void* data() { return bytes_.data() + begin_; }
  [[nodiscard]] ByteSpan content() const { return ByteSpan(bytes_).subspan(begin_, size_); }
  [[nodiscard]] bool intact() const {
    const auto marked = [](std::byte value) { return value == mark; };
    const ByteSpan all(bytes_);
    return std::ranges::all_of(all.first(begin_), marked) && std::ranges::all_of(all.subspan(begin_ + size_), marked);
  }

 private:
  static constexpr std::byte mark{0xA5};
  size_t size_, begin_ = 0;
  Bytes bytes_;
};

std::vector<Guarded> guarded(const std::vector<Bytes>& contents) { return {contents.begin(), contents.end()}; }

void expect_unchanged(const std::vector<Guarded>& buffers, const std::vector<Bytes>& contents, const char* what) {
  for (size_t i = 0; i < buffers.size(); ++i) {
    EXPECT_TRUE(buffers[i].intact()) << "wrote around " << what << " " << i;
    EXPECT_TRUE(std::ranges::equal(buffers[i].content(), contents[i])) << "changed " << what << " " << i;
  }
}

}  // namespace

std::vector<Bytes> random_inputs(const std::vector<const Tensor*>& in, std::mt19937& random) {
  std::vector<Bytes> data;
  for (const Tensor* tensor : in) {
    if (tensor == nullptr || tensor->constant()) {
      data.push_back(tensor == nullptr ? Bytes{} : tensor->data);
    } else if (tensor->type.dtype == DType::f32) {
      std::vector<float> values(static_cast<size_t>(elements(tensor->type.shape)));
      for (float& value : values) value = static_cast<float>(static_cast<int32_t>(random())) / 0x1p31F;
      data.push_back(to_bytes(values));
    } else {
      Bytes bytes(static_cast<size_t>(byte_size(tensor->type)));
      for (std::byte& value : bytes) value = static_cast<std::byte>(random() >> 8);
      data.push_back(std::move(bytes));
    }
  }
  return data;
}

std::vector<Bytes> run_call(const Call& call, const std::vector<Bytes>& data, const Types& out) {
  std::vector<Bytes> constant_data;
  for (const Constant& constant : call.constants) constant_data.push_back(constant.data);
  std::vector<Bytes> blank;
  for (const TensorType& type : out) blank.emplace_back(static_cast<size_t>(byte_size(type)), std::byte{0x5A});
  std::vector<Guarded> inputs = guarded(data);
  std::vector<Guarded> constants = guarded(constant_data);
  std::vector<Guarded> outputs = guarded(blank);
  Guarded scratch(Bytes(static_cast<size_t>(call.scratch_bytes), std::byte{0x33}));
  std::vector<void*> pointers;
  for (const Argument& argument : call.arguments) {
    switch (argument.kind) {
      case Argument::Kind::input: pointers.push_back(inputs.at(argument.index).data()); break;
      case Argument::Kind::output: pointers.push_back(outputs.at(argument.index).data()); break;
      case Argument::Kind::constant: pointers.push_back(constants.at(argument.index).data()); break;
      case Argument::Kind::scratch: pointers.push_back(scratch.data()); break;
    }
  }
  call.run(pointers);
  expect_unchanged(inputs, data, "input");
  expect_unchanged(constants, constant_data, "constant");
  EXPECT_TRUE(scratch.intact()) << "wrote around the scratch of " << call.scratch_bytes << " bytes";
  std::vector<Bytes> result;
  for (const Guarded& output : outputs) {
    EXPECT_TRUE(output.intact()) << "wrote around an output";
    result.emplace_back(output.content().begin(), output.content().end());
  }
  return result;
}

std::vector<double> to_reals(const TensorType& type, ByteSpan bytes) {
  std::vector<double> reals;
  const auto append = [&](const auto& values) {
    const size_t inner = [&] {
      size_t count = 1;
      for (size_t i = static_cast<size_t>(type.quant.axis + 1); i < type.shape.size(); ++i) {
        count *= static_cast<size_t>(type.shape[i]);
      }
      return count;
    }();
    for (size_t i = 0; i < values.size(); ++i) {
      const size_t scales = type.quant.scale.size();
      const size_t channel = scales > 1 ? i / inner % scales : 0;
      const double scale = scales == 0 ? 1.0 : static_cast<double>(type.quant.scale[channel]);
      const double zero = scales == 0 ? 0.0 : type.quant.zero[channel];
      reals.push_back(scale * (static_cast<double>(values[i]) - zero));
    }
  };
  switch (type.dtype) {
    case DType::i8: append(to_values<int8_t>(bytes)); break;
    case DType::u8:
    case DType::boolean: append(to_values<uint8_t>(bytes)); break;
    case DType::i16: append(to_values<int16_t>(bytes)); break;
    case DType::i32: append(to_values<int32_t>(bytes)); break;
    case DType::i64: append(to_values<int64_t>(bytes)); break;
    case DType::f32: append(to_values<float>(bytes)); break;
    case DType::i4:
    case DType::i2: fail("packed types have no reals here");
  }
  return reals;
}

double clamp_to_type(const TensorType& type, double value) {
  if (type.dtype == DType::f32 || type.quant.empty()) return value;
  const double scale = static_cast<double>(type.quant.scale[0]);
  const double zero = type.quant.zero[0];
  const double low = type.dtype == DType::u8 ? 0.0 : -std::ldexp(1.0, bits(type.dtype) - 1);
  const double high = low + std::ldexp(1.0, bits(type.dtype)) - 1.0;
  return std::clamp(value, scale * (low - zero), scale * (high - zero));
}

}  // namespace mote::test
