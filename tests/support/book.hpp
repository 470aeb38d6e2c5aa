// SPDX-License-Identifier: Apache-2.0
// Footprint books that tests write themselves.
#pragma once

#include <string>

#include "zoo/book.hpp"

namespace mote::test {

// A row with every figure known; all of them differ from each other.
[[nodiscard]] inline BookRow book_row(const std::string& model, const std::string& target) {
  BookRow row;
  row.model = model;
  row.target = target;
  row.mode = "speed";
  row.sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
  row.mote = "0.1.0 (build 0123456789ab)";
  row.compiler = "compiler 1";
  row.emulator = "emulator 2";
  row.detail = Detail::layers;
  row.model_bytes = 5000;
  row.macs = 100;
  row.arena_bytes = 1000;
  row.lower_bound_bytes = 900;
  row.weight_bytes = 3000;
  row.code_bytes = 2000;
  row.stack_bound_bytes = 200;
  row.library_ram_bytes = 4;
  row.stack_peak_bytes = 190;
  row.instructions = 450;
  row.compile_seconds = 0.25;
  row.measure_seconds = 1.5;
  row.layers = {{"CONV_2D #0 (a)", "conv2d", "conv2d_s8", 100, 440, 1500},
                {"RESHAPE #1 (b)", "reshape", "", 0, std::nullopt, std::nullopt}};
  return row;
}

}  // namespace mote::test
