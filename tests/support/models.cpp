// SPDX-License-Identifier: Apache-2.0
#include "support/models.hpp"

namespace mote::test {

std::filesystem::path digits_model() {
  return std::filesystem::path(MOTE_SOURCE_DIR) / "examples/digits/digits.tflite";
}
std::filesystem::path digits_golden() { return std::filesystem::path(MOTE_SOURCE_DIR) / "examples/digits/golden"; }

const std::vector<std::string>& real_models() {
  static const std::vector<std::string> names = {"mf_sine",
                                                 "mf_speech",
                                                 "mf_person_detect",
                                                 "person_detect",
                                                 "micro_speech",
                                                 "hello_world_int8",
                                                 "simple_add",
                                                 "st_mnist",
                                                 "emlearn_mnist_int8",
                                                 "emlearn_mnist_fp32",
                                                 "kws_int8",
                                                 "vww_96_int8",
                                                 "vww_96_fp32",
                                                 "resnet_int8",
                                                 "resnet_fp32",
                                                 "ad01_int8",
                                                 "ad01_fp32",
                                                 "nanou_botanicgarden",
                                                 "st_miniresnet_1stacks_tl",
                                                 "stb_har_ign_wl24_wisdm",
                                                 "stb_har_gmp_wl24_wisdm",
                                                 "st_mbv1_025_96_gray",
                                                 "st_mbv2_035_128_tfs",
                                                 "mcu_lenet_300_100"};
  return names;
}

}  // namespace mote::test
