// SPDX-License-Identifier: Apache-2.0
// Every convolution and dense layer of real models on the intermediate tensors that the reference computed: the chosen
// kernel and the plain kernel. A wrong layer is named, which outputs of whole models cannot do.
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "base/files.hpp"
#include "import/tflite.hpp"
#include "ops/convolution.hpp"
#include "support/guarded_call.hpp"
#include "support/shared.hpp"

namespace mote::test {
namespace {

// The tensors of case 0 by name; the model's own inputs are not among the recorded intermediates.
std::map<std::string, Bytes> recorded(const std::filesystem::path& folder, const Graph& graph) {
  std::map<std::string, Bytes> tensors;
  std::ifstream stream(folder / "tensors" / "index.json");
  for (const auto& entry : nlohmann::json::parse(stream)) {
    const auto file = fmt::format("t{}.bin", entry.at("index").get<int>());
    tensors[entry.at("name").get<std::string>()] = read_file(folder / "tensors" / file);
  }
  for (size_t i = 0; i < graph.inputs.size(); ++i) {
    tensors[graph.tensors[graph.inputs[i]].name] = read_file(folder / fmt::format("case0_in{}.bin", i));
  }
  return tensors;
}

void expect_equal(const TensorType& type, const Bytes& actual, const Bytes& expected, const std::string& what) {
  if (type.dtype == DType::f32) {
    EXPECT_LE(difference(type, actual, to_reals(type, expected)), 1e-4) << what;
  } else {
    EXPECT_EQ(actual, expected) << what;
  }
}

class GoldenLayers : public testing::TestWithParam<std::string> {};

TEST_P(GoldenLayers, KernelsGiveTheRecordedBytes) {
  MOTE_NEEDS_SHARED();
  const Graph graph = import_tflite_file(shared_directory() / "models" / (GetParam() + ".tflite"));
  const std::map<std::string, Bytes> tensors = recorded(shared_directory() / "golden" / GetParam(), graph);
  std::mt19937 random(3);
  int layers = 0;
  for (const Node& node : graph.nodes) {
    const auto* const op = dynamic_cast<const WeightedSum*>(node.op.get());
    if (op == nullptr) continue;
    const std::vector<const Tensor*> in = inputs_of(graph, node);
    const Types out = output_types(graph, node);
    const auto source = tensors.find(in[0]->name);
    const auto target = tensors.find(graph.tensors[node.out[0]].name);
    if (source == tensors.end() || target == tensors.end()) continue;
    std::vector<Bytes> data{source->second};
    for (size_t i = 1; i < in.size(); ++i) data.push_back(in[i] == nullptr ? Bytes{} : in[i]->data);
    const Call chosen = op->lower(in, out);
    const Call plain = convolution::lower_plain(op->problem(in, out));
    for (const Call* call : {&chosen, &plain}) {
      const Bytes actual = run_guarded(*call, data, out, random)[0];
      expect_equal(out[0], actual, target->second, node.origin + " by " + call->kernel);
    }
    ++layers;
  }
  EXPECT_GT(layers, 0);
}

INSTANTIATE_TEST_SUITE_P(Models, GoldenLayers,
                         testing::Values("person_detect", "kws_int8", "vww_96_int8", "resnet_int8", "st_mnist",
                                         "ad01_int8", "emlearn_mnist_int8", "micro_speech", "stb_har_ign_wl24_wisdm"),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace mote::test
