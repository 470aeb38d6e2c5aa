// SPDX-License-Identifier: Apache-2.0
#include "support/tiny_model.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <fstream>

namespace mote::test {

void write_tiny_model(const std::filesystem::path& folder, const std::string& name, int input_bytes,
                      int output_bytes, int steps, const std::string& body) {
  std::string macro = name;
  for (char& letter : macro) letter = static_cast<char>(std::toupper(static_cast<unsigned char>(letter)));
  const int output_offset = (input_bytes + 15) / 16 * 16;
  std::ofstream(folder / (name + ".h")) << fmt::format(
      "#pragma once\n#include <stdint.h>\n"
      "#define {0}_ARENA_BYTES {2}\n#define {0}_ARENA_ALIGN 16\n#define {0}_STEP_COUNT {3}\n"
      "#define {0}_INPUT_COUNT 1\n#define {0}_INPUT0_BYTES {4}\n#define {0}_OUTPUT_COUNT 1\n"
      "#define {0}_OUTPUT0_BYTES {5}\n"
      "static inline void* {1}_input0(void* arena) {{ return arena; }}\n"
      "static inline void* {1}_output0(void* arena) {{ return (uint8_t*)arena + {6}; }}\n"
      "#ifdef __cplusplus\nextern \"C\"\n#endif\nvoid {1}_run(void* arena);\n",
      macro, name, output_offset + output_bytes, steps, input_bytes, output_bytes, output_offset);
  std::ofstream(folder / (name + ".cpp")) << fmt::format(
      "#include \"{0}.h\"\n#ifndef MOTE_AFTER_STEP\n#define MOTE_AFTER_STEP(step)\n#endif\n{1}\n", name, body);
}

}  // namespace mote::test
