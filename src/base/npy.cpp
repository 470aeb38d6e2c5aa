// SPDX-License-Identifier: Apache-2.0
#include "base/npy.hpp"

#include <charconv>
#include <regex>
#include <string_view>

namespace mote {

namespace {

constexpr size_t prefix_bytes = 8;        // magic "\x93NUMPY", major, minor
constexpr size_t longest_header = 10000;  // NumPy's own limit; a regular expression takes stack for each character

std::vector<int64_t> parse_shape(const std::string& text, const std::string& what) {
  std::vector<int64_t> shape;
  const char* at = text.data();
  const char* const end = at + text.size();
  while (at != end) {
    if (*at == ' ' || *at == ',') {
      ++at;
      continue;
    }
    int64_t extent = 0;
    const auto [next, error] = std::from_chars(at, end, extent);
    require(error == std::errc{} && extent >= 0, "{}: the .npy header has an unreadable shape ({})", what, text);
    shape.push_back(extent);
    at = next;
  }
  return shape;
}

}  // namespace

NpyArray parse_npy(ByteSpan bytes, const std::string& what) {
  const auto* const text = reinterpret_cast<const char*>(bytes.data());
  require(bytes.size() > prefix_bytes + 4 && std::string_view(text, 6) == "\x93NUMPY", "{}: is not a .npy file",
          what);
  const int major = std::to_integer<int>(bytes[6]);
  require(major == 1 || major == 2, "{}: .npy format {} is not supported; save it with format 1 or 2", what,
          major);
  const size_t length_bytes = major == 1 ? 2 : 4;
  size_t length = 0;
  std::memcpy(&length, text + prefix_bytes, length_bytes);
  const size_t begin = prefix_bytes + length_bytes;
  require(length <= bytes.size() - begin, "{}: the .npy header is cut off", what);
  require(length <= longest_header, "{}: the .npy header has {} bytes; at most {} are read", what, length,
          longest_header);
  const std::string header(text + begin, length);

  std::smatch descr, order, shape;
  require(std::regex_search(header, descr, std::regex("'descr': *'([<>|=]?)([a-z][0-9]+)'")) &&
              std::regex_search(header, order, std::regex("'fortran_order': *(True|False)")) &&
              std::regex_search(header, shape, std::regex("'shape': *\\(([0-9, ]*)\\)")),
          "{}: the .npy header is not understood: {}", what, header);
  require(descr[1] != ">", "{}: is big-endian; save it as little-endian", what);
  require(order[1] == "False", "{}: is in Fortran order; save np.ascontiguousarray(x)", what);

  NpyArray array;
  array.descr = descr[2];
  array.shape = parse_shape(shape[1], what);
  array.data.assign(bytes.begin() + static_cast<std::ptrdiff_t>(begin + length), bytes.end());
  return array;
}

}  // namespace mote
