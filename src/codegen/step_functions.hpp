// SPDX-License-Identifier: Apache-2.0
// The functions of generated code that run a model's steps: own copies of kernels, copies and instances that
// several steps share, and steps that run in strips.
#pragma once

#include <string>
#include <vector>

#include "codegen/codegen.hpp"
#include "codegen/constants.hpp"
#include "codegen/layer_table.hpp"

namespace mote {

// The arenas that a step reads or writes; the first where there is no other.
[[nodiscard]] std::vector<size_t> arenas_used(const Plan& plan, const Step& step);

// "uint8_t* arena, uint8_t* arena2", or what is passed for them: "arena, arena2".
[[nodiscard]] std::string arena_list(const std::vector<size_t>& arenas, std::string_view type);

// "/*in_height*/ 48, /*in_width*/ 48", wrapped.
[[nodiscard]] std::string parameter_values(const Call& call);

// The buffer that an argument points to; no_buffer: there is none. Constants lie in no buffer.
[[nodiscard]] size_t buffer_of(const Step& step, const Argument& argument);

// "const int8_t*"
[[nodiscard]] std::string pointer_type(const Argument& argument);

class StepFunctions {
 public:
  StepFunctions(const Graph& graph, const Plan& plan, Mode mode);

  [[nodiscard]] const ConstantPool& constants() const { return constants_; }

  [[nodiscard]] const LayerTable& table() const { return table_; }

  // The functions that serve several steps, and the table.
  [[nodiscard]] std::string shared() const;
  // What a step has in common with others, or empty.
  [[nodiscard]] std::string shared_function(size_t index) const;
  // The function of a step, step_symbol(graph, index); none where the table holds the step.
  [[nodiscard]] std::string of_step(size_t index) const;

 private:
  [[nodiscard]] bool calls_shared(size_t index) const;
  [[nodiscard]] bool calls_copy(size_t index) const;
  [[nodiscard]] std::string_view cold(size_t index) const;
  [[nodiscard]] std::string arena_pointer(size_t index, const Argument& argument) const;
  [[nodiscard]] std::string arguments(size_t index) const;
  [[nodiscard]] std::string strip_function(size_t index) const;
  [[nodiscard]] std::string copy_symbol(size_t index) const;
  [[nodiscard]] std::string shared_copy(size_t index) const;
  [[nodiscard]] std::string shared_kernel(size_t index) const;
  [[nodiscard]] std::string shared_layers(size_t index) const;
  [[nodiscard]] std::string shared_call(size_t index) const;

  const Graph& graph_;
  const Plan& plan_;
  std::vector<bool> own_, cold_;
  std::set<std::string> shared_;      // kernels with one instance for several steps
  std::set<std::string> by_pointer_;  // of these, those that cannot be told their arguments by one structure
  std::vector<size_t> instances_;     // own copies with equal parameters are one function, that of the first
  std::vector<int> users_;            // of the copy of a step that is the first of its instance
  ConstantPool constants_;
  LayerTable table_;
};

}  // namespace mote
