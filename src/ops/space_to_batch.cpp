// SPDX-License-Identifier: Apache-2.0
// Blocks of pixels spread over the batch, and back: everything the compiler knows about it.
#include "nn/space_to_batch.hpp"

#include "formats/tflite_writer.hpp"
#include "ops/axes.hpp"
#include "ops/move.hpp"
#include "ops/registry.hpp"
#include "ops/sampling.hpp"
#include "ops/storage.hpp"

namespace mote::op {

namespace {

// One spatial dimension. before and after: padding on the way to the batch, crop on the way back.
struct Block {
  int64_t size = 1, before = 0, after = 0;
};

class SpaceToBatch final : public Operator {
 public:
  SpaceToBatch(std::vector<Block> blocks, bool back) : blocks_(std::move(blocks)), back_(back) {}

  [[nodiscard]] std::string name() const override { return back_ ? "batch_to_space" : "space_to_batch"; }
  [[nodiscard]] std::string parameters() const override {
    std::string text;
    for (const Block& block : blocks_) text += fmt::format(" {}:{}+{}", block.size, block.before, block.after);
    return "blocks" + text;
  }

  [[nodiscard]] Types infer(Inputs in, const Types& declared) const override {
    const TensorType& input = one_input(in);
    Shape shape = input.shape;
    require(!blocks_.empty() && blocks_.size() <= 2 && shape.size() > blocks_.size(),
            "has {} spatial dimensions and an input of {}; 1 or 2 behind the batch are supported", blocks_.size(),
            to_text(shape));
    int64_t blocks = 1;
    for (size_t i = 0; i < blocks_.size(); ++i) {
      const Block& block = blocks_[i];
      require(block.size > 0 && block.before >= 0 && block.after >= 0,
              "has a block of {} and margins {} and {}; the block must be positive, margins not negative",
              block.size, block.before, block.after);
      const int64_t padded = shape[i + 1] + block.before + block.after;
      require(back_ || padded % block.size == 0, "pads dimension {} to {}, which blocks of {} do not divide",
              i + 1, padded, block.size);
      shape[i + 1] = back_ ? shape[i + 1] * block.size - block.before - block.after : padded / block.size;
      require(shape[i + 1] > 0, "leaves nothing of dimension {}", i + 1);
      blocks *= block.size;
    }
    require(!back_ || shape[0] % blocks == 0, "spreads a batch of {} over blocks of {}", shape[0], blocks);
    shape[0] = back_ ? shape[0] / blocks : shape[0] * blocks;
    return {moved_type(input, declared, std::move(shape))};
  }

  void to_tflite(tflite::NodeWriter& file, Inputs in, const Types&) const override {
    std::vector<int64_t> sizes;
    std::vector<int32_t> margins;
    for (const Block& block : blocks_) {
      sizes.push_back(block.size);
      margins.push_back(narrow<int32_t>(block.before));
      margins.push_back(narrow<int32_t>(block.after));
    }
    const int size = file.integers("block", sizes);
    const int margin = file.constant("margins", {DType::i32, {std::ssize(blocks_), 2}, {}}, to_bytes(margins));
    const int version = tflite::usual_version(in[0]->type.dtype);
    using tflite::schema::BuiltinOperator;
    if (back_) {
      file.add(BuiltinOperator::BATCH_TO_SPACE_ND, version, {file.input(0), size, margin}, file.outputs(),
               tflite::schema::BatchToSpaceNDOptionsT{});
    } else {
      file.add(BuiltinOperator::SPACE_TO_BATCH_ND, version, {file.input(0), size, margin}, file.outputs(),
               tflite::schema::SpaceToBatchNDOptionsT{});
    }
  }
  // TensorFlow Lite Micro has it on i8 only.
  [[nodiscard]] std::optional<IntegerForm> integer_form(DType dtype, Inputs, const Types&) const override {
    return dtype == DType::i8 ? std::optional<IntegerForm>(IntegerForm::shared()) : std::nullopt;
  }

  [[nodiscard]] Reals reference(Inputs in, const Types& out, const Reals& x) const override {
    const nn::SpaceToBatch p = params(in[0]->type, out[0]);
    std::vector<double> result(static_cast<size_t>(elements(out[0].shape)), 0.0);
    // Every pixel of the space tensor has one place in the batch tensor.
    for (int64_t i = 0; i < int64_t{p.batches} * p.height * p.width * p.channels; ++i) {
      const int64_t channel = i % p.channels, column = i / p.channels % p.width + p.before_x;
      const int64_t row = i / p.channels / p.width % p.height + p.before_y;
      const int64_t batch = i / p.channels / p.width / p.height;
      const int64_t from_batch = (row % p.block_y * p.block_x + column % p.block_x) * p.batches + batch;
      const int64_t place =
          ((from_batch * p.small_height + row / p.block_y) * p.small_width + column / p.block_x) * p.channels +
          channel;
      result[static_cast<size_t>(back_ ? i : place)] = x[0][static_cast<size_t>(back_ ? place : i)];
    }
    return {result};
  }

