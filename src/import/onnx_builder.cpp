// SPDX-License-Identifier: Apache-2.0
#include "import/onnx_builder.hpp"

#include <algorithm>
#include <cstring>

#include "ir/fold.hpp"

namespace mote::onnx {

size_t Ordered::place(size_t dim) const {
  return static_cast<size_t>(std::find(order.begin(), order.end(), dim) - order.begin());
}

TensorId Builder::add_tensor(std::string name, TensorType type, Bytes data) {
  constexpr int64_t most_bytes = int64_t{1} << 28;
  require(byte_size(type) <= most_bytes, "has a tensor of {} bytes ({} {}); no microcontroller holds as much",
          byte_size(type), mote::name(type.dtype), to_text(type.shape));
  graph.tensors.push_back({std::move(name), std::move(type), std::move(data)});
  return graph.tensors.size() - 1;
}

TensorId Builder::constant(const Shape& shape, const std::vector<int32_t>& values) {
  return add_tensor("constant", {DType::i32, shape, {}}, to_bytes(values));
}

TensorId Builder::constant(const Shape& shape, const std::vector<float>& values) {
  return add_tensor("constant", {DType::f32, shape, {}}, to_bytes(values));
}

Value Builder::constant_value(const Shape& shape, const std::vector<int64_t>& values) {
  return {add_tensor("constant", {DType::i64, shape, {}}, to_bytes(values)),
          layout_of(shape, identity(shape.size()))};
}

const TfliteEntry* Builder::find(std::string_view op) const {
  for (const OpDef* const definition : operators_) {
    for (const TfliteEntry& entry : definition->tflite) {
      if (entry.op == op) return &entry;
    }
  }
  return nullptr;
}

std::vector<TensorId> Builder::add(std::string_view op, tflite::OpView view, const std::vector<TensorId>& in,
                                   Types out) {
  const TfliteEntry* const entry = find(op);
  require(entry != nullptr, "needs the operator {}, which is not supported", op);
  std::vector<Tensor> outputs;
  for (const TensorType& type : out) outputs.push_back({"output", type, {}});
  view.name = op;
  for (const TensorId id : in) view.inputs.push_back(id == no_tensor ? nullptr : &graph.tensors[id]);
  for (const Tensor& output : outputs) view.outputs.push_back(&output);
  const Made made = entry->make(view);
  std::vector<TensorId> kept;
  for (const size_t input : made.inputs) kept.push_back(in.at(input));
  return add(made.op, std::move(kept), out);
}

std::vector<TensorId> Builder::add(OperatorPtr op, std::vector<TensorId> in, const Types& out) {
  Node node{std::move(op), std::move(in), {}, origin};
  for (const TensorId id : node.in) {
    require(id == no_tensor || elements(tensor(id).type.shape) > 0, "reads a tensor without elements (shape {})",
            id == no_tensor ? "" : to_text(tensor(id).type.shape));
  }
  const Types types = node.op->infer(inputs_of(graph, node), out);
  for (const TensorType& type : types) {
    require(elements(type.shape) > 0, "gives a tensor without elements (shape {})", to_text(type.shape));
    node.out.push_back(add_tensor(fmt::format("{}_{}", node.op->name(), graph.tensors.size()), type));
  }
  const std::vector<TensorId> result = node.out;
  if (reads_only_constants(graph, node)) {
    spend(node, types);
    std::vector<Bytes> data = evaluate(graph, node);
    for (size_t i = 0; i < result.size(); ++i) graph.tensors[result[i]].data = std::move(data.at(i));
  } else {
    graph.nodes.push_back(std::move(node));
  }
  return result;
}

// A small file may ask for huge constants.
void Builder::spend(const Node& node, const Types& types) {
  constexpr int64_t most_macs = int64_t{1} << 30, most_bytes = int64_t{1} << 28;
  for (const TensorType& type : types) folded_bytes_ += byte_size(type);
  require(folded_bytes_ <= most_bytes && node.op->work(inputs_of(graph, node), types).macs <= most_macs,
          "computes constants of more than {} bytes; store what is computed from constants as a constant",
          most_bytes);
}

void Builder::rename(TensorId id, const std::string& name) {
  if (!tensor(id).constant()) graph.tensors[id].name = name;
}

namespace {

Shape without_ones(const Shape& shape) {
  Shape result;
  std::copy_if(shape.begin(), shape.end(), std::back_inserter(result), [](int64_t extent) { return extent != 1; });
  return result;
}

std::vector<int32_t> to_i32(const Shape& values) {
  std::vector<int32_t> result;
  for (const int64_t value : values) result.push_back(narrow<int32_t>(value));
  return result;
}

Bytes permuted_bytes(const Bytes& data, const Shape& shape, const Permutation& order, size_t element_bytes) {
  std::vector<int64_t> strides(shape.size(), 1);
  for (size_t d = shape.size(); d-- > 1;) strides[d - 1] = strides[d] * shape[d];
  const Shape to = permuted(shape, order);
  Bytes result(data.size());
  std::vector<int64_t> index(to.size(), 0);
  for (size_t at = 0; at < data.size(); at += element_bytes) {
    int64_t from = 0;
    for (size_t d = 0; d < to.size(); ++d) from += index[d] * strides[order[d]];
    std::memcpy(&result[at], &data[static_cast<size_t>(from) * element_bytes], element_bytes);
    for (size_t d = to.size(); d-- > 0;) {
      if (++index[d] < to[d]) break;
      index[d] = 0;
    }
  }
  return result;
}

// Joins dimensions that stay neighbours, in their order, so that few are left to be permuted.
void merge_runs(Shape& shape, Permutation& order) {
  for (size_t i = 0; i + 1 < order.size();) {
    const size_t dim = order[i];
    if (order[i + 1] != dim + 1) {
      ++i;
      continue;
    }
    shape[dim] *= shape[dim + 1];
    shape.erase(shape.begin() + static_cast<std::ptrdiff_t>(dim) + 1);
    order.erase(order.begin() + static_cast<std::ptrdiff_t>(i) + 1);
    for (size_t& other : order) other -= other > dim ? 1 : 0;
  }
}

}  // namespace

TensorId Builder::with_shape(TensorId id, const Shape& shape) {
  const auto root = reshaped_from_.find(id);
  if (root != reshaped_from_.end()) id = root->second;  // a reshape of a reshape is one
  if (tensor(id).type.shape == shape) return id;
  const Tensor source = tensor(id);
  if (source.constant()) {
    TensorType type = source.type;
    require(type.quant.scale.size() <= 1, "reshapes '{}', which is quantised per channel; that is not supported",
            source.name);
    type.shape = shape;
    return add_tensor(source.name, type, source.data);
  }
  const auto [found, fresh] = reshaped_.try_emplace({id, shape}, no_tensor);
  if (!fresh) return found->second;
  const TensorId size = constant({std::ssize(shape)}, to_i32(shape));
  TensorType type = source.type;
  type.shape = shape;
  found->second = add("RESHAPE", {id, size}, {type})[0];
  reshaped_from_[found->second] = id;
  return found->second;
}

TensorId Builder::permuted_constant(TensorId id, const Shape& shape, const Permutation& order,
                                    const Shape& result) {
  const Tensor source = tensor(id);
  TensorType type = source.type;
  type.shape = result;
  const auto element_bytes = static_cast<size_t>(bits(type.dtype) / 8);
  return add_tensor(source.name, type, permuted_bytes(source.data, shape, order, element_bytes));
}

TensorId Builder::with_unit_dimension(TensorId id, size_t at) {
  Tensor copy = tensor(id);
  copy.type.shape.insert(copy.type.shape.begin() + static_cast<std::ptrdiff_t>(at), 1);
  if (copy.type.quant.axis >= static_cast<int>(at)) ++copy.type.quant.axis;
  return add_tensor(copy.name, copy.type, std::move(copy.data));
}

// `id` seen as `from`, its dimensions in another order.
TensorId Builder::moved(TensorId id, const Shape& from, const Permutation& order) {
  Shape shape = from;
  Permutation merged = order;
  merge_runs(shape, merged);
  const auto [found, fresh] = moved_.try_emplace({id, shape, merged}, no_tensor);
  if (!fresh) return found->second;
  const TensorId source = with_shape(id, shape);
  TensorType type = tensor(source).type;
  type.shape = permuted(shape, merged);
  std::vector<int32_t> numbers;
  for (const size_t dim : merged) numbers.push_back(static_cast<int32_t>(dim));
  const TensorId permutation = constant({std::ssize(numbers)}, numbers);
  found->second = add("TRANSPOSE", tflite::schema::TransposeOptionsT{}, {source, permutation}, {type})[0];
  return found->second;
}

TensorId Builder::stored(const Value& value, const Permutation& order) {
  const Shape shape = permuted(value.shape(), order);
  const Tensor& source = tensor(value.id);
  if (source.constant() && source.type.quant.scale.size() > 1) {
    require(value.layout == layout_of(source.type.shape, identity(source.type.shape.size())),
            "reshapes '{}', which is quantised per channel; that is not supported", source.name);
    const TensorId id = permuted_constant(value.id, source.type.shape, order, shape);
    const auto axis = std::find(order.begin(), order.end(), static_cast<size_t>(tensor(id).type.quant.axis));
    graph.tensors[id].type.quant.axis = static_cast<int>(axis - order.begin());
    return id;
  }
  // The wanted sequence of factors, as places in memory.
  std::vector<std::vector<size_t>> numbers;
  size_t count = 0;
  for (const auto& dim : value.layout.dims) {
    numbers.emplace_back();
    for (size_t i = 0; i < dim.size(); ++i) numbers.back().push_back(count++);
  }
  Permutation places;
  for (const size_t dim : order) {
    for (const size_t factor : numbers.at(dim)) {
      const auto place = std::find(value.layout.order.begin(), value.layout.order.end(), factor);
      places.push_back(static_cast<size_t>(place - value.layout.order.begin()));
    }
  }
  if (places == identity(places.size())) return with_shape(value.id, shape);
  const Shape from = stored_factors(value.layout);
  if (source.constant()) return permuted_constant(value.id, from, places, shape);
  return with_shape(moved(value.id, from, places), shape);
}

Ordered Builder::ordered(const Value& value) {
  const Permutation order =
      stored_order(value.layout, tensor(value.id).type.shape).value_or(identity(value.layout.dims.size()));
  return {stored(value, order), order};
}

Value Builder::canonical(const Value& value) {
  Value result = value;
  const Shape wanted = stored_factors(value.layout);
  if (without_ones(tensor(value.id).type.shape) != wanted) result.id = with_shape(value.id, wanted);
  return result;
}

TensorId Builder::like(const Value& value, const Value& leader) {
  const Shape frame = tensor(leader.id).type.shape;  // a copy: tensors are added below
  Shape own = value.shape();
  require(own.size() <= leader.layout.dims.size(), "broadcasts a rank of {} to {}", own.size(),
          leader.layout.dims.size());
  own.insert(own.begin(), leader.layout.dims.size() - own.size(), 1);
  Shape split;  // one extent for each factor of the leader
  for (size_t d = 0; d < own.size(); ++d) {
    const int64_t extent = elements(leader.layout.dims[d]);
    require(own[d] == 1 || own[d] == extent, "cannot broadcast shapes {} and {}", to_text(value.shape()),
            to_text(leader.shape()));
    for (const int64_t factor : leader.layout.dims[d]) split.push_back(own[d] == 1 ? 1 : factor);
  }
  Value source = value;
  const std::optional<Layout> layout = reshaped(value.layout, split);
  if (!layout) source.id = stored(value, identity(value.layout.dims.size()));
  source.layout = layout.value_or(layout_of(split, identity(split.size())));
  const TensorId id = stored(source, leader.layout.order);
  Shape shape;  // in the leader's frame
  size_t next = 0;
  const Shape factors_there = permuted(split, leader.layout.order);
  for (const int64_t extent : frame) shape.push_back(extent == 1 ? 1 : factors_there.at(next++));
  return with_shape(id, shape);
}

namespace {

std::vector<int64_t> integer_values(const Tensor& tensor) {
  std::vector<int64_t> result;
  const auto append = [&](const auto& values) { result.assign(values.begin(), values.end()); };
  if (tensor.type.dtype == DType::i32) {
    append(to_values<int32_t>(tensor.data));
  } else if (tensor.type.dtype == DType::i16) {
    append(to_values<int16_t>(tensor.data));
  } else {
    require(tensor.type.dtype == DType::i8, "dequantises a constant of type {}, which is not supported",
            name(tensor.type.dtype));
    append(to_values<int8_t>(tensor.data));
  }
  return result;
}

std::vector<float> real_values(const Tensor& tensor) {
  const Quantization& quant = tensor.type.quant;
  size_t inner = 1;  // elements below the axis of the channels
  for (size_t d = tensor.type.shape.size(); quant.axis >= 0 && d-- > static_cast<size_t>(quant.axis) + 1;) {
    inner *= static_cast<size_t>(tensor.type.shape[d]);
  }
  std::vector<float> result;
  for (const int64_t code : integer_values(tensor)) {
    const size_t channel = result.size() / inner % quant.scale.size();
    result.push_back(static_cast<float>(code - quant.zero[channel]) * quant.scale[channel]);
  }
  return result;
}

}  // namespace

Value Builder::dequantised(const Value& value) {
  require(value.meaning != Value::Meaning::codes,
          "computes with quantised integers as if they were numbers; put DequantizeLinear before it");
  if (value.meaning == Value::Meaning::plain) return value;
  Value result{value.id, value.layout};
  const auto [found, fresh] = dequantised_.try_emplace(value.id, no_tensor);
  if (fresh) {
    const Tensor& source = tensor(value.id);
    const TensorType type{DType::f32, source.type.shape, {}};
    found->second = source.constant() ? add_tensor(source.name, type, to_bytes(real_values(source)))
                                      : add("DEQUANTIZE", {value.id}, {type})[0];
  }
  result.id = found->second;
  return result;
}

}  // namespace mote::onnx
