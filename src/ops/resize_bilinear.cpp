// SPDX-License-Identifier: Apache-2.0
// Bilinear resizing: everything the compiler knows about it.
#include "nn/resize_bilinear.hpp"

#include "formats/tflite_writer.hpp"
#include "ir/rows.hpp"
#include "ops/axes.hpp"
#include "ops/registry.hpp"
#include "ops/sampling.hpp"
#include "ops/storage.hpp"

namespace mote::op {

namespace {

// Rows of a whole image: its output's from `first_out` on, which see its input's from `first_in` on.
struct Part {
  int64_t first_out = 0, first_in = 0;
  int64_t out = 0, in = 0;  // rows of the whole output and input
};

struct Parameters {
  int64_t height = 0, width = 0;
  bool align_corners = false, half_pixel_centers = false;
  std::optional<Part> part = {};
};

// The two input indices on either side of an output index, and how far behind the first it lies.
struct Source {
  int64_t low = 0, high = 0;
  float fraction = 0.0F;
};

// As the reference computes it for integers: everything in 1/1024, the fraction too.
Source integer_source(int64_t index, int64_t in, int64_t out, const Parameters& parameters) {
  const bool align = parameters.align_corners && out > 1;
  const int64_t scale = align ? (1024 * (in - 1) + (out - 1) / 2) / (out - 1) : (1024 * in + out / 2) / out;
  const int64_t place = index * scale + (parameters.half_pixel_centers ? scale / 2 - 512 : 0);
  const int64_t low = std::clamp<int64_t>(place / 1024, 0, in - 1);
  const int64_t high = std::clamp<int64_t>((place + 1023) / 1024, 0, in - 1);
  return {low, high, static_cast<float>(place - 1024 * low)};
}

// As the reference computes it for floats.
Source float_source(int64_t index, int64_t in, int64_t out, const Parameters& parameters) {
  const bool align = parameters.align_corners && out > 1;
  const float scale = align ? static_cast<float>(in - 1) / static_cast<float>(out - 1)
                            : static_cast<float>(in) / static_cast<float>(out);
  const auto at = static_cast<float>(index);
  const float place = parameters.half_pixel_centers ? (at + 0.5F) * scale - 0.5F : at * scale;
  const auto low = std::clamp<int64_t>(static_cast<int64_t>(std::floor(place)), 0, in - 1);
  const auto high = std::clamp<int64_t>(static_cast<int64_t>(std::ceil(place)), 0, in - 1);
  return {low, high, place - static_cast<float>(low)};
}

// Which types the reference computes in floats.
bool is_real(DType dtype) { return dtype == DType::f32 || dtype == DType::u8; }

class ResizeBilinear final : public Operator, public WorksInRows {
 public:
  explicit ResizeBilinear(Parameters parameters) : parameters_(parameters) {}

  [[nodiscard]] std::string name() const override { return "resize_bilinear"; }
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
    require_dtype(input, {DType::i8, DType::u8, DType::i16, DType::f32}, "input");
    require(input.shape.size() == 4 && elements(input.shape) > 0, "needs an input of rank 4 (NHWC), it has {}",
            to_text(input.shape));
    constexpr int64_t most = 32767;
    require(std::max({input.shape[1], input.shape[2], parameters_.height, parameters_.width}) <= most,
            "resizes {} to {}x{}; images up to {} are supported", to_text(input.shape), parameters_.height,
            parameters_.width, most);
    return {moved_type(input, declared, {input.shape[0], parameters_.height, parameters_.width, input.shape[3]})};
  }

