// SPDX-License-Identifier: Apache-2.0
#include "quantize/samples.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

#include "base/files.hpp"
#include "base/npz.hpp"

namespace mote {

namespace {

using Arrays = std::map<std::string, NpyArray>;

std::string_view descr_of(DType dtype) {
  switch (dtype) {
    case DType::i8: return "i1";
    case DType::u8: return "u1";
    case DType::i16: return "i2";
    case DType::u16: return "u2";
    case DType::i32: return "i4";
    case DType::u32: return "u4";
    case DType::i64: return "i8";
    case DType::u64: return "u8";
    case DType::f32: return "f4";
    case DType::boolean: return "b1";
    case DType::i4:
    case DType::i2: break;
  }
  fail("has an input of type {}, which no array holds", name(dtype));
}

std::string_view numpy_name(std::string_view descr) {
  for (const auto& [code, text] : {std::pair<std::string_view, std::string_view>{"f4", "float32"},
                                   {"f8", "float64"},
                                   {"f2", "float16"},
                                   {"i1", "int8"},
                                   {"u1", "uint8"},
                                   {"i2", "int16"},
                                   {"u2", "uint16"},
                                   {"i4", "int32"},
                                   {"u4", "uint32"},
                                   {"i8", "int64"},
                                   {"u8", "uint64"},
                                   {"b1", "bool"}}) {
    if (descr == code) return text;
  }
  return descr;
}

Shape without_ones(Shape shape) {
  shape.erase(std::remove(shape.begin(), shape.end(), 1), shape.end());
  return shape;
}

// Where element `flat` of a sample lies, as NumPy would index it behind the sample.
std::string index_text(int64_t flat, const Shape& shape) {
  std::string text;
  for (size_t d = shape.size(); d-- > 0; flat /= shape[d]) {
    text = fmt::format("{}{}{}", flat % shape[d], text.empty() ? "" : ", ", text);
  }
  return text;
}

void require_finite(const NpyArray& array, const std::string& what, const Shape& sample) {
  const std::vector<float> values = to_values<float>(array.data);
  const auto bad = std::find_if(values.begin(), values.end(), [](float value) { return !std::isfinite(value); });
  if (bad == values.end()) return;
  const int64_t place = bad - values.begin(), count = elements(sample);
  fail("{}: sample {} holds {} at [{}]; leave such samples out", what, place / count,
       std::isnan(*bad) ? "NaN" : "infinity", index_text(place % count, sample));
}

// What turns samples of this shape into the input's, where their channels are in front: those of PyTorch are.
std::string way_out(const Shape& sample, const Shape& input) {
  Shape turned = without_ones(sample);
  if (turned.size() < 2) return "";
  std::rotate(turned.begin(), turned.begin() + 1, turned.end());
  if (turned != without_ones(input)) return "";
  const auto channels = std::find_if(sample.begin(), sample.end(), [](int64_t extent) { return extent != 1; });
  return fmt::format("; channels come last: numpy.moveaxis(samples, {}, -1)", 1 + (channels - sample.begin()));
}

// The samples of one input.
std::vector<Bytes> cut(const NpyArray& array, const Tensor& input, const std::string& what) {
  const std::string_view wanted = descr_of(input.type.dtype);
  require(array.descr == wanted, "{}: holds {}, input '{}' needs {}; convert it with .astype('{}')", what,
          numpy_name(array.descr), input.name, numpy_name(wanted), numpy_name(wanted));
  const std::string needs = fmt::format("input '{}' needs {} a sample, behind an axis that counts the samples",
                                        input.name, to_text(input.type.shape));
  require(!array.shape.empty(), "{}: has no axes; {}", what, needs);
  const Shape sample(array.shape.begin() + 1, array.shape.end());
  const bool flat = sample.size() == 1 && sample[0] == elements(input.type.shape);
  require(flat || without_ones(sample) == without_ones(input.type.shape), "{}: has shape {}; {}{}", what,
          to_text(array.shape), needs, way_out(sample, input.type.shape));
  require(array.shape[0] > 0, "{}: holds no sample", what);
  const auto bytes = static_cast<size_t>(byte_size(input.type));
  require(array.data.size() == bytes * static_cast<size_t>(array.shape[0]),
          "{}: is cut off: {} bytes for {} samples of {}", what, array.data.size(), array.shape[0], bytes);
  if (input.type.dtype == DType::f32) require_finite(array, what, sample);
  std::vector<Bytes> samples;
  for (auto at = array.data.begin(); at != array.data.end(); at += static_cast<std::ptrdiff_t>(bytes))
    samples.emplace_back(at, at + static_cast<std::ptrdiff_t>(bytes));
  return samples;
}

template <class T>
std::vector<int64_t> widened(ByteSpan bytes) {
  const std::vector<T> values = to_values<T>(bytes);
  return {values.begin(), values.end()};
}

std::vector<int64_t> labels_of(const NpyArray& array, const std::string& what) {
  require(without_ones(array.shape).size() <= 1, "{}: has shape {}; labels are one integer a sample", what,
          to_text(array.shape));
  if (array.descr == "i8") return widened<int64_t>(array.data);
  if (array.descr == "i4") return widened<int32_t>(array.data);
  if (array.descr == "i2") return widened<int16_t>(array.data);
  if (array.descr == "i1") return widened<int8_t>(array.data);
  if (array.descr == "u1") return widened<uint8_t>(array.data);
  if (array.descr == "u2") return widened<uint16_t>(array.data);
  if (array.descr == "u4") return widened<uint32_t>(array.data);
  fail("{}: holds {}; labels are integers", what, numpy_name(array.descr));
}

std::optional<std::string> label_key(const Arrays& arrays, const Graph& model) {
  for (const char* const key : {"labels", "y"}) {
    const bool is_input = std::any_of(model.inputs.begin(), model.inputs.end(),
                                      [&](TensorId id) { return model.tensors[id].name == key; });
    if (!is_input && arrays.count(key) > 0) return key;
  }
  return std::nullopt;
}

std::string keys_text(const Arrays& arrays) {
  std::string text;
  for (const auto& [key, array] : arrays) text += fmt::format("{}'{}'", text.empty() ? "" : ", ", key);
  return text.empty() ? "nothing" : text;
}

// The array of each input, and the place to name in messages.
const NpyArray& array_of(const Arrays& arrays, const Tensor& input, bool only_one, std::string& what) {
  auto found = arrays.find(input.name);
  if (found == arrays.end() && only_one && arrays.size() == 1) found = arrays.begin();
  require(found != arrays.end(), "{}: has no array '{}' for the model's input of that name; it holds {}", what,
          input.name, keys_text(arrays));
  if (!found->first.empty()) what = fmt::format("{}: '{}'", what, found->first);
  return found->second;
}

}  // namespace

Samples read_samples(const std::filesystem::path& path, const Graph& model) {
  const std::string file = path.string();
  const Bytes bytes = read_file(path);
  Arrays arrays;
  if (looks_like_zip(bytes)) {
    arrays = parse_npz(bytes, file);
  } else {
    arrays.emplace("", parse_npy(bytes, file));
  }
  Samples samples;
  if (const std::optional<std::string> key = label_key(arrays, model)) {
    samples.labels = labels_of(arrays.at(*key), fmt::format("{}: '{}'", file, *key));
    arrays.erase(*key);
  }
  for (size_t i = 0; i < model.inputs.size(); ++i) {
    std::string what = file;
    const Tensor& input = model.tensors[model.inputs[i]];
    std::vector<Bytes> cut_up = cut(array_of(arrays, input, model.inputs.size() == 1, what), input, what);
    if (i == 0) samples.inputs.resize(cut_up.size());
    require(cut_up.size() == samples.inputs.size(), "{}: holds {} samples, other inputs have {}", what,
            cut_up.size(), samples.inputs.size());
    for (size_t s = 0; s < cut_up.size(); ++s) samples.inputs[s].push_back(std::move(cut_up[s]));
  }
  require(samples.labels.empty() || samples.labels.size() == samples.inputs.size(),
          "{}: holds {} labels for {} samples", file, samples.labels.size(), samples.inputs.size());
  return samples;
}

void require_labels(const Samples& samples, int64_t classes) {
  require(!samples.labels.empty(), "holds no labels; give them as an array 'labels' (or 'y') of integers");
  for (size_t i = 0; i < samples.labels.size(); ++i) {
    require(samples.labels[i] >= 0 && samples.labels[i] < classes,
            "labels sample {} with {}, but the model's output has {} classes", i, samples.labels[i], classes);
  }
}

}  // namespace mote
