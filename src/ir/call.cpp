// SPDX-License-Identifier: Apache-2.0
#include "ir/call.hpp"

#include <cmath>

namespace mote {

namespace detail {

std::string float_literal(float value) {
  if (std::isnan(value)) return "__builtin_nanf(\"\")";
  if (std::isinf(value)) return value > 0 ? "__builtin_inff()" : "-__builtin_inff()";
  return fmt::format("{:a}f", value);
}

}  // namespace detail

Argument input(size_t index) { return {Argument::Kind::input, index, {}}; }
Argument output(size_t index) { return {Argument::Kind::output, index, {}}; }
Argument constant(size_t index) { return {Argument::Kind::constant, index, {}}; }
Argument scratch() { return {Argument::Kind::scratch, 0, {}}; }
Argument state(size_t index) { return {Argument::Kind::state, index, {}}; }

}  // namespace mote
