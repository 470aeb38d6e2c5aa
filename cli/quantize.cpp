// SPDX-License-Identifier: Apache-2.0
// mote quantize: a float model and samples of its inputs become an integer .tflite file.
#include "quantize/quantize.hpp"

#include <cmath>
#include <filesystem>

#include "base/files.hpp"
#include "commands.hpp"
#include "common.hpp"
#include "quantize/compare.hpp"
#include "quantize/quantize_json.hpp"
#include "quantize/to_tflite.hpp"

namespace mote::cli {

namespace {

namespace fs = std::filesystem;

struct Flags {
  ModelFile model;
  std::string calibration, output, evaluation;
  std::optional<double> least_accuracy;  // percent
  std::string range = "minmax", activations = "int8", int4 = "common", rounding = "narrow";
  std::vector<std::string> weights;
  QuantizeOptions options;
  bool json = false;
};

// Nobody's own file is overwritten: only what an earlier run left, and empty files.
void check_output(const Flags& flags) {
  std::error_code ignored;
  require(!fs::is_directory(flags.output, ignored), "{}: is a folder; name the file to write", flags.output);
  require(!fs::equivalent(flags.output, flags.model.path, ignored), "{}: is the model itself; choose another name",
          flags.output);
  for (const std::string& samples : {flags.calibration, flags.evaluation}) {
    require(!fs::equivalent(flags.output, samples, ignored), "{}: holds the samples; choose another name",
            flags.output);
  }
  if (!fs::is_regular_file(flags.output, ignored) || fs::file_size(flags.output, ignored) == 0) return;
  require(written_by_mote(read_file(flags.output)),
          "{}: is there already, and is nothing that `mote quantize` wrote; choose another name or remove it",
          flags.output);
}

QuantizeOptions options_of(const Flags& flags) {
  QuantizeOptions options = flags.options;
  options.range.method = parse_range_method(flags.range);
  for (const std::string& text : flags.weights) options.narrow.push_back(parse_narrow_weights(text));
  options.rounding = parse_weight_rounding(flags.rounding);
  options.int4 = parse_int4_tensors(flags.int4);
  options.activations = flags.activations == "int16" ? DType::i16 : DType::i8;
  return options;
}

void print_layers(const std::vector<LayerFigures>& layers) {
  fmt::print("{:>21}  {:>10} {:>5} {:>10} {:>7} {:>7}   layer\n", "values", "scale", "zero", "saturated", "SNR dB",
             "lost dB");
  for (const LayerFigures& layer : layers) {
    const std::string ratio =
        std::isfinite(layer.signal_to_noise_db) ? fmt::format("{:.1f}", layer.signal_to_noise_db) : "exact";
    fmt::print("{:>10.4g} {:>10.4g}  {:>10} {:>5} {:>10} {:>7} {:>7.1f} {} {}\n", layer.values.low,
               layer.values.high, layer.integer ? fmt::format("{:.4g}", layer.quant.scale[0]) : "float",
               layer.integer ? std::to_string(layer.quant.zero[0]) : "",
               layer.integer ? fmt::format("{:.3f} %", 100 * layer.saturation) : "", ratio, layer.lost_db,
               layer.worst ? "*" : " ", layer.name);
  }
  const bool any =
      std::any_of(layers.begin(), layers.end(), [](const LayerFigures& layer) { return layer.worst; });
  if (any) fmt::print("* these layers lose most\n");
}

void print_accuracy(const Accuracy& accuracy) {
  fmt::print("\n{:8} {:>9} {:>7} {:>10}\n", "", "accuracy", "ties", "saturated");
  for (const auto& [name, answers] : {std::pair{"float", &accuracy.real}, {"integer", &accuracy.integer}}) {
    fmt::print("{:8} {:>7.2f} % {:>7} {:>10}\n", name, accuracy.percent(*answers), answers->ties,
               answers->saturated);
  }
  fmt::print("{} samples; both give one class for {}\n", accuracy.samples, accuracy.agree);
}

// Every Error names the model.
template <class Action>
auto about(const std::string& path, const Action& action) {
  try {
    return action();
  } catch (const Error& problem) {
    fail("{}: {}", path, problem.what());
  }
}

struct Outcome {
  QuantizedModel model;
  std::vector<LayerFigures> layers;
  std::optional<Accuracy> accuracy;
};

Outcome compute(const Flags& flags) {
  const Compiled model = compile(flags.model);
  const Samples calibration = read_samples(flags.calibration, model.graph);
  const Samples labelled = flags.evaluation.empty() ? Samples{} : read_samples(flags.evaluation, model.graph);
  const Progress progress(fmt::format("running {} samples", calibration.inputs.size() + labelled.inputs.size()));
  Outcome outcome;
  outcome.model =
      about(flags.model.path, [&] { return mote::quantize(model.graph, calibration, options_of(flags)); });
  outcome.layers = compare_layers(outcome.model.real, outcome.model.integer, calibration);
  if (!flags.evaluation.empty()) {
    outcome.accuracy = about(flags.evaluation,
                             [&] { return evaluate(outcome.model.real, outcome.model.integer.graph, labelled); });
  }
  return outcome;
}

void quantize(const Flags& flags) {
  check_output(flags);
  require(!flags.least_accuracy || !flags.evaluation.empty(), "--min-accuracy needs --evaluate DATA.npz");
  const Outcome outcome = compute(flags);
  const bool good =
      !flags.least_accuracy || outcome.accuracy->percent(outcome.accuracy->integer) >= *flags.least_accuracy;
  if (good) replace_file(flags.output, outcome.model.file);
  if (flags.json) {
    nlohmann::ordered_json json{{"model", fs::path(flags.model.path).filename().string()},
                                {"bytes", outcome.model.file.size()},
                                {"written", good},
                                {"notes", outcome.model.notes},
                                {"layers", layers_json(outcome.layers)}};
    if (outcome.accuracy) json["accuracy"] = accuracy_json(*outcome.accuracy);
    print_json(json);
  } else {
    print_layers(outcome.layers);
    for (const std::string& note : outcome.model.notes) fmt::print("note    {}\n", note);
    if (outcome.accuracy) print_accuracy(*outcome.accuracy);
    if (good) fmt::print("\n{}: {} B\n", flags.output, thousands(static_cast<int64_t>(outcome.model.file.size())));
  }
  require(good,
          "{}: the integer model is right in {:.2f} % of {}, less than --min-accuracy {}; nothing was written",
          flags.model.path, outcome.accuracy ? outcome.accuracy->percent(outcome.accuracy->integer) : 0.0,
          flags.evaluation, flags.least_accuracy.value_or(0));
}

}  // namespace

void add_quantize(CLI::App& app) {
  auto* const command = app.add_subcommand("quantize", "make an integer .tflite model of a float model");
  const auto flags = std::make_shared<Flags>();
  add_model_file(*command, flags->model);
  command
      ->add_option("--calib", flags->calibration,
                   "samples of the inputs: .npz (keys name the inputs), or .npy for one input; the first axis is "
                   "the sample")
      ->required();
  command->add_option("-o,--output", flags->output, "the .tflite file to write")->required();
  command
      ->add_option("--range", flags->range,
                   "how ranges of activations follow from the samples: minmax, percentile, mse, entropy")
      ->capture_default_str();
  command
      ->add_option("--percentile", flags->options.range.percentile,
                   "of the values that --range percentile keeps in the range")
      ->check(CLI::Range(50.0, 100.0))
      ->capture_default_str();
  command->add_option("--activations", flags->activations, "int8 or int16")
      ->check(CLI::IsMember({"int8", "int16"}))
      ->capture_default_str();
  command
      ->add_option(
          "--weights", flags->weights,
          "4bit:PATTERN or ternary:PATTERN: weights from -7 to 7, or of -1, 0 and 1, in the layers of such a "
          "name (* any text); may be given several times")
      ->allow_extra_args(false);
  command
      ->add_option(
          "--rounding", flags->rounding,
          "of weights: nearest, or calibrated, so that each layer's sums over the samples stay near the float "
          "model's; narrow: calibrated in the layers of --weights, nearest in the others")
      ->check(CLI::IsMember({"nearest", "narrow", "calibrated"}))
      ->capture_default_str();
  command
      ->add_option("--int4-tensors", flags->int4,
                   "which narrow weights the file holds as INT4, two a byte: those that TensorFlow Lite Micro and "
                   "LiteRT read (common), all that LiteRT reads (litert), or none, for older interpreters")
      ->check(CLI::IsMember({"common", "litert", "none"}))
      ->capture_default_str();
  command->add_flag("--power-of-two", flags->options.power_of_two, "all scales are powers of two");
  command->add_flag("--equalize", flags->options.equalize,
                    "scale channels between layers so that weights have equal ranges");
  command->add_flag("--correct-bias", flags->options.correct_bias,
                    "biases take up the mean error of rounded weights");
  command->add_flag("--keep-float-io", flags->options.keep_float_io,
                    "the model's inputs and outputs stay float, with QUANTIZE and DEQUANTIZE behind them");
  command->add_flag("--per-channel-dense", flags->options.per_channel_dense,
                    "a scale for each output of dense layers, too, as convolutions have them");
  command->add_option(
      "--evaluate", flags->evaluation,
      "samples with labels (key 'labels' or 'y'): the accuracy of the float and of the integer model");
  command
      ->add_option("--min-accuracy", flags->least_accuracy,
                   "percent of --evaluate that the integer model must get right; else nothing is written")
      ->check(CLI::Range(0.0, 100.0));
  command->add_flag("--json", flags->json, "print one JSON object instead of text");
  command->callback([flags] { quantize(*flags); });
}

}  // namespace mote::cli
