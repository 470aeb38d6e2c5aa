// SPDX-License-Identifier: Apache-2.0
#include "device/argument_text.hpp"

#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/files.hpp"
#include "base/npy.hpp"
#include "base/text.hpp"

namespace mote {

namespace {

constexpr size_t shown_elements = 16;

template <class T, class... Base>
bool read_whole(std::string_view text, T& value, Base... base) {
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value, base...);
  return problem == std::errc() && end == text.data() + text.size();
}

Number parse_number(std::string_view text, const std::string& what) {
  if (text == "true") return int64_t{1};
  if (text == "false") return int64_t{0};
  std::string_view digits = text;
  const bool negative = digits.starts_with('-');
  if (negative || digits.starts_with('+')) digits.remove_prefix(1);
  const bool hexadecimal = digits.starts_with("0x") || digits.starts_with("0X");
  if (hexadecimal) digits.remove_prefix(2);
  uint64_t magnitude = 0;
  const bool signed_twice = digits.starts_with('-') || digits.starts_with('+');
  if (!signed_twice && read_whole(digits, magnitude, hexadecimal ? 16 : 10)) {
    if (!negative) return magnitude;
    constexpr uint64_t most = uint64_t{1} << 63;
    if (magnitude <= most) return static_cast<int64_t>(0 - magnitude);
  }
  double real = 0;
  require(!signed_twice && !hexadecimal && read_whole(digits, real), "{}: '{}' is no number", what, text);
  return negative ? -real : real;
}

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

ArrayValue parse_list(std::string_view text, Scalar element, const std::string& what) {
  text = trimmed(text);
  if (text.starts_with('[') && text.ends_with(']')) text = trimmed(text.substr(1, text.size() - 2));
  ArrayValue array{element, {}};
  while (!text.empty()) {
    const size_t comma = std::min(text.find(','), text.size());
    append_number(array.data, element, parse_number(trimmed(text.substr(0, comma)), what), what);
    require(comma + 1 != text.size(), "{}: behind the last comma stands no number", what);
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return array;
}

// "f4" -> "float32"
std::string long_name(const std::string& descr) {
  const std::string kind = descr.substr(0, 1), bytes = descr.substr(1);
  if (descr == "b1") return "bool";
  const char* const word = kind == "i" ? "int" : kind == "u" ? "uint" : kind == "f" ? "float" : "";
  int count = 0;
  return *word == '\0' || !read_whole(std::string_view(bytes), count) ? descr
                                                                      : fmt::format("{}{}", word, 8 * count);
}

ArrayValue parse_file(const std::string& file, Scalar element, const std::string& what) {
  const Bytes bytes = read_file(file);
  if (!file.ends_with(".npy")) return {element, bytes};
  const NpyArray array = parse_npy(bytes, file);
  require(long_name(array.descr) == name(element), "{}: takes {} elements, {} has {}", what, name(element), file,
          long_name(array.descr));
  return {element, array.data};
}

ArrayValue parse_words(std::string_view text, Scalar element, const std::string& what) {
  require(byte_size(element) == 1, "{}: takes {} elements and no text", what, name(element));
  const std::string terminated(text);
  const ByteSpan bytes = std::as_bytes(std::span(terminated.c_str(), terminated.size() + 1));
  return {element, Bytes(bytes.begin(), bytes.end())};
}

CallArgument parse_length(const std::string& text, const std::string& what) {
  if (text == "-") return OutputLength{};
  int64_t length = 0;
  require(read_whole(std::string_view(text), length) && length >= 0,
          "{}: is an output; give its length, or - for the one that the source declares, not '{}'", what, text);
  return OutputLength{length};
}

std::string number_text(const Number& number) {
  return std::visit([](auto value) { return fmt::format("{}", value); }, number);
}

nlohmann::ordered_json number_json(const Number& number) {
  const double* const real = std::get_if<double>(&number);
  if (real != nullptr && !std::isfinite(*real)) return number_text(number);
  return std::visit([](auto value) { return nlohmann::ordered_json(value); }, number);
}

std::vector<Number> numbers_of(const ArrayValue& array) {
  std::vector<Number> numbers;
  const auto step = static_cast<size_t>(byte_size(array.element));
  for (size_t at = 0; at + step <= array.data.size(); at += step) {
    numbers.push_back(read_number(array.element, array.data.data() + at));
  }
  return numbers;
}

}  // namespace

CallArgument parse_argument(const FunctionSignature& signature, size_t index, const std::string& text) {
  const Parameter& parameter = signature.parameters.at(index);
  const std::string what = fmt::format("{}: parameter '{}' ({})", signature.name, parameter.name, parameter.type);
  if (!parameter.is_array()) return parse_number(text, what);
  if (text == "null") return NullPointer{};
  if (parameter.passing == Passing::out) return parse_length(text, what);
  if (text.starts_with('@')) return parse_file(text.substr(1), parameter.element, what);
  if (text.starts_with("text:")) return parse_words(std::string_view(text).substr(5), parameter.element, what);
  return parse_list(text, parameter.element, what);
}

std::vector<CallArgument> parse_arguments(const FunctionSignature& signature,
                                          const std::vector<std::string>& texts) {
  const size_t count = signature.parameters.size();
  require(texts.size() == count, "{} takes {} argument{}, not {}: {}", signature.name, count,
          count == 1 ? "" : "s", texts.size(), to_text(signature));
  std::vector<CallArgument> arguments;
  for (size_t i = 0; i < texts.size(); ++i) arguments.push_back(parse_argument(signature, i, texts[i]));
  return arguments;
}

nlohmann::ordered_json to_json(const Returned& returned) {
  nlohmann::ordered_json json{{"result", returned.result ? number_json(*returned.result) : nullptr},
                              {"arrays", nlohmann::ordered_json::object()}};
  for (const ReturnedArray& array : returned.arrays) {
    auto& values = json["arrays"][array.name] = nlohmann::ordered_json::array();
    for (const Number& number : numbers_of(array.values)) values.push_back(number_json(number));
  }
  return json;
}

std::string to_text(const FunctionSignature& signature, const Returned& returned) {
  std::string text;
  if (returned.result) text += fmt::format("{} = {}\n", signature.name, number_text(*returned.result));
  for (const ReturnedArray& array : returned.arrays) {
    const std::vector<Number> numbers = numbers_of(array.values);
    text += fmt::format("{} =", array.name);
    for (size_t i = 0; i < std::min(numbers.size(), shown_elements); ++i) text += " " + number_text(numbers[i]);
    if (numbers.size() > shown_elements) {
      text += fmt::format(" ... ({} {} elements)", thousands(static_cast<int64_t>(numbers.size())),
                          name(array.values.element));
    }
    text += "\n";
  }
  return text;
}

}  // namespace mote
