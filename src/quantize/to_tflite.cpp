// SPDX-License-Identifier: Apache-2.0
#include "quantize/to_tflite.hpp"

#include <fmt/ranges.h>

#include "formats/tflite_writer.hpp"

namespace mote {

namespace {

constexpr const char* description = "Written by Mote.";

class Writer {
 public:
  explicit Writer(const Graph& graph) : graph_(graph), numbers_(graph.tensors.size(), -1) {}

  Bytes write() {
    for (const Node& node : graph_.nodes) {
      try {
        tflite::NodeWriter writer(file_, name_of(node), numbers(node.in), numbers(node.out));
        node.op->to_tflite(writer, inputs_of(graph_, node), output_types(graph_, node));
      } catch (const Error& problem) {
        problems_.push_back(fmt::format("{}: {}", node.origin, problem.what()));
      }
    }
    if (problems_.size() == 1) fail("{}", problems_[0]);
    if (!problems_.empty())
      fail("{} operators cannot be written:\n  {}", problems_.size(), fmt::join(problems_, "\n  "));
    return file_.finish(numbers(graph_.inputs), numbers(graph_.outputs), description);
  }

 private:
  [[nodiscard]] std::string name_of(const Node& node) const {
    return node.out.empty() ? node.op->name() : graph_.tensors[node.out[0]].name;
  }

  int number(TensorId id) {
    if (id == no_tensor) return -1;
    const Tensor& tensor = graph_.tensors[id];
    require(!tensor.state, "keeps the state '{}', which cannot be written to a .tflite file", tensor.name);
    if (numbers_[id] < 0) {
      numbers_[id] = tensor.constant() ? file_.constant(tensor.name, tensor.type, tensor.data)
                                       : file_.tensor(tensor.name, tensor.type);
    }
    return numbers_[id];
  }

  std::vector<int> numbers(const std::vector<TensorId>& ids) {
    std::vector<int> result;
    for (const TensorId id : ids) result.push_back(number(id));
    return result;
  }

  const Graph& graph_;
  tflite::FileWriter file_;
  std::vector<int> numbers_;  // by tensor: that of the file, or -1
  std::vector<std::string> problems_;
};

}  // namespace

Bytes to_tflite(const Graph& graph) { return Writer(graph).write(); }

bool written_by_mote(ByteSpan file) {
  const auto* const first = reinterpret_cast<const uint8_t*>(file.data());
  flatbuffers::Verifier verifier(first, file.size());
  if (!tflite::schema::VerifyModelBuffer(verifier)) return false;
  const auto* const text = tflite::schema::GetModel(first)->description();
  return text != nullptr && text->string_view() == description;
}

}  // namespace mote
