// SPDX-License-Identifier: Apache-2.0
// Nearest-neighbour resizing: everything the compiler knows about it.
#include "nn/resize_nearest.hpp"

#include "formats/tflite_view.hpp"
#include "formats/tflite_writer.hpp"
#include "ir/rows.hpp"
#include "ops/move.hpp"
#include "ops/registry.hpp"
#include "ops/sampling.hpp"
#include "ops/storage.hpp"

namespace mote::op {

namespace {

// Rows of an image's resizing: the first of the output and of the input, and how many there are in all.
struct Part {
  int64_t first_out = 0, first_in = 0, out = 0, in = 0;
};

struct Parameters {
  int64_t height = 0, width = 0;
  bool align_corners = false, half_pixel_centers = false;
  std::optional<Part> part = {};
};

// Which input index the reference takes for an output index; it computes in single precision.
int64_t source_index(int64_t index, int64_t in, int64_t out, const Parameters& parameters) {
  const bool align = parameters.align_corners && out > 1;
  const float scale = align ? static_cast<float>(in - 1) / static_cast<float>(out - 1)
                            : static_cast<float>(in) / static_cast<float>(out);
  const float position = (static_cast<float>(index) + (parameters.half_pixel_centers ? 0.5F : 0.0F)) * scale;
  const auto nearest =
      static_cast<int64_t>(parameters.align_corners ? std::round(position) : std::floor(position));
  return std::clamp<int64_t>(nearest, 0, in - 1);
}

int64_t source_row(int64_t row, int64_t in, int64_t out, const Parameters& parameters) {
  const std::optional<Part>& part = parameters.part;
  if (!part) return source_index(row, in, out, parameters);
  return source_index(row + part->first_out, part->in, part->out, parameters) - part->first_in;
}

// The same index as a fraction of integers: floor((index * step + start) / divisor).
struct Fraction {
  int64_t step = 1, start = 0, divisor = 1;
};

// nullopt: the reference's single precision misses the exact place somewhere.
std::optional<Fraction> source_fraction(int64_t in, int64_t out, const Parameters& parameters) {
  const bool align = parameters.align_corners && out > 1;
  const int64_t from = align ? in - 1 : in;
  const int64_t to = align ? out - 1 : out;
  // Twice everything, so that halves (of a pixel, and for rounding) are whole.
  const Fraction fraction{
      2 * from, (parameters.half_pixel_centers ? from : 0) + (parameters.align_corners ? to : 0), 2 * to};
  for (int64_t i = 0; i < out; ++i) {
    const int64_t exact = std::min((i * fraction.step + fraction.start) / fraction.divisor, in - 1);
    if (exact != source_index(i, in, out, parameters)) return std::nullopt;
  }
  return fraction;
}

Constant index_table(std::string name, int64_t in, int64_t out, const Parameters& parameters) {
  std::vector<int16_t> indices;
  for (int64_t i = 0; i < out; ++i) indices.push_back(narrow<int16_t>(source_index(i, in, out, parameters)));
  return {std::move(name), DType::i16, to_bytes(indices), false};
}

class ResizeNearest final : public Operator, public WorksInRows {
 public:
  explicit ResizeNearest(Parameters parameters) : parameters_(parameters) {}

  [[nodiscard]] std::string name() const override { return "resize_nearest"; }
  [[nodiscard]] std::string parameters() const override {
    const std::optional<Part>& part = parameters_.part;
    return fmt::format(
        "size={}x{}{}{}{}", parameters_.height, parameters_.width,
        parameters_.align_corners ? " align_corners" : "",
        parameters_.half_pixel_centers ? " half_pixel_centers" : "",
        part ? fmt::format(" rows={}/{} of={}/{}", part->first_out, part->out, part->first_in, part->in) : "");
  }

  [[nodiscard]] Types infer(Inputs in, const Types& declared) const override {
    const TensorType& input = one_input(in);
    require(input.shape.size() == 4 && elements(input.shape) > 0, "needs an input of rank 4 (NHWC), it has {}",
            to_text(input.shape));
    require(input.shape[1] < 32768 && input.shape[2] < 32768,
            "resizes an input of {}; images up to 32767 are supported", to_text(input.shape));
    return {moved_type(input, declared, {input.shape[0], parameters_.height, parameters_.width, input.shape[3]})};
  }

  [[nodiscard]] Reals reference(Inputs in, const Types& out, const Reals& x) const override {
    const Shape& from = in[0]->type.shape;
    const Shape& to = out[0].shape;
    std::vector<double> result;
    for (int64_t index = 0; index < elements(to); ++index) {
      const int64_t column = source_index(index / to[3] % to[2], from[2], to[2], parameters_);
      const int64_t row = source_row(index / to[3] / to[2] % to[1], from[1], to[1], parameters_);
      const int64_t batch = index / to[3] / to[2] / to[1];
      result.push_back(
          x[0][static_cast<size_t>(((batch * from[1] + row) * from[2] + column) * from[3] + index % to[3])]);
    }
    return {result};
  }

  [[nodiscard]] Region needs(size_t, const Region& region, Inputs in, const Types& out) const override {
    Region needed = region;
    for (size_t d = 1; d <= 2; ++d) {
      const int64_t from = in[0]->type.shape[d];
      const int64_t to = out[0].shape[d];
      const auto source = d == 1 ? source_row : source_index;
      needed.dims[d].low = source(region.dims[d].low, from, to, parameters_);
      needed.dims[d].high = source(region.dims[d].high - 1, from, to, parameters_) + 1;
    }
    return needed;
  }

