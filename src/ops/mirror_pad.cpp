// SPDX-License-Identifier: Apache-2.0
// Padding with the mirror image: everything the compiler knows about it.
#include "nn/mirror_pad.hpp"

#include "formats/tflite_writer.hpp"
#include "ops/axes.hpp"
#include "ops/move.hpp"
#include "ops/registry.hpp"
#include "ops/sampling.hpp"
#include "ops/storage.hpp"

namespace mote::op {

namespace {

struct Margin {
  int64_t before = 0, after = 0;
};

class MirrorPad final : public Operator {
 public:
  MirrorPad(std::vector<Margin> margins, bool symmetric) : margins_(std::move(margins)), symmetric_(symmetric) {}

  [[nodiscard]] std::string name() const override { return "mirror_pad"; }
  [[nodiscard]] std::string parameters() const override {
    std::string text = symmetric_ ? "symmetric" : "reflect";
    for (const Margin& margin : margins_) text += fmt::format(" {}+{}", margin.before, margin.after);
    return text;
  }

  [[nodiscard]] Types infer(Inputs in, const Types& declared) const override {
    const TensorType& input = one_input(in);
    require(input.shape.size() == margins_.size() && !margins_.empty() && margins_.size() <= 6,
            "pads {} dimensions, its input has {}", margins_.size(), input.shape.size());
    Shape shape = input.shape;
    for (size_t d = 0; d < margins_.size(); ++d) {
      const int64_t most = input.shape[d] - (symmetric_ ? 0 : 1);
      require(margins_[d].before >= 0 && margins_[d].after >= 0 && margins_[d].before <= most &&
                  margins_[d].after <= most,
              "pads dimension {} of {} by {} and {}; its mirror image has {}", d, to_text(input.shape),
              margins_[d].before, margins_[d].after, most);
      shape[d] += margins_[d].before + margins_[d].after;
    }
    return {moved_type(input, declared, std::move(shape))};
  }

  [[nodiscard]] Reals reference(Inputs in, const Types& out, const Reals& x) const override {
    const Shape& from = in[0]->type.shape;
    std::vector<double> result;
    for (int64_t index = 0; index < elements(out[0].shape); ++index) {
      int64_t rest = index, place = 0, stride = 1;
      for (size_t d = from.size(); d-- > 0; rest /= out[0].shape[d], stride *= from[d]) {
        place += source(rest % out[0].shape[d], d, from[d]) * stride;
      }
      result.push_back(x[0][static_cast<size_t>(place)]);
    }
    return {result};
  }

  [[nodiscard]] Region needs(size_t, const Region& region, Inputs in, const Types&) const override {
    Region needed = region;
    for (size_t d = 0; d < margins_.size(); ++d) {
      const int64_t extent = in[0]->type.shape[d];
      Region::Range& range = needed.dims[d];
      range = {extent, 0};
      for (int64_t i = region.dims[d].low; i < region.dims[d].high; ++i) {
        range.low = std::min(range.low, source(i, d, extent));
        range.high = std::max(range.high, source(i, d, extent) + 1);
      }
    }
    return needed;
  }

  [[nodiscard]] Call lower(Inputs in, const Types& out) const override {
    const Shape& from = in[0]->type.shape;
    std::vector<int32_t> table;
    for (size_t d = 0; d < from.size(); ++d) {
      const auto inner = static_cast<std::ptrdiff_t>(d + 1);
      for (const int64_t value :
           {from[d], elements(Shape(from.begin() + inner, from.end())), margins_[d].before, out[0].shape[d]}) {
        table.push_back(narrow<int32_t>(value));
      }
    }
    const nn::MirrorPad params{narrow<int32_t>(from.size()), symmetric_ ? 1 : 0};
    const auto call_of = [&](auto kernel, const char* suffix) {
      return make_call(kernel, std::string("mirror_pad") + suffix, "nn/mirror_pad.hpp", "MirrorPad", params,
                       {input(0), constant(0), output(0)});
    };
    Call call = call_for_storage(out[0].dtype, call_of, nn::mirror_pad_s8, nn::mirror_pad_s16, nn::mirror_pad_s32,
                                 nn::mirror_pad_s64, nn::mirror_pad_f32);
    call.constants = {{"dimensions", DType::i32, to_bytes(table), false}};
    call.order = element_by_element(out[0]);
    return call;
  }

  void to_tflite(tflite::NodeWriter& file, Inputs in, const Types&) const override {
    std::vector<int32_t> paddings;
    for (const Margin& margin : margins_) {
      paddings.push_back(narrow<int32_t>(margin.before));
      paddings.push_back(narrow<int32_t>(margin.after));
    }
    tflite::schema::MirrorPadOptionsT options;
    options.mode = symmetric_ ? tflite::schema::MirrorPadMode::SYMMETRIC : tflite::schema::MirrorPadMode::REFLECT;
    const int margins = file.constant("paddings", {DType::i32, {std::ssize(margins_), 2}, {}}, to_bytes(paddings));
    file.add(tflite::schema::BuiltinOperator::MIRROR_PAD, tflite::usual_version(in[0]->type.dtype),
             {file.input(0), margins}, file.outputs(), options);
  }
  // TensorFlow Lite Micro has it on i8 only.
  [[nodiscard]] std::optional<IntegerForm> integer_form(DType dtype, Inputs, const Types&) const override {
    return dtype == DType::i8 ? std::optional<IntegerForm>(IntegerForm::shared()) : std::nullopt;
  }

 private:
  [[nodiscard]] int64_t source(int64_t index, size_t d, int64_t extent) const {
    int64_t i = index - margins_[d].before;
    if (i < 0) i = symmetric_ ? -i - 1 : -i;
    if (i >= extent) i = symmetric_ ? 2 * extent - 1 - i : 2 * extent - 2 - i;
    return i;
  }

  std::vector<Margin> margins_;
  bool symmetric_;
};

Made from_tflite(const tflite::OpView& view) {
  const auto& options = view.required_options<tflite::schema::MirrorPadOptions>();
  const std::vector<int64_t> values = view.integers(1, "paddings");
  require(values.size() == 2 * file_shape(view).size(), "has {} paddings; there must be two a dimension",
          values.size());
  std::vector<Margin> margins;
  for (size_t i = 0; i < values.size(); i += 2) margins.push_back({values[i], values[i + 1]});
  const bool symmetric = options.mode() == tflite::schema::MirrorPadMode::SYMMETRIC;
  require(symmetric || options.mode() == tflite::schema::MirrorPadMode::REFLECT, "mirrors in mode {}",
          static_cast<int>(options.mode()));
  return {std::make_shared<MirrorPad>(std::move(margins), symmetric), {0}};
}

Sample sample(std::mt19937& random) {
  const TensorType type = random_movable(random, random_shape(random, 1, 5, 4));
  const bool symmetric = chance(random, 50);
  TensorType out = type;
  std::vector<Margin> margins;
  for (int64_t& extent : out.shape) {
    const int64_t most = std::min<int64_t>(2, extent - (symmetric ? 0 : 1));
    margins.push_back({random_integer(random, 0, most), random_integer(random, 0, most)});
    extent += margins.back().before + margins.back().after;
  }
  const double tolerance = type.dtype == DType::f32 ? 0.0 : 1e-9;
  return {std::make_shared<MirrorPad>(std::move(margins), symmetric), {variable(type)}, {out}, tolerance};
}

}  // namespace

extern const OpDef mirror_pad{.name = "mirror_pad", .tflite = {{"MIRROR_PAD", from_tflite}}, .sample = sample};

}  // namespace mote::op
