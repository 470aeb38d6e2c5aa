// SPDX-License-Identifier: Apache-2.0
#include "codegen/constants.hpp"

#include <map>
#include <tuple>

namespace mote {

namespace {

constexpr size_t line_width = 110;

// Appends the decimal values of whole elements, wrapped.
template <class T, class Print>
void append_values(std::string& text, ByteSpan bytes, Print print) {
  size_t column = 0;
  for (const T value : to_values<T>(bytes)) {
    const size_t before = text.size();
    print(text, value);
    text += ',';
    column += text.size() - before;
    if (column > line_width - 12) {
      text += '\n';
      column = 0;
    }
  }
  if (column != 0) text += '\n';
}

template <class T>
void append_integers(std::string& text, ByteSpan bytes) {
  append_values<T>(text, bytes, [](std::string& out, T value) {
    // INT32_MIN and INT64_MIN have no literal of their own.
    if (std::is_signed_v<T> && sizeof(T) >= 4 && value == std::numeric_limits<T>::min()) {
      fmt::format_to(std::back_inserter(out), "{}-1", value + 1);
    } else {
      const fmt::format_int digits(value);
      out.append(digits.data(), digits.size());
      if (sizeof(T) >= 4 && std::is_unsigned_v<T>) out += 'u';
    }
  });
}

void append_elements(std::string& text, const Constant& constant) {
  switch (constant.dtype) {
    case DType::i8: return append_integers<int8_t>(text, constant.data);
    case DType::u8:
    case DType::boolean:
    case DType::i4:
    case DType::i2: return append_integers<uint8_t>(text, constant.data);
    case DType::i16: return append_integers<int16_t>(text, constant.data);
    case DType::u16: return append_integers<uint16_t>(text, constant.data);
    case DType::i32: return append_integers<int32_t>(text, constant.data);
    case DType::u32: return append_integers<uint32_t>(text, constant.data);
    case DType::i64: return append_integers<int64_t>(text, constant.data);
    case DType::u64: return append_integers<uint64_t>(text, constant.data);
    case DType::f32:
      return append_values<float>(text, constant.data,
                                  [](std::string& out, float value) { out += detail::float_literal(value); });
  }
}

}  // namespace

ConstantPool::ConstantPool(const std::string& name, const Plan& plan) {
  std::map<std::tuple<DType, bool, ByteSpan::size_type, std::string_view>, std::string> known;
  for (size_t step = 0; step < plan.steps.size(); ++step) {
    std::vector<std::string>& symbols = symbols_.emplace_back();
    for (const Constant& constant : plan.steps[step].call.constants) {
      if (constant.data.empty()) {
        symbols.emplace_back();
        continue;
      }
      const std::string_view content(reinterpret_cast<const char*>(constant.data.data()), constant.data.size());
      const auto [entry, fresh] = known.try_emplace(
          {constant.dtype, constant.weight, content.size(), content},
          fmt::format("{}_{}_{}_{}", name, constant.weight ? "weights" : "table", step, constant.name));
      if (fresh) entries_.push_back({entry->second, &constant, step});
      symbols.push_back(entry->second);
    }
  }
}

std::string ConstantPool::text() const {
  std::string text;
  for (const Entry& entry : entries_) {
    const int64_t count =
        static_cast<int64_t>(entry.constant->data.size()) * 8 / std::max(8, bits(entry.constant->dtype));
    // Kernels may load words from packed bytes.
    fmt::format_to(std::back_inserter(text), "alignas({}) const {} {}[{}] = {{\n",
                   std::max(4, bits(entry.constant->dtype) / 8), c_type(entry.constant->dtype), entry.symbol,
                   count);
    append_elements(text, *entry.constant);
    text += "};\n\n";
  }
  return text;
}

std::vector<FlashData> ConstantPool::flash_by_step() const {
  std::vector<FlashData> flash(symbols_.size());
  for (const Entry& entry : entries_) {
    FlashData& step = flash[entry.step];
    (entry.constant->weight ? step.weight_bytes : step.table_bytes) +=
        static_cast<int64_t>(entry.constant->data.size());
  }
  return flash;
}

}  // namespace mote
