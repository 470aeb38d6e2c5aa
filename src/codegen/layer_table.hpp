// SPDX-License-Identifier: Apache-2.0
// In size mode steps that share kernels are records of a table, which one loop runs (nn/layers.hpp), whole or in
// strips.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "codegen/codegen.hpp"
#include "codegen/constants.hpp"

namespace mote {

constexpr const char* layer_table_header = "nn/layers.hpp";

class LayerTable {
 public:
  // Which steps it holds follows from the plan alone; none where functions take fewer bytes.
  LayerTable(const Graph& graph, const Plan& plan, Mode mode);

  [[nodiscard]] bool holds(size_t step) const { return place_[step].has_value(); }

  [[nodiscard]] bool used() const { return !steps_.empty(); }

  // The tables, the kernels' instances and the loop.
  [[nodiscard]] std::string text(const ConstantPool& constants) const;

  // The loop's call for step `first`, which it holds, and those that follow it in one piece or in the same
  // segment; `next` becomes the step behind them.
  [[nodiscard]] std::string call(size_t first, size_t& next) const;

 private:
  void choose();
  [[nodiscard]] bool add_rows();
  [[nodiscard]] std::optional<std::string> rows_text(const Segment& segment, size_t index,
                                                     const std::string& readers, const std::string& inputs,
                                                     size_t fields) const;
  [[nodiscard]] std::optional<std::string> inputs_of(const Segment& segment, size_t index) const;
  [[nodiscard]] std::optional<std::string> readers_of(const Segment& segment, size_t index) const;
  [[nodiscard]] std::optional<size_t> fields_of(const Step& step, const StripStep& rows);
  [[nodiscard]] size_t kind_of(size_t step) const;
  [[nodiscard]] std::string parameters_text() const;
  [[nodiscard]] std::string layers_text(const ConstantPool& constants) const;
  [[nodiscard]] std::string kernels_text() const;
  [[nodiscard]] std::string loop_text() const;
  [[nodiscard]] size_t most_pointers() const;

  const Graph& graph_;
  const Plan& plan_;
  std::vector<std::optional<size_t>> place_;  // of each step in the table
  std::vector<size_t> steps_;                 // of each layer
  std::vector<std::string> kernels_;          // one a kind
  std::vector<size_t> example_;               // a step of each kind
  std::vector<std::string> rows_;             // LayerRows of all layers in strips, in their order
  std::vector<std::string> field_texts_;
  size_t most_inputs_ = 1, most_readers_ = 1;  // of a layer in strips
};

}  // namespace mote
