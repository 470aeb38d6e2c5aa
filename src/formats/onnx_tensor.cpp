// SPDX-License-Identifier: Apache-2.0
#include "formats/onnx_tensor.hpp"

#include <algorithm>
#include <charconv>
#include <fstream>

namespace mote::onnx {

namespace {

constexpr int max_rank = 8;

// The schema's numbers of data types.
enum class FileType : int32_t {
  float32 = 1,
  uint8 = 2,
  int8 = 3,
  uint16 = 4,
  int16 = 5,
  int32 = 6,
  int64 = 7,
  string = 8,
  boolean = 9,
  float16 = 10,
  float64 = 11,
  uint32 = 12,
  uint64 = 13,
  complex64 = 14,
  complex128 = 15,
  bfloat16 = 16,
  uint4 = 21,
  int4 = 22,
};

std::string type_name(int32_t type) {
  switch (static_cast<FileType>(type)) {
    case FileType::float32: return "float";
    case FileType::uint8: return "uint8";
    case FileType::int8: return "int8";
    case FileType::uint16: return "uint16";
    case FileType::int16: return "int16";
    case FileType::int32: return "int32";
    case FileType::int64: return "int64";
    case FileType::string: return "string";
    case FileType::boolean: return "bool";
    case FileType::float16: return "float16";
    case FileType::float64: return "double";
    case FileType::uint32: return "uint32";
    case FileType::uint64: return "uint64";
    case FileType::complex64: return "complex64";
    case FileType::complex128: return "complex128";
    case FileType::bfloat16: return "bfloat16";
    case FileType::uint4: return "uint4";
    case FileType::int4: return "int4";
  }
  return fmt::format("number {}", type);
}

Shape read_shape(const schema::Tensor& message) {
  require(message.dims_size() <= max_rank, "has rank {}; the limit is {}", message.dims_size(), max_rank);
  Shape shape;
  for (const int64_t extent : message.dims()) {
    require(extent >= 0, "has a negative extent ({}) in its shape", extent);
    shape.push_back(extent);
  }
  (void)elements(shape);  // throws when the product overflows
  return shape;
}

template <class To, class Values>
Bytes converted(const Values& values) {
  std::vector<To> result;
  result.reserve(static_cast<size_t>(values.size()));
  for (const auto value : values) result.push_back(narrow<To>(value));
  return to_bytes(result);
}

// The values where they do not stand as raw bytes: each type has its own field.
Bytes typed_data(const schema::Tensor& message, DType dtype) {
  switch (dtype) {
    case DType::f32: {
      return to_bytes(std::vector<float>(message.float_data().begin(), message.float_data().end()));
    }
    case DType::i64: return converted<int64_t>(message.int64_data());
    case DType::u64: return converted<uint64_t>(message.uint64_data());
    case DType::u32: return converted<uint32_t>(message.uint64_data());
    case DType::u16: return converted<uint16_t>(message.int32_data());
    case DType::i32: return converted<int32_t>(message.int32_data());
    case DType::i16: return converted<int16_t>(message.int32_data());
    case DType::i8: return converted<int8_t>(message.int32_data());
    case DType::u8:
    case DType::boolean: return converted<uint8_t>(message.int32_data());
    case DType::i4:
    case DType::i2: return converted<uint8_t>(message.int32_data());  // packed
  }
  fail("unknown data type {}", static_cast<int>(dtype));
}

int64_t number(const std::string& text, std::string_view what) {
  int64_t value = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  require(error == std::errc() && end == text.data() + text.size() && value >= 0,
          "has '{}' as the {} of its external data, which is no number", text, what);
  return value;
}

struct External {
  std::string location;
  int64_t offset = 0;
  std::optional<int64_t> length;
};

External read_external(const schema::Tensor& message) {
  External external;
  for (const schema::Entry& entry : message.external_data()) {
    if (entry.key() == "location") {
      external.location = entry.value();
    } else if (entry.key() == "offset") {
      external.offset = number(entry.value(), "offset");
    } else if (entry.key() == "length") {
      external.length = number(entry.value(), "length");
    } else {
      require(entry.key() == "checksum", "has external data with an unknown key '{}'", clean_name(entry.key()));
    }
  }
  require(!external.location.empty(), "has external data without a location");
  return external;
}

// The file must lie below the model's folder: a model may not read other files of the machine.
std::filesystem::path confined(const std::string& location, const std::filesystem::path& folder) {
  namespace fs = std::filesystem;
  require(!folder.empty(),
          "keeps its data in '{}'; a model that is not read from a file cannot have external data",
          clean_name(location));
  const fs::path relative(location);
  const fs::path root = fs::weakly_canonical(folder);
  const fs::path path = fs::weakly_canonical(root / relative);
  const auto [root_end, unused] = std::mismatch(root.begin(), root.end(), path.begin(), path.end());
  require(relative.is_relative() && root_end == root.end(),
          "keeps its data in '{}', outside the model's folder; copy the file beside the model",
          clean_name(location));
  return path;
}

Bytes external_data(const schema::Tensor& message, int64_t bytes, const std::filesystem::path& folder) {
  const External external = read_external(message);
  const std::filesystem::path path = confined(external.location, folder);
  require(!external.length || *external.length == bytes, "has {} bytes of external data, its shape needs {}",
          external.length.value_or(0), bytes);
  std::ifstream file(path, std::ios::binary);
  require(std::filesystem::is_regular_file(path) && file.good(),
          "keeps its data in '{}', which cannot be read; put that file beside the model, or save the model in one "
          "file (onnx.save_model with save_as_external_data=False)",
          clean_name(external.location));
  const auto size = static_cast<int64_t>(std::filesystem::file_size(path));
  require(external.offset <= size && bytes <= size - external.offset,
          "needs bytes {} to {} of '{}', which has {}; the file is incomplete", external.offset,
          external.offset + bytes, clean_name(external.location), size);
  Bytes data(static_cast<size_t>(bytes));
  file.seekg(external.offset);
  file.read(reinterpret_cast<char*>(data.data()), bytes);
  require(file.gcount() == bytes, "cannot read its data from '{}'", clean_name(external.location));
  return data;
}

Bytes read_data(const schema::Tensor& message, const TensorType& type, const std::filesystem::path& folder) {
  const int64_t bytes = byte_size(type);
  require(message.data_location() == 0 || message.data_location() == 1,
          "keeps its data in a place (number {}) that Mote does not know", message.data_location());
  if (message.data_location() == 1) return external_data(message, bytes, folder);
  Bytes data;
  if (message.has_raw_data()) {
    const auto* const first = reinterpret_cast<const std::byte*>(message.raw_data().data());
    data.assign(first, first + message.raw_data().size());
  } else {
    data = typed_data(message, type.dtype);
  }
  require(static_cast<int64_t>(data.size()) == bytes, "holds {} bytes of data, but its shape {} needs {}",
          data.size(), to_text(type.shape), bytes);
  return data;
}

}  // namespace

DType to_dtype(int32_t type) {
  switch (static_cast<FileType>(type)) {
    case FileType::float32: return DType::f32;
    case FileType::uint8: return DType::u8;
    case FileType::int8: return DType::i8;
    case FileType::int16: return DType::i16;
    case FileType::int32: return DType::i32;
    case FileType::int64: return DType::i64;
    case FileType::boolean: return DType::boolean;
    case FileType::uint16: return DType::u16;
    case FileType::uint32: return DType::u32;
    case FileType::uint64: return DType::u64;
    case FileType::int4:
    case FileType::string:
    case FileType::float16:
    case FileType::float64:
    case FileType::complex64:
    case FileType::complex128:
    case FileType::bfloat16:
    case FileType::uint4: break;
  }
  fail("has data type {}, which is not supported; export the model in float32, or quantise it to int8",
       type_name(type));
}

std::string clean_name(std::string name) {
  constexpr size_t longest = 80;
  if (name.size() > longest) name = name.substr(0, longest) + "...";
  for (char& c : name) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  }
  return name;
}

void require_known(const std::string& unknown, std::string_view what) {
  if (unknown.empty()) return;
  uint64_t tag = 0;  // a varint: seven bits a byte, the lowest first
  for (size_t i = 0; i < unknown.size() && i < 5; ++i) {
    tag |= uint64_t{static_cast<unsigned char>(unknown[i]) & 0x7FU} << (7 * i);
    if ((static_cast<unsigned char>(unknown[i]) & 0x80U) == 0) break;
  }
  fail("sets field {} of {}, which Mote does not know; export it with an older version of the exporter", tag >> 3,
       what);
}

FileTensor read_tensor(const schema::Tensor& message, std::string_view name, const std::filesystem::path& folder) {
  FileTensor result;
  result.tensor.name = name;
  try {
    require_known(message.unknown_fields(), "a tensor");
    result.tensor.type.shape = read_shape(message);
    result.tensor.type.dtype = to_dtype(message.data_type());
    require(!message.has_segment(), "is stored in segments, which is not supported; save it whole");
    require(message.string_data_size() == 0, "holds strings");
    result.tensor.data = read_data(message, result.tensor.type, folder);
  } catch (const Error& error) {
    result.problem = error.what();
  }
  return result;
}

}  // namespace mote::onnx
