// SPDX-License-Identifier: Apache-2.0
// The flash data of a plan: equal contents are stored once, and everything gets a symbol.
#pragma once

#include <string>
#include <vector>

#include "codegen/codegen.hpp"

namespace mote {

class ConstantPool {
 public:
  // Weights are called NAME_weights_STEP_WHAT, tables NAME_table_STEP_WHAT; STEP is the first that uses them.
  ConstantPool(const std::string& name, const Plan& plan);

  [[nodiscard]] const std::vector<std::string>& symbols(size_t step) const { return symbols_[step]; }
  [[nodiscard]] std::string text() const;  // the arrays' definitions
  // What each step is the first to need.
  [[nodiscard]] std::vector<FlashData> flash_by_step() const;

 private:
  struct Entry {
    std::string symbol;
    const Constant* constant;
    size_t step;  // the first that uses it
  };
  std::vector<Entry> entries_;
  std::vector<std::vector<std::string>> symbols_;  // of each step's constants; empty: no bytes, a null pointer
};

}  // namespace mote