  [[nodiscard]] OperatorPtr rows(const RowStrip& strip, Inputs in, const Types& out) const override {
    if (parameters_.part) return nullptr;
    Parameters parameters = parameters_;
    parameters.height = strip.out.high - strip.out.low;
    parameters.part = Part{strip.out.low, strip.in[0].low, out[0].shape[1], in[0]->type.shape[1]};
    return std::make_shared<ResizeNearest>(parameters);
  }

  void to_tflite(tflite::NodeWriter& file, Inputs in, const Types&) const override {
    require(!parameters_.part, "is a strip of rows, which no file states");
    tflite::schema::ResizeNearestNeighborOptionsT options;
    options.align_corners = parameters_.align_corners;
    options.half_pixel_centers = parameters_.half_pixel_centers;
    file.add(tflite::schema::BuiltinOperator::RESIZE_NEAREST_NEIGHBOR, tflite::usual_version(in[0]->type.dtype),
             {file.input(0), file.integers("size", {parameters_.height, parameters_.width})}, file.outputs(),
             options);
  }
  [[nodiscard]] std::optional<IntegerForm> integer_form(DType, Inputs, const Types&) const override {
    return IntegerForm::shared();
  }

  [[nodiscard]] Call lower(Inputs in, const Types& out) const override {
    const DType dtype = in[0]->type.dtype;
    const auto y = source_fraction(whole_rows(in, out).in, whole_rows(in, out).out, parameters_);
    const auto x = source_fraction(in[0]->type.shape[2], out[0].shape[2], parameters_);
    Call call = y && x ? fraction_call(in, out, *y, *x, dtype) : table_call(in, out, dtype);
    call.order = element_by_element(out[0]);
    return call;
  }

 private:
  static constexpr const char* header = "nn/resize_nearest.hpp";

  // Parameters and tables are those of the whole image, so that strips differ in their first row and height only.
  [[nodiscard]] Part whole_rows(Inputs in, const Types& out) const {
    return parameters_.part ? *parameters_.part : Part{-1, 0, out[0].shape[1], in[0]->type.shape[1]};
  }

  [[nodiscard]] Call fraction_call(Inputs in, const Types& out, const Fraction& y, const Fraction& x,
                                   DType dtype) const {
    const auto small = [](int64_t value) { return narrow<int32_t>(value); };
    const Shape& from = in[0]->type.shape;
    const Shape& to = out[0].shape;
    const Part rows = whole_rows(in, out);
    const nn::ResizeNearest params{small(from[0]),  small(rows.in),   small(from[2]),        small(from[3]),
                                   small(to[1]),    small(to[2]),     small(rows.first_out), small(y.step),
                                   small(y.start),  small(y.divisor), small(x.step),         small(x.start),
                                   small(x.divisor)};
    const auto call_of = [&](auto kernel, const char* suffix) {
      return make_call(kernel, std::string("resize_nearest") + suffix, header, "ResizeNearest", params,
                       {input(0), output(0)});
    };
    return call_for_storage(dtype, call_of, nn::resize_nearest_s8, nn::resize_nearest_s16, nn::resize_nearest_s32,
                            nn::resize_nearest_s64, nn::resize_nearest_f32);
  }

  [[nodiscard]] Call table_call(Inputs in, const Types& out, DType dtype) const {
    const auto small = [](int64_t value) { return narrow<int32_t>(value); };
    const Shape& from = in[0]->type.shape;
    const Shape& to = out[0].shape;
    const Part rows = whole_rows(in, out);
    const nn::ResizeNearestTable params{small(from[0]), small(rows.in), small(from[2]),       small(from[3]),
                                        small(to[1]),   small(to[2]),   small(rows.first_out)};
    const auto call_of = [&](auto kernel, const char* suffix) {
      return make_call(kernel, std::string("resize_nearest_table") + suffix, header, "ResizeNearestTable", params,
                       {input(0), constant(0), constant(1), output(0)});
    };
    Call call =
        call_for_storage(dtype, call_of, nn::resize_nearest_table_s8, nn::resize_nearest_table_s16,
                         nn::resize_nearest_table_s32, nn::resize_nearest_table_s64, nn::resize_nearest_table_f32);
    call.constants = {index_table("rows", rows.in, rows.out, parameters_),
                      index_table("columns", from[2], to[2], parameters_)};
    return call;
  }

  Parameters parameters_;
};

Made from_tflite(const tflite::OpView& view) {
  const auto& options = view.required_options<tflite::schema::ResizeNearestNeighborOptions>();
  const std::vector<int64_t> size = view.integers(1, "size");
  require(size.size() == 2 && size[0] > 0 && size[1] > 0, "has a size of {}; it takes a positive height and width",
          to_text(size));
  const Parameters parameters{size[0], size[1], options.align_corners(), options.half_pixel_centers()};
  return {std::make_shared<ResizeNearest>(parameters), {0}};
}

Sample sample(std::mt19937& random) {
  TensorType type = random_movable(random, random_shape(random, 4, 4, 7));
  Parameters parameters{random_integer(random, 1, 12), random_integer(random, 1, 12), chance(random, 40),
                        chance(random, 40)};
  if (chance(random, 20)) {  // 14 to 46 is the smallest pair whose single-precision places are not exact
    type.shape = {1, 14, 1, 2};
    parameters = {46, 1, false, false};
  }
  const TensorType out = reshaped(type, {type.shape[0], parameters.height, parameters.width, type.shape[3]});
  return {
      std::make_shared<ResizeNearest>(parameters), {variable(type)}, {out}, type.dtype == DType::f32 ? 0.0 : 1e-9};
}

}  // namespace

extern const OpDef resize_nearest{
    .name = "resize_nearest", .tflite = {{"RESIZE_NEAREST_NEIGHBOR", from_tflite}}, .sample = sample};

}  // namespace mote::op
