// SPDX-License-Identifier: Apache-2.0
// The options of a custom operator, a FlexBuffers map, read by name; none may be left over.
#pragma once

#include <set>
#include <string>

#include "formats/tflite_view.hpp"

namespace mote::tflite {

class CustomOptions {
 public:
  // Throws Error when the bytes are no map. The view must outlive this object.
  explicit CustomOptions(const OpView& view);

  // Throw Error when there is no such option, or it is of another kind or outside [low, high].
  [[nodiscard]] int32_t integer(const std::string& name, int64_t low, int64_t high);
  [[nodiscard]] bool boolean(const std::string& name);
  [[nodiscard]] float real(const std::string& name);

  [[nodiscard]] bool has(const std::string& name) const;

  // Throws Error that names an option nobody asked for.
  void require_all_read() const;

 private:
  ByteSpan bytes_;
  std::set<std::string> read_;
};

}  // namespace mote::tflite
