// SPDX-License-Identifier: Apache-2.0
#include "support/models.hpp"

#include <algorithm>

#include "support/shared.hpp"

namespace mote::test {

std::filesystem::path digits_model() {
  return std::filesystem::path(MOTE_SOURCE_DIR) / "examples/digits/digits.tflite";
}
std::filesystem::path digits_golden() { return std::filesystem::path(MOTE_SOURCE_DIR) / "examples/digits/golden"; }

std::vector<std::string> shared_models() {
  std::vector<std::string> names;
  const std::filesystem::path folder = shared_directory() / "models";
  if (!std::filesystem::exists(folder)) return {"absent"};
  for (const std::filesystem::directory_entry& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() == ".tflite") names.push_back(entry.path().stem().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

const std::vector<std::string>& emulated_models() {
  static const std::vector<std::string> names = {
      // weighted sums, pooling, soft maximum; int8 and float32
      "mf_sine", "mf_speech", "mf_person_detect", "person_detect", "micro_speech", "hello_world_int8",
      "simple_add", "st_mnist", "emlearn_mnist_int8", "emlearn_mnist_fp32", "kws_int8", "vww_96_int8",
      "vww_96_fp32", "resnet_int8", "resnet_fp32", "ad01_int8", "ad01_fp32", "nanou_botanicgarden",
      "st_miniresnet_1stacks_tl", "stb_har_ign_wl24_wisdm", "stb_har_gmp_wl24_wisdm", "st_mbv1_025_96_gray",
      "st_mbv2_035_128_tfs", "mcu_lenet_300_100",
      // state from run to run, signals, computed shapes
      "dtln", "kw_scrambled", "micro_speech_lstm", "mnist_lstm_float", "audio_pre_int8", "audio_pre_float",
      "st_fdmobilenet_025_128", "stb_miniresnetv2_1stacks", "str_ww_int8",
      // int16 activations
      "seanet_add0", "seanet_conv1", "seanet_leaky_relu0", "seanet_pad0", "seanet_quantize0", "seanet_quantize1",
      "seanet_strided_slice0", "seanet_sub0", "seanet_transpose_conv2"};
  return names;
}

}  // namespace mote::test