  [[nodiscard]] Reals reference(Inputs in, const Types& out, const Reals& x) const override {
    const Shape& from = in[0]->type.shape;
    const Shape& to = out[0].shape;
    const double one = is_real(out[0].dtype) ? 1.0 : 1024.0;
    std::vector<double> result;
    for (int64_t index = 0; index < elements(to); ++index) {
      const int64_t channel = index % to[3];
      const Source column = source(index / to[3] % to[2], 2, in, out);
      const Source row = source(index / to[3] / to[2] % to[1], 1, in, out);
      const int64_t batch = index / to[3] / to[2] / to[1];
      const auto at = [&](int64_t y, int64_t w) {
        return x[0][static_cast<size_t>(((batch * from[1] + y) * from[2] + w) * from[3] + channel)];
      };
      const double below = static_cast<double>(row.fraction) / one;
      const double right = static_cast<double>(column.fraction) / one;
      result.push_back((1 - below) * ((1 - right) * at(row.low, column.low) + right * at(row.low, column.high)) +
                       below * ((1 - right) * at(row.high, column.low) + right * at(row.high, column.high)));
    }
    return {result};
  }

  [[nodiscard]] Region needs(size_t, const Region& region, Inputs in, const Types& out) const override {
    Region needed = region;
    for (size_t d = 1; d <= 2; ++d) {
      needed.dims[d].low = source(region.dims[d].low, d, in, out).low;
      needed.dims[d].high = source(region.dims[d].high - 1, d, in, out).high + 1;
    }
    return needed;
  }

  [[nodiscard]] OperatorPtr rows(const RowStrip& strip, Inputs in, const Types& out) const override {
    if (parameters_.part) return nullptr;
    Parameters parameters = parameters_;
    parameters.height = strip.out.high - strip.out.low;
    parameters.part = Part{strip.out.low, strip.in[0].low, out[0].shape[1], in[0]->type.shape[1]};
    return std::make_shared<ResizeBilinear>(parameters);
  }

  void to_tflite(tflite::NodeWriter& file, Inputs in, const Types&) const override {
    require(!parameters_.part, "is a strip of rows, which no file states");
    tflite::schema::ResizeBilinearOptionsT options;
    options.align_corners = parameters_.align_corners;
    options.half_pixel_centers = parameters_.half_pixel_centers;
    file.add(tflite::schema::BuiltinOperator::RESIZE_BILINEAR, tflite::usual_version(in[0]->type.dtype),
             {file.input(0), file.integers("size", {parameters_.height, parameters_.width})}, file.outputs(),
             options);
  }
  // TensorFlow Lite Micro has it on i8 only.
  [[nodiscard]] std::optional<IntegerForm> integer_form(DType dtype, Inputs, const Types&) const override {
    return dtype == DType::i8 ? std::optional<IntegerForm>(IntegerForm::shared()) : std::nullopt;
  }

  [[nodiscard]] Call lower(Inputs in, const Types& out) const override {
    const Shape& from = in[0]->type.shape;
    const auto small = [](int64_t value) { return narrow<int32_t>(value); };
    const nn::ResizeBilinear params{small(from[0]),
                                    small(from[1]),
                                    small(from[2]),
                                    small(from[3]),
                                    small(out[0].shape[1]),
                                    small(out[0].shape[2]),
                                    parameters_.part ? small(parameters_.part->first_out) : -1};
    const auto call_of = [&](auto kernel, std::string function) {
      return make_call(kernel, std::move(function), "nn/resize_bilinear.hpp", "ResizeBilinear", params,
                       {input(0), constant(0), constant(1), constant(2), constant(3), output(0)});
    };
    const DType dtype = out[0].dtype;
    Call call = dtype == DType::f32   ? call_of(nn::resize_bilinear_f32, "resize_bilinear_f32")
                : dtype == DType::i16 ? call_of(nn::resize_bilinear_s16, "resize_bilinear_s16")
                : dtype == DType::u8  ? call_of(nn::resize_bilinear_u8, "resize_bilinear_u8")
                                      : call_of(nn::resize_bilinear_s8, "resize_bilinear_s8");
    const std::vector<Source> rows = all_sources(1, in, out), columns = all_sources(2, in, out);
    call.constants = {indices("rows", rows), indices("columns", columns), fractions("row_fractions", rows, dtype),
                      fractions("column_fractions", columns, dtype)};
    call.order = element_by_element(out[0]);
    return call;
  }

