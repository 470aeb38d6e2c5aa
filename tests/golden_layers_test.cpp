// SPDX-License-Identifier: Apache-2.0
// Every layer of the real models by itself: the reference's input tensors must give the reference's output
// tensors.
#include <gtest/gtest.h>

#include <iostream>
#include <map>
#include <nlohmann/json.hpp>

#include "base/files.hpp"
#include "formats/tflite_view.hpp"
#include "ops/registry.hpp"
#include "support/guarded_call.hpp"
#include "support/shared.hpp"

namespace mote::test {

namespace {

namespace fs = std::filesystem;

// The models whose folder of golden vectors holds every intermediate tensor.
std::vector<std::string> models_with_tensors() {
  std::vector<std::string> names;
  if (!fs::exists(shared_directory() / "golden")) return names;
  for (const auto& entry : fs::directory_iterator(shared_directory() / "golden")) {
    if (fs::exists(entry.path() / "tensors" / "index.json")) names.push_back(entry.path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

// The intermediate tensors of a model's first case, by their index in the file.
std::map<size_t, Bytes> golden_tensors(const std::string& model) {
  const fs::path folder = shared_directory() / "golden" / model / "tensors";
  std::map<size_t, Bytes> tensors;
  for (const auto& row : nlohmann::json::parse(read_text(folder / "index.json"))) {
    const auto index = row.at("index").get<size_t>();
    tensors[index] = read_file(folder / fmt::format("t{}.bin", index));
  }
  return tensors;
}

const TfliteEntry* find(std::string_view operator_name) {
  for (const OpDef* const definition : op::all()) {
    for (const TfliteEntry& entry : definition->tflite) {
      if (entry.op == operator_name) return &entry;
    }
  }
  return nullptr;
}

// The layer's inputs: constants from the file, states as before the first run, the others from the golden tensors.
// Empty when one is not there.
std::optional<std::vector<Bytes>> input_data(const std::vector<const Tensor*>& inputs,
                                             const std::vector<size_t>& ids,
                                             const std::map<size_t, Bytes>& golden) {
  std::vector<Bytes> data;
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (inputs[i] == nullptr) {
      data.emplace_back();
    } else if (inputs[i]->state) {
      data.push_back(inputs[i]->data.empty() ? initial_state(inputs[i]->type) : inputs[i]->data);
    } else if (inputs[i]->constant()) {
      data.push_back(inputs[i]->data);
    } else if (const auto found = golden.find(ids[i]); found != golden.end()) {
      data.push_back(found->second);
    } else {
      return std::nullopt;
    }
  }
  return data;
}

struct Layer {
  OperatorPtr op;
  std::vector<Tensor> states;  // that the file has no tensors for
  std::vector<const Tensor*> inputs;
  std::vector<size_t> ids;
  Types out;
};

// nullopt, with the reason printed, for a use of the operator that the compiler refuses.
std::optional<Layer> make_layer(const TfliteEntry& entry, const tflite::FileOperator& source) {
  try {
    Made made = entry.make(source.view);
    Layer layer{made.op, std::move(made.states), {}, {}, {}};
    for (const size_t input : made.inputs) {
      layer.inputs.push_back(source.view.inputs.at(input));
      layer.ids.push_back(source.in.at(input));
    }
    for (Tensor& state : layer.states) {
      state.state = true;
      layer.inputs.push_back(&state);
      layer.ids.push_back(tflite::absent);
    }
    for (const Tensor* const output : source.view.outputs) layer.out.push_back(output->type);
    EXPECT_EQ(made.op->infer(layer.inputs, layer.out), layer.out);
    return layer;
  } catch (const Error& error) {
    std::cout << source.view.name << ": " << error.what() << "\n";
    return std::nullopt;
  }
}

void expect_equal(const TensorType& type, const Bytes& got, const Bytes& expected) {
  ASSERT_EQ(got.size(), expected.size());
  if (type.dtype == DType::f32) {
    EXPECT_LE(difference(type, got, to_reals(type, expected)), 1e-4);
  } else {
    EXPECT_EQ(got, expected);
  }
}

class GoldenLayers : public testing::TestWithParam<std::string> {};
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(GoldenLayers);

}  // namespace

TEST_P(GoldenLayers, EveryKernelGivesTheReferencesBytes) {
  const tflite::Model model = tflite::parse(read_file(shared_directory() / "models" / (GetParam() + ".tflite")));
  const std::map<size_t, Bytes> golden = golden_tensors(GetParam());
  std::mt19937 random(1);
  std::map<std::string, int> compared, left_out;
  for (size_t i = 0; i < model.operators.size(); ++i) {
    const tflite::FileOperator& layer = model.operators[i];
    SCOPED_TRACE(fmt::format("{} #{} ({})", layer.view.name, i, layer.view.outputs.at(0)->name));
    const TfliteEntry* const entry = find(layer.view.name);
    if (entry == nullptr || !golden.contains(layer.out.at(0))) {
      ++left_out[layer.view.name];
      continue;
    }
    const std::optional<Layer> node = make_layer(*entry, layer);
    const auto data = node ? input_data(node->inputs, node->ids, golden) : std::nullopt;
    if (!data) {
      ++left_out[layer.view.name];
      continue;
    }
    const Call call = node->op->lower(node->inputs, node->out);
    const std::vector<Bytes> outputs =
        call.empty() ? std::vector<Bytes>{data->at(0)} : run_guarded(call, *data, node->out, random);
    for (size_t o = 0; o < outputs.size(); ++o) expect_equal(node->out[o], outputs[o], golden.at(layer.out[o]));
    ++compared[layer.view.name];
  }
  for (const auto& [name, count] : compared) std::cout << name << ": " << count << " compared\n";
  for (const auto& [name, count] : left_out) std::cout << name << ": " << count << " left out\n";
  EXPECT_FALSE(compared.empty());
}

INSTANTIATE_TEST_SUITE_P(Models, GoldenLayers, testing::ValuesIn(models_with_tensors()),
                         [](const auto& info) { return info.param; });

}  // namespace mote::test
