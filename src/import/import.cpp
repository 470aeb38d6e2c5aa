// SPDX-License-Identifier: Apache-2.0
#include "import/import.hpp"

#include <charconv>
#include <cstring>

#include "formats/onnx_view.hpp"
#include "import/onnx.hpp"
#include "import/tflite.hpp"

namespace mote {

namespace {

bool is_tflite(ByteSpan bytes) { return bytes.size() >= 8 && std::memcmp(bytes.data() + 4, "TFL3", 4) == 0; }

}  // namespace

Graph import_model(ByteSpan bytes, std::string_view name, const ImportOptions& options) {
  const bool is_onnx = options.path.extension() == ".onnx" ||
                       (options.path.extension() != ".tflite" && onnx::looks_like_onnx(bytes));
  if (!is_tflite(bytes) && is_onnx) return import_onnx(bytes, name, options);
  require(options.shapes.empty(), "is a .tflite model, which states its shapes itself; leave out --shape");
  return import_tflite(bytes, name);
}

std::pair<std::string, Shape> parse_shape(std::string_view text) {
  const size_t equals = text.rfind('=');
  require(equals != std::string_view::npos && equals > 0, "--shape '{}' has no '='; write NAME=1,3,96,96", text);
  Shape shape;
  std::string_view rest = text.substr(equals + 1);
  while (!rest.empty()) {
    const size_t comma = std::min(rest.find(','), rest.size());
    int64_t extent = 0;
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + comma, extent);
    require(error == std::errc() && end == rest.data() + comma && extent > 0,
            "--shape '{}': '{}' is no positive number; write NAME=1,3,96,96", text, rest.substr(0, comma));
    shape.push_back(extent);
    rest.remove_prefix(std::min(comma + 1, rest.size()));
  }
  return {std::string(text.substr(0, equals)), shape};
}

}  // namespace mote