  [[nodiscard]] Call lower(Inputs in, const Types& out) const override {
    const DType dtype = out[0].dtype;
    switch (bits(dtype)) {
      case 8: return call_of<int8_t>(in, out[0]);
      case 16: return call_of<int16_t>(in, out[0]);
      case 64: return call_of<int64_t>(in, out[0]);
      default: return dtype == DType::f32 ? call_of<float>(in, out[0]) : call_of<int32_t>(in, out[0]);
    }
  }

 private:
  [[nodiscard]] nn::SpaceToBatch params(const TensorType& in, const TensorType& out) const {
    const Shape& space = back_ ? out.shape : in.shape;
    const Shape& batch = back_ ? in.shape : out.shape;
    const bool flat = blocks_.size() == 1;  // then the one spatial dimension is the width
    const Block rows = flat ? Block{} : blocks_[0];
    const Block& columns = blocks_.back();
    const size_t x = flat ? 1 : 2;
    const auto small = [](int64_t value) { return narrow<int32_t>(value); };
    const Shape inner(space.begin() + static_cast<std::ptrdiff_t>(x + 1), space.end());
    return {small(space[0]),
            flat ? 1 : small(space[1]),
            small(space[x]),
            small(elements(inner)),
            small(rows.size),
            small(columns.size),
            small(rows.before),
            small(columns.before),
            flat ? 1 : small(batch[1]),
            small(batch[x]),
            out.quant.zero.size() == 1 ? out.quant.zero[0] : 0};
  }

  template <class T>
  [[nodiscard]] Call call_of(Inputs in, const TensorType& out) const {
    const std::string function = fmt::format("{}<{}>", name(), detail::element_type<T>());
    return make_call(back_ ? nn::batch_to_space<T> : nn::space_to_batch<T>, function, "nn/space_to_batch.hpp",
                     "SpaceToBatch", params(in[0]->type, out), {input(0), output(0)});
  }

  std::vector<Block> blocks_;
  bool back_;
};

template <bool back>
Made from_tflite(const tflite::OpView& view) {
  const std::vector<int64_t> sizes = view.integers(1, "block sizes");
  const std::vector<int64_t> margins = view.integers(2, back ? "crops" : "paddings");
  require(margins.size() == 2 * sizes.size(), "has {} block sizes and {} margins; there must be two for each",
          sizes.size(), margins.size());
  std::vector<Block> blocks;
  for (size_t i = 0; i < sizes.size(); ++i) blocks.push_back({sizes[i], margins[2 * i], margins[2 * i + 1]});
  return {std::make_shared<SpaceToBatch>(std::move(blocks), back), {0}};
}

Sample sample(std::mt19937& random) {
  const bool back = chance(random, 50);
  std::vector<Block> blocks;
  Shape space = random_shape(random, 2, 4, 3), batch = space;
  const size_t spatial = space.size() == 2 ? 1 : static_cast<size_t>(random_integer(random, 1, 2));
  for (size_t d = 1; d <= spatial; ++d) {
    Block block{random_integer(random, 1, 3), random_integer(random, 0, 2), 0};
    batch[d] = random_integer(random, 1 + block.before / block.size, 4);
    block.after = random_integer(random, 0, std::min<int64_t>(2, batch[d] * block.size - block.before - 1));
    space[d] = batch[d] * block.size - block.before - block.after;
    batch[0] *= block.size;
    blocks.push_back(block);
  }
  const TensorType in = random_movable(random, back ? batch : space);
  const double tolerance = in.dtype == DType::f32 ? 0.0 : 1e-9;
  return {std::make_shared<SpaceToBatch>(std::move(blocks), back),
          {variable(in)},
          {reshaped(in, back ? space : batch)},
          tolerance};
}

}  // namespace

extern const OpDef space_to_batch{
    .name = "space_to_batch",
    .tflite = {{"SPACE_TO_BATCH_ND", from_tflite<false>}, {"BATCH_TO_SPACE_ND", from_tflite<true>}},
    .sample = sample};

}  // namespace mote::op
