// SPDX-License-Identifier: Apache-2.0
// The interface of an operator: its meaning and its parameters, immutable; and the entry by which the build finds
// it.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "ir/call.hpp"
#include "ir/core.hpp"
#include "ir/integer_form.hpp"
#include "ir/types.hpp"

namespace mote {

namespace tflite {
class OpView;
class NodeWriter;
}  // namespace tflite

class Operator;
using OperatorPtr = std::shared_ptr<const Operator>;
using Types = std::vector<TensorType>;
using Inputs = std::span<const Tensor* const>;   // nullptr: an optional input that is absent
using Reals = std::vector<std::vector<double>>;  // one flat vector of real values a tensor

// A box of a tensor: [low, high) per dimension.
struct Region {
  static constexpr int max_rank = 6;
  struct Range {
    int64_t low = 0, high = 0;
    bool operator==(const Range&) const = default;
  };
  std::array<Range, max_rank> dims;
  int rank = 0;

  [[nodiscard]] bool empty() const;
};

[[nodiscard]] Region whole(const Shape& shape);
[[nodiscard]] int64_t first_element(const Region& region, const Shape& shape);  // flat index of the lowest corner

struct Work {
  int64_t macs = 0;
};

enum class Alias {
  none,
  view,  // the output is the input's bytes under another type: no code, no memory
};

class Operator {
 public:
  virtual ~Operator() = default;

  [[nodiscard]] virtual std::string name() const = 0;        // "conv2d"
  [[nodiscard]] virtual std::string parameters() const = 0;  // "stride=2x2 pad=1,1", for dumps; may be empty

  // Checks the inputs and gives the types of the outputs. `declared` are the output types that the model file
  // states (dtype and quantisation are taken from there; the shape is computed, and the importer compares it).
  // Throws Error that says what is wrong and a way out (the caller adds the node).
  [[nodiscard]] virtual Types infer(Inputs in, const Types& declared) const = 0;

  // The mathematics in double: real inputs to real outputs (quantised constants come dequantised in `x` too).
  [[nodiscard]] virtual Reals reference(Inputs in, const Types& out, const Reals& x) const = 0;

  // Which box of input `input` the box `region` of output 0 reads. The default is the whole input.
  [[nodiscard]] virtual Region needs(size_t input, const Region& region, Inputs in, const Types& out) const;

  [[nodiscard]] virtual Work work(Inputs in, const Types& out) const;
  [[nodiscard]] virtual Alias alias() const { return Alias::none; }  // of output 0 to input 0

  // The operator that does this and then `next` (its only consumer), or nullptr. `in` are this node's inputs and
  // `next_in` those of `next`, `middle` the type between the two. The result takes this node's inputs followed by
  // those of `next` from 1 on.
  [[nodiscard]] virtual OperatorPtr absorb(const Operator& next, Inputs in, Inputs next_in,
                                           const TensorType& middle) const;

  // The portable kernel that computes it.
  [[nodiscard]] virtual Call lower(Inputs in, const Types& out) const = 0;

  // The kernel for one kind of core: the same bytes as lower()'s, in fewer of that core's instructions.
  [[nodiscard]] virtual Call lower_for(const Core& core, Inputs in, const Types& out) const;

  // Writes it as operators of a .tflite file (formats/tflite_writer.hpp). Throws Error where no such operators
  // compute the same.
  virtual void to_tflite(tflite::NodeWriter& file, Inputs in, const Types& out) const;

  // How an operator on reals quantises its tensors for activations of type `dtype` (i8 or i16). nullopt: it has no
  // integer form that TensorFlow Lite defines, and stays real.
  [[nodiscard]] virtual std::optional<IntegerForm> integer_form(DType dtype, Inputs in, const Types& out) const;
};

// One random valid use of an operator: feeds every generated test. Constants have data; other inputs have none.
struct Sample {
  OperatorPtr op;
  std::vector<std::optional<Tensor>> in;
  Types out;
  double tolerance = 1.0;  // how far the kernel may be from reference(), in output quantisation steps
                           // (integers) or relative to the output's range (float)
};

// An operator made from a file's view, and which of the file's inputs the node keeps, in order. Inputs that the
// operator turned into parameters (axes, paddings, a shape) are left out. `states` become further inputs of the
// node: what the operator remembers from run to run without the file having a tensor for it, with its first
// content.
struct Made {
  OperatorPtr op;
  std::vector<size_t> inputs;
  std::vector<Tensor> states = {};
  // Operators of outputs 1, 2, ...: then `op` gives output 0 only, and there is one node an output, all of which
  // read `inputs`.
  std::vector<OperatorPtr> others = {};
};

// An operator of a file format: the name there, and the function that makes the operator from a checked view.
struct TfliteEntry {
  std::string_view op;
  Made (*make)(const tflite::OpView&);
};

// The one object that a file in src/ops defines; the build collects them into a sorted table (ops/registry.hpp).
struct OpDef {
  std::string_view name;
  std::vector<TfliteEntry> tflite;
  Sample (*sample)(std::mt19937&) = nullptr;
};

}  // namespace mote
