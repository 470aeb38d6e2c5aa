// SPDX-License-Identifier: Apache-2.0
// Draws handwritten digits, asks the generated code for its answers, and counts how often it is right.
//   main TEST_IMAGES.bin TEST_LABELS.bin [how many to draw]
#include <stdint.h>
#include <string.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <vector>

#include "digits.h"

namespace {

constexpr int side = 8;
constexpr int darkest = 16;  // pixels are -128 (paper) to -112 (ink)

alignas(DIGITS_ARENA_ALIGN) uint8_t arena[DIGITS_ARENA_BYTES];

std::vector<int8_t> read(const char* path) {
  std::ifstream stream(path, std::ios::binary);
  if (!stream) {
    std::fprintf(stderr, "%s: cannot be read\n", path);
    std::exit(1);
  }
  return std::vector<int8_t>(std::istreambuf_iterator<char>(stream), {});
}

int classify(const int8_t* image) {
  memcpy(digits_input0(arena), image, DIGITS_INPUT0_BYTES);
  digits_run(arena);
  const int8_t* const scores = digits_output0(arena);
  return static_cast<int>(std::max_element(scores, scores + DIGITS_OUTPUT0_ELEMENTS) - scores);
}

// Images beside each other, two characters a pixel.
void draw(const int8_t* images, size_t count) {
  static const char* const shades[] = {"  ", "░░", "▒▒", "▓▓", "██"};
  for (int row = 0; row < side; ++row) {
    for (size_t i = 0; i < count; ++i) {
      for (int column = 0; column < side; ++column) {
        const int ink = images[i * side * side + static_cast<size_t>(row * side + column)] + 128;
        std::printf("%s", shades[std::clamp((ink * 4 + darkest / 2) / darkest, 0, 4)]);
      }
      std::printf("  ");
    }
    std::printf("\n");
  }
}

}  // namespace

int main(int count, char** arguments) {
  if (count < 3) {
    std::fprintf(stderr, "usage: %s TEST_IMAGES.bin TEST_LABELS.bin [how many to draw]\n", arguments[0]);
    return 2;
  }
  const std::vector<int8_t> images = read(arguments[1]);
  const std::vector<int8_t> labels = read(arguments[2]);
  const size_t shown =
      std::min<size_t>(labels.size(), count > 3 ? static_cast<size_t>(std::atoi(arguments[3])) : 5);
  draw(images.data(), shown);
  size_t right = 0;
  for (size_t i = 0; i < labels.size(); ++i) {
    const int answer = classify(images.data() + i * DIGITS_INPUT0_BYTES);
    right += answer == labels[i] ? 1 : 0;
    if (i < shown) std::printf("says %d, is %d        ", answer, labels[i]);
  }
  std::printf("\n\n%zu of %zu held-out digits right (%.2f %%)\n", right, labels.size(),
              100.0 * static_cast<double>(right) / static_cast<double>(labels.size()));
  return right * 100 >= labels.size() * 97 ? 0 : 1;
}
