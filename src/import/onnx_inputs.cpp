// SPDX-License-Identifier: Apache-2.0
#include "import/onnx_inputs.hpp"

#include <fmt/ranges.h>

#include <algorithm>

#include "import/onnx_layout.hpp"

namespace mote::onnx {

namespace {

constexpr int64_t most_elements = int64_t{1} << 26;

std::string stated_text(const ValueInfo& input) {
  if (!input.shape) return "no shape";
  std::string text;
  for (const Extent& extent : *input.shape) {
    if (!text.empty()) text += "x";
    text += extent.value >= 0 ? std::to_string(extent.value) : extent.symbol.empty() ? "?" : extent.symbol;
  }
  return text.empty() ? "scalar" : text;
}

bool contradicts(const ValueInfo& info, const Shape& shape) {
  if (!info.shape) return false;
  if (info.shape->size() != shape.size()) return true;
  for (size_t d = 0; d < shape.size(); ++d) {
    const int64_t stated = (*info.shape)[d].value;
    if (stated >= 0 && stated != shape[d]) return true;
  }
  return false;
}

// "--shape x=1,3,H,W" with the numbers that are known.
std::string example(const ValueInfo& input) {
  std::vector<std::string> parts;
  for (size_t d = 0; d < input.shape->size(); ++d) {
    const Extent& extent = (*input.shape)[d];
    parts.push_back(extent.value >= 0       ? std::to_string(extent.value)
                    : d == 0                ? "1"
                    : extent.symbol.empty() ? "?"
                                            : extent.symbol);
  }
  return fmt::format("--shape {}={}", input.name, fmt::join(parts, ","));
}

Shape open_shape(const ValueInfo& input, const std::map<std::string, int64_t>& symbols,
                 std::vector<std::string>& notes) {
  require(input.shape.has_value(), "input '{}' has no shape; give it with --shape {}=1,3,96,96 (its own numbers)",
          input.name, input.name);
  Shape shape;
  std::vector<std::string> open;
  for (size_t d = 0; d < input.shape->size(); ++d) {
    const Extent& extent = (*input.shape)[d];
    const auto known = symbols.find(extent.symbol);
    shape.push_back(extent.value);
    if (extent.value >= 0) continue;
    if (known != symbols.end() && !extent.symbol.empty()) {
      shape.back() = known->second;
    } else if (d == 0) {
      shape.back() = 1;
      notes.push_back(fmt::format("input '{}': its batch ('{}') is open in the file; it was taken as 1",
                                  input.name, extent.symbol));
    } else {
      open.push_back(extent.symbol.empty() ? fmt::format("dimension {}", d) : fmt::format("'{}'", extent.symbol));
    }
  }
  require(open.empty(), "input '{}' has the shape {}: {} must be a number; give it with {}", input.name,
          stated_text(input), fmt::join(open, " and "), example(input));
  return shape;
}

}  // namespace

std::vector<Shape> resolve_shapes(const std::vector<ValueInfo>& inputs, const std::map<std::string, Shape>& given,
                                  std::vector<std::string>& notes, std::vector<std::string>& problems) {
  std::map<std::string, int64_t> symbols;  // what --shape says about symbols holds for all inputs
  const auto named = [&](const std::string& name) {
    return std::any_of(inputs.begin(), inputs.end(), [&](const ValueInfo& input) { return input.name == name; });
  };
  for (const auto& [name, shape] : given) {
    if (named(name)) continue;
    std::vector<std::string> names;
    for (const ValueInfo& input : inputs) names.push_back("'" + input.name + "'");
    problems.push_back(
        fmt::format("--shape names '{}', which is no input; the inputs are {}", name, fmt::join(names, ", ")));
  }
  for (const ValueInfo& input : inputs) {
    const auto own = given.find(input.name);
    if (own == given.end() || !input.shape || contradicts(input, own->second)) continue;
    for (size_t d = 0; d < own->second.size(); ++d) symbols.emplace((*input.shape)[d].symbol, own->second[d]);
  }
  std::vector<Shape> shapes;
  for (const ValueInfo& input : inputs) {
    shapes.emplace_back();
    try {
      require(input.problem.empty(), "input '{}' {}", input.name, input.problem);
      const auto own = given.find(input.name);
      if (own != given.end()) {
        require(!contradicts(input, own->second), "--shape gives {} for input '{}', but the file states {}",
                to_text(own->second), input.name, stated_text(input));
      }
      const Shape shape = own != given.end() ? own->second : open_shape(input, symbols, notes);
      const int64_t count = elements(shape);
      require(count > 0, "input '{}' has no elements (shape {})", input.name, to_text(shape));
      require(count <= most_elements, "input '{}' has {} elements (shape {}); no microcontroller holds as many",
              input.name, count, to_text(shape));
      shapes.back() = shape;
    } catch (const Error& error) {
      problems.emplace_back(error.what());
    }
  }
  return shapes;
}

std::string layout_note(std::string_view what, std::string_view name, const Shape& shape) {
  return fmt::format("{} '{}' has its channels last, {}; the file has them first, {}", what, name,
                     to_text(permuted(shape, channels_last(shape.size()))), to_text(shape));
}

void check_stated_shape(const ValueInfo& output, const Shape& computed) {
  require(output.problem.empty(), "{}", output.problem);
  require(!contradicts(output, computed),
          "has the shape {}, but the file states {}; if --shape changed the model's "
          "size, export it for that size",
          to_text(computed), stated_text(output));
}

}  // namespace mote::onnx
