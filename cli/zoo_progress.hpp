// SPDX-License-Identifier: Apache-2.0
// One line on a terminal that says how far a book is; a pipe sees nothing.
#pragma once

#include <chrono>

#include "zoo/build.hpp"

namespace mote::cli {

class ZooProgressLine {
 public:
  ZooProgressLine() = default;
  ~ZooProgressLine();
  ZooProgressLine(const ZooProgressLine&) = delete;
  ZooProgressLine& operator=(const ZooProgressLine&) = delete;
  void show(const ZooProgress& progress);

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

// "37 of 316 rows, 2 with an error, about 12 min 30 s left: resnet_int8 rv32imac speed, ad01 cortex-m4f speed"
[[nodiscard]] std::string progress_text(const ZooProgress& progress, double seconds);

}  // namespace mote::cli