 private:
  [[nodiscard]] Source source_in(int64_t index, int64_t from, int64_t to, DType dtype) const {
    return is_real(dtype) ? float_source(index, from, to, parameters_)
                          : integer_source(index, from, to, parameters_);
  }

  [[nodiscard]] Source source(int64_t index, size_t d, Inputs in, const Types& out) const {
    const std::optional<Part>& part = parameters_.part;
    if (d != 1 || !part) return source_in(index, in[0]->type.shape[d], out[0].shape[d], out[0].dtype);
    Source source = source_in(index + part->first_out, part->in, part->out, out[0].dtype);
    source.low -= part->first_in, source.high -= part->first_in;
    return source;
  }

  // Of the whole output, also in a strip, so that all strips have the same tables.
  [[nodiscard]] std::vector<Source> all_sources(size_t d, Inputs in, const Types& out) const {
    const bool part = d == 1 && parameters_.part;
    const int64_t from = part ? parameters_.part->in : in[0]->type.shape[d];
    const int64_t to = part ? parameters_.part->out : out[0].shape[d];
    std::vector<Source> sources;
    for (int64_t i = 0; i < to; ++i) sources.push_back(source_in(i, from, to, out[0].dtype));
    return sources;
  }

  [[nodiscard]] static Constant indices(std::string name, const std::vector<Source>& sources) {
    std::vector<int16_t> values;
    for (const Source& at : sources) {
      values.push_back(narrow<int16_t>(at.low));
      values.push_back(narrow<int16_t>(at.high));
    }
    return {std::move(name), DType::i16, to_bytes(values), false};
  }

  [[nodiscard]] static Constant fractions(std::string name, const std::vector<Source>& sources, DType dtype) {
    std::vector<float> values;
    for (const Source& at : sources) values.push_back(at.fraction);
    if (is_real(dtype)) return {std::move(name), DType::f32, to_bytes(values), false};
    std::vector<int16_t> whole_values;
    for (const float value : values) whole_values.push_back(narrow<int16_t>(static_cast<int64_t>(value)));
    return {std::move(name), DType::i16, to_bytes(whole_values), false};
  }

  Parameters parameters_;
};

Made from_tflite(const tflite::OpView& view) {
  const auto& options = view.required_options<tflite::schema::ResizeBilinearOptions>();
  const std::vector<int64_t> size = view.integers(1, "size");
  require(size.size() == 2 && size[0] > 0 && size[1] > 0, "has a size of {}; it takes a positive height and width",
          to_text(size));
  require(!options.align_corners() || !options.half_pixel_centers(),
          "has both align_corners and half_pixel_centers; export it with one of them");
  const Parameters parameters{size[0], size[1], options.align_corners(), options.half_pixel_centers()};
  return {std::make_shared<ResizeBilinear>(parameters), {0}};
}

Sample sample(std::mt19937& random) {
  const DType dtypes[] = {DType::i8, DType::i8, DType::u8, DType::i16, DType::f32};
  const TensorType type = random_type(random, dtypes[random_integer(random, 0, 4)], random_shape(random, 4, 4, 7));
  const int64_t mode = random_integer(random, 0, 2);
  const Parameters parameters{random_integer(random, 1, 12), random_integer(random, 1, 12), mode == 1, mode == 2};
  const TensorType out = reshaped(type, {type.shape[0], parameters.height, parameters.width, type.shape[3]});
  const double tolerance = type.dtype == DType::f32 ? 1e-5 : 0.501;
  return {std::make_shared<ResizeBilinear>(parameters), {variable(type)}, {out}, tolerance};
}

}  // namespace

extern const OpDef resize_bilinear{
    .name = "resize_bilinear", .tflite = {{"RESIZE_BILINEAR", from_tflite}}, .sample = sample};

}  // namespace mote::op
