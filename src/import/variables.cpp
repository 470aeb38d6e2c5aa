// SPDX-License-Identifier: Apache-2.0
#include "import/variables.hpp"

#include <map>

namespace mote {

namespace {

using Name = std::pair<std::string, std::string>;  // container and name

std::string text_of(const flatbuffers::String* text) { return text == nullptr ? "" : text->str(); }

Name name_of(const tflite::OpView& view) {
  const auto* const options = view.options<tflite::schema::VarHandleOptions>();
  if (options == nullptr) return {};
  return {text_of(options->container()), text_of(options->shared_name())};
}

// The variables that tensors of a subgraph stand for.
using Handles = std::map<size_t, Name>;

Handles handles_of(const tflite::SubGraph& graph) {
  Handles handles;
  for (const tflite::FileOperator& one : graph.operators) {
    if (one.view.name == "VAR_HANDLE" && one.problem.empty() && one.out.size() == 1)
      handles.emplace(one.out[0], name_of(one.view));
  }
  return handles;
}

const Name& variable_of(const tflite::FileOperator& one, const Handles& handles, size_t inputs, size_t outputs) {
  require(one.in.size() == inputs && one.out.size() == outputs,
          "has {} inputs and {} outputs, it takes {} and gives {}", one.in.size(), one.out.size(), inputs,
          outputs);
  const auto handle = handles.find(one.in[0]);
  require(handle != handles.end(), "has an input 0 that no VAR_HANDLE gives, which is not supported");
  return handle->second;
}

// What CALL_ONCE assigns; the tensors live in the subgraph.
std::map<Name, const Tensor*> first_contents(const tflite::Model& model, const tflite::OpView& call) {
  const int64_t index = call.required_options<tflite::schema::CallOnceOptions>().init_subgraph_index();
  require(index > 0 && index <= std::ssize(model.called), "calls subgraph {} of {}", index,
          model.called.size() + 1);
  const tflite::SubGraph& graph = model.called[static_cast<size_t>(index) - 1];
  const Handles handles = handles_of(graph);
  std::map<Name, const Tensor*> contents;
  for (const tflite::FileOperator& one : graph.operators) {
    if (one.view.name == "VAR_HANDLE") continue;
    require(one.view.name == "ASSIGN_VARIABLE",
            "computes the first content of variables with {}; only constants are supported, export them folded",
            one.view.name);
    const Name& name = variable_of(one, handles, 2, 0);
    const Tensor* const value = one.view.inputs[1];
    require(value != nullptr && value->constant(), "gives variable '{}' a first content that is no constant",
            name.second);
    contents[name] = value;
  }
  return contents;
}

class Resolver {
 public:
  explicit Resolver(tflite::Model& model) : model_(model), handles_(handles_of(model)) {}

  void resolve() {
    for (tflite::FileOperator& one : model_.operators) {
      try {
        if (one.problem.empty()) resolve(one);
      } catch (const Error& error) {
        one.problem = error.what();
      }
    }
    // CALL_ONCE may come before the variable's type is known.
    for (const auto& [name, content] : contents_) {
      const auto state = states_.find(name);
      if (state == states_.end()) continue;
      Tensor& tensor = model_.tensors[state->second].tensor;
      if (content->type.dtype == tensor.type.dtype && content->type.shape == tensor.type.shape) {
        tensor.data = content->data;
      } else {
        model_.tensors[state->second].problem =
            fmt::format("is a variable of {} {}, but begins with {} {}", mote::name(tensor.type.dtype),
                        to_text(tensor.type.shape), mote::name(content->type.dtype), to_text(content->type.shape));
      }
    }
  }

 private:
  void resolve(tflite::FileOperator& one) {
    if (one.view.name == "VAR_HANDLE") {
      require(one.out.size() == 1, "has {} outputs, it gives 1", one.out.size());
      model_.tensors[one.out[0]].problem.clear();  // a type that nothing else has
      one.done = true;
    } else if (one.view.name == "CALL_ONCE") {
      contents_.merge(first_contents(model_, one.view));
      one.done = true;
    } else if (one.view.name == "READ_VARIABLE") {
      const Name& name = variable_of(one, handles_, 1, 1);
      use_state(one, name, one.view.outputs[0]->type);
    } else if (one.view.name == "ASSIGN_VARIABLE") {
      const Name& name = variable_of(one, handles_, 2, 0);
      require(one.view.inputs[1] != nullptr, "assigns nothing");
      use_state(one, name, one.view.inputs[1]->type);
      one.gives_nothing = true;
    }
  }

  // The handle of a variable's first use becomes its state.
  void use_state(tflite::FileOperator& one, const Name& name, const TensorType& type) {
    const auto [state, fresh] = states_.try_emplace(name, one.in[0]);
    tflite::FileTensor& file = model_.tensors[state->second];
    if (fresh) file = {{name.second.empty() ? file.tensor.name : name.second, type, {}, true}, ""};
    const TensorType& known = file.tensor.type;
    require(type.dtype == known.dtype && type.shape == known.shape, "has variable '{}' as {} {}, before as {} {}",
            name.second, mote::name(type.dtype), to_text(type.shape), mote::name(known.dtype),
            to_text(known.shape));
    one.in[0] = state->second;
    one.view.inputs[0] = &file.tensor;
  }

  tflite::Model& model_;
  Handles handles_;  // of the first subgraph
  std::map<Name, size_t> states_;
  std::map<Name, const Tensor*> contents_;
};

}  // namespace

void resolve_variables(tflite::Model& model) { Resolver(model).resolve(); }

}  // namespace mote
