// SPDX-License-Identifier: Apache-2.0
#include "device/frame.hpp"

#include <cmath>
#include <limits>

namespace mote {

namespace {

constexpr int64_t alignment = 8;
constexpr int64_t most_bytes = std::numeric_limits<int32_t>::max();

template <class T>
void append(Bytes& bytes, T value) {
  const auto* const begin = reinterpret_cast<const std::byte*>(&value);
  bytes.insert(bytes.end(), begin, begin + sizeof value);
}

std::string text_of(const Number& number) {
  return std::visit([](auto value) { return fmt::format("{}", value); }, number);
}

template <class T>
void append_integer(Bytes& bytes, const Number& number, const std::string& what) {
  bool fits = false;
  T value{};
  if (const double* const real = std::get_if<double>(&number)) {
    require(*real == std::floor(*real) && std::isfinite(*real), "{}: {} is no whole number", what, *real);
    // As a double the upper limit of a wide type is the first number beyond it.
    const double end = std::ldexp(1.0, std::numeric_limits<T>::digits);
    fits = *real >= static_cast<double>(std::numeric_limits<T>::min()) && *real < end;
    if (fits) value = static_cast<T>(*real);
  } else if (const int64_t* const whole = std::get_if<int64_t>(&number)) {
    fits = std::in_range<T>(*whole);
    value = static_cast<T>(*whole);
  } else {
    fits = std::in_range<T>(std::get<uint64_t>(number));
    value = static_cast<T>(std::get<uint64_t>(number));
  }
  require(fits, "{}: {} does not fit; it takes {} to {}", what, text_of(number),
          static_cast<int64_t>(std::numeric_limits<T>::min()),
          static_cast<uint64_t>(std::numeric_limits<T>::max()));
  append(bytes, value);
}

double to_double(const Number& number) {
  return std::visit([](auto value) { return static_cast<double>(value); }, number);
}

void append_float(Bytes& bytes, const Number& number, const std::string& what) {
  const double value = to_double(number);
  const auto nearest = static_cast<float>(value);
  require(std::isfinite(nearest) || !std::isfinite(value), "{}: {} does not fit; float32 takes up to {}", what,
          value, std::numeric_limits<float>::max());
  append(bytes, nearest);
}

void append_bool(Bytes& bytes, const Number& number, const std::string& what) {
  const double value = to_double(number);
  require(value == 0 || value == 1, "{}: {} does not fit; it takes 0 or 1", what, text_of(number));
  append(bytes, static_cast<uint8_t>(value));
}

// "fir: parameter 'gain' (int8_t)"
std::string place(const FunctionSignature& signature, const Parameter& parameter) {
  return fmt::format("{}: parameter '{}' ({})", signature.name, parameter.name, parameter.type);
}

std::string plural(int64_t count) { return fmt::format("{} element{}", count, count == 1 ? "" : "s"); }

int64_t elements_of(const Parameter& parameter, const CallArgument& argument, const std::string& what) {
  if (const OutputLength* const length = std::get_if<OutputLength>(&argument)) {
    require(parameter.passing == Passing::out, "{}: needs its values; only an output is given by its length",
            what);
    require(length->elements || parameter.declared > 0, "{}: say how many elements it has", what);
    return length->elements.value_or(parameter.declared);
  }
  require(parameter.passing != Passing::out, "{}: is an output; give its length", what);
  const ArrayValue* const array = std::get_if<ArrayValue>(&argument);
  require(array != nullptr, "{}: takes an array, not a number", what);
  require(array->element == parameter.element, "{}: takes {} elements, not {}", what, name(parameter.element),
          name(array->element));
  const auto bytes = static_cast<int64_t>(array->data.size());
  require(bytes % byte_size(parameter.element) == 0, "{}: {} bytes are no whole elements of {}", what, bytes,
          name(parameter.element));
  return bytes / byte_size(parameter.element);
}

void check_array(const Parameter& parameter, const CallArgument& argument, const std::string& what) {
  if (std::holds_alternative<NullPointer>(argument)) return;
  const int64_t count = elements_of(parameter, argument, what);
  require(count >= 0 && count <= most_bytes, "{}: {} cannot be its length", what, count);
  require(count >= parameter.declared, "{}: needs at least {}, not {}", what, plural(parameter.declared), count);
  require(count % parameter.row == 0, "{}: {} are no whole rows of {}", what, plural(count), parameter.row);
  const ArrayValue* const array = std::get_if<ArrayValue>(&argument);
  if (parameter.element != Scalar::boolean || array == nullptr) return;
  for (size_t i = 0; i < array->data.size(); ++i) {
    require(array->data[i] <= std::byte{1}, "{}: element {} is {}; it takes 0 or 1", what, i,
            static_cast<int>(array->data[i]));
  }
}

int64_t array_bytes(const Parameter& parameter, const CallArgument& argument, const std::string& what) {
  return elements_of(parameter, argument, what) * byte_size(parameter.element);
}

// Places for all arrays of one kind, behind `end`.
void place_arrays(const FunctionSignature& signature, const std::vector<CallArgument>& arguments, Passing passing,
                  std::vector<FramePlace>& places, int64_t& end) {
  for (size_t i = 0; i < arguments.size(); ++i) {
    const Parameter& parameter = signature.parameters[i];
    if (parameter.passing != passing || std::holds_alternative<NullPointer>(arguments[i])) continue;
    const std::string what = place(signature, parameter);
    places[i] = {end, array_bytes(parameter, arguments[i], what)};
    end = align_up(end + places[i].bytes, alignment);
    require(end <= most_bytes, "{}: the arguments are larger than any device", what);
  }
}

void append_slots(const FunctionSignature& signature, const std::vector<CallArgument>& arguments,
                  const Marshalled& call, Bytes& bytes) {
  for (size_t i = 0; i < arguments.size(); ++i) {
    const Parameter& parameter = signature.parameters[i];
    if (parameter.is_array()) {
      append(bytes, static_cast<uint32_t>(call.parameters[i].offset));
    } else {
      append_number(bytes, parameter.element, std::get<Number>(arguments[i]), place(signature, parameter));
    }
    bytes.resize(alignment * (i + 1));
  }
  if (signature.result) append(bytes, static_cast<uint64_t>(call.result.offset));
}

void check_arguments(const FunctionSignature& signature, const std::vector<CallArgument>& arguments) {
  require(arguments.size() == signature.parameters.size(), "{} takes {} argument{}, not {}: {}", signature.name,
          signature.parameters.size(), signature.parameters.size() == 1 ? "" : "s", arguments.size(),
          to_text(signature));
  for (size_t i = 0; i < arguments.size(); ++i) {
    const Parameter& parameter = signature.parameters[i];
    const std::string what = place(signature, parameter);
    if (parameter.is_array()) {
      check_array(parameter, arguments[i], what);
    } else {
      require(std::holds_alternative<Number>(arguments[i]), "{}: takes a number", what);
    }
  }
}

}  // namespace

void append_number(Bytes& bytes, Scalar type, const Number& number, const std::string& what) {
  switch (type) {
    case Scalar::boolean: return append_bool(bytes, number, what);
    case Scalar::int8: return append_integer<int8_t>(bytes, number, what);
    case Scalar::uint8: return append_integer<uint8_t>(bytes, number, what);
    case Scalar::int16: return append_integer<int16_t>(bytes, number, what);
    case Scalar::uint16: return append_integer<uint16_t>(bytes, number, what);
    case Scalar::int32: return append_integer<int32_t>(bytes, number, what);
    case Scalar::uint32: return append_integer<uint32_t>(bytes, number, what);
    case Scalar::int64: return append_integer<int64_t>(bytes, number, what);
    case Scalar::uint64: return append_integer<uint64_t>(bytes, number, what);
    case Scalar::float32: return append_float(bytes, number, what);
    case Scalar::float64: return append(bytes, to_double(number));
  }
}

namespace {

template <class T, class As>
Number read_as(const std::byte* from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  return static_cast<As>(value);
}

}  // namespace

Number read_number(Scalar type, const std::byte* from) {
  switch (type) {
    case Scalar::boolean: return static_cast<int64_t>(*from != std::byte{0});
    case Scalar::int8: return read_as<int8_t, int64_t>(from);
    case Scalar::uint8: return read_as<uint8_t, int64_t>(from);
    case Scalar::int16: return read_as<int16_t, int64_t>(from);
    case Scalar::uint16: return read_as<uint16_t, int64_t>(from);
    case Scalar::int32: return read_as<int32_t, int64_t>(from);
    case Scalar::uint32: return read_as<uint32_t, int64_t>(from);
    case Scalar::int64: return read_as<int64_t, int64_t>(from);
    case Scalar::uint64: return read_as<uint64_t, uint64_t>(from);
    case Scalar::float32: return read_as<float, double>(from);
    case Scalar::float64: return read_as<double, double>(from);
  }
  fail("no scalar type has the number {}", static_cast<int>(type));
}

Marshalled marshal(const FunctionSignature& signature, const std::vector<CallArgument>& arguments) {
  check_arguments(signature, arguments);
  Marshalled call;
  call.parameters.resize(arguments.size());
  int64_t end = alignment * static_cast<int64_t>(arguments.size() + (signature.result ? 1 : 0));
  place_arrays(signature, arguments, Passing::in, call.parameters, end);
  call.output_offset = end;
  place_arrays(signature, arguments, Passing::inout, call.parameters, end);
  const int64_t input_bytes = end;
  place_arrays(signature, arguments, Passing::out, call.parameters, end);
  if (signature.result) {
    call.result = {end, byte_size(*signature.result)};
    end += alignment;
  }
  call.frame_bytes = end;
  call.output_bytes = end - call.output_offset;
  call.input.reserve(static_cast<size_t>(input_bytes));
  append_slots(signature, arguments, call, call.input);
  call.input.resize(static_cast<size_t>(input_bytes));
  for (size_t i = 0; i < arguments.size(); ++i) {
    const ArrayValue* const array = std::get_if<ArrayValue>(&arguments[i]);
    if (array == nullptr || array->data.empty()) continue;
    std::memcpy(call.input.data() + call.parameters[i].offset, array->data.data(), array->data.size());
  }
  return call;
}

Returned unmarshal(const FunctionSignature& signature, const Marshalled& call, ByteSpan output) {
  require(static_cast<int64_t>(output.size()) == call.output_bytes, "{}: {} bytes came back instead of {}",
          signature.name, output.size(), call.output_bytes);
  const auto at = [&](const FramePlace& place) { return output.data() + (place.offset - call.output_offset); };
  Returned returned;
  if (signature.result) returned.result = read_number(*signature.result, at(call.result));
  for (size_t i = 0; i < signature.parameters.size(); ++i) {
    const Parameter& parameter = signature.parameters[i];
    const FramePlace& place = call.parameters[i];
    if (parameter.passing != Passing::inout && parameter.passing != Passing::out) continue;
    if (place.offset == 0) continue;
    returned.arrays.push_back({parameter.name, {parameter.element, Bytes(at(place), at(place) + place.bytes)}});
  }
  return returned;
}

}  // namespace mote
