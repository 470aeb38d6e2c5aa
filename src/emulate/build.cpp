// SPDX-License-Identifier: Apache-2.0
#include "emulate/build.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>

#include "base/embedded.hpp"
#include "base/files.hpp"
#include "codegen/codegen.hpp"
#include "emulate/call_graph.hpp"
#include "emulate/process.hpp"
#include "emulate/toolchain.hpp"

namespace mote {
namespace {

namespace fs = std::filesystem;

constexpr int64_t reserved_stack_bytes = 1024;  // the harness's own frames and the guard below (firmware/main.cpp)

std::string upper_case(std::string text) {
  for (char& letter : text) letter = static_cast<char>(std::toupper(static_cast<unsigned char>(letter)));
  return text;
}

constexpr size_t most_arenas = 4;  // that mote_measure passes on (firmware/harness.hpp)

// "arena, arena2"
std::string arena_list(const EmulateRequest& request) {
  std::string text = "arena";
  for (size_t i = 1; i < request.arenas; ++i) text += ", " + arena_name(i);
  return text;
}

// The arenas as arrays, and as what the measured call passes.
std::string arenas(const EmulateRequest& request, const std::string& macro) {
  std::string text = fmt::format("alignas({0}_ARENA_ALIGN) static uint8_t arena[{0}_ARENA_BYTES];\n", macro);
  for (size_t i = 2; i <= request.arenas; ++i)
    text += fmt::format("alignas({0}_ARENA_ALIGN) static uint8_t arena{1}[{0}_ARENA{1}_BYTES];\n", macro, i);
  text += fmt::format("inline void* const arenas[{}] = {{{}}};\n", most_arenas, arena_list(request));
  if (request.cores == 1) return text;
  return text + fmt::format(
                    "inline {0}_barrier barrier;\n"
                    "inline void* const part_arguments[2][{1}] = {{{{{2}, nullptr, &barrier}}, "
                    "{{{2}, reinterpret_cast<void*>(1), &barrier}}}};\n"
                    "inline Run* run_part() {{ return reinterpret_cast<Run*>(reinterpret_cast<void "
                    "(*)()>({0}_run_part)); }}\n",
                    request.name, most_arenas, arena_list(request));
}

// Where the input is pushed, it has no place in the arena: the firmware hands over the case's own memory.
std::string pushed_input(const EmulateRequest& request) {
  const std::string macro = upper_case(request.name);
  return fmt::format(
      "constexpr bool streams_input = true;\n"
      "static_assert({1}_INPUT0_BYTES == {2}, \"size\");\n"
      "constexpr uint32_t input_count = 1;\nconstexpr uint32_t input_bytes[] = {{{2}}};\n"
      "inline uint8_t* input(uint32_t) {{ return nullptr; }}\n"
      "constexpr uint32_t row_count = {1}_ROW_COUNT, row_bytes = {1}_ROW_BYTES;\n"
      "inline void begin(void* to) {{ {0}_begin(to); }}\n"
      "template <class Row>\ninline int push(int (*to)(void*, const Row*), void* arena, const uint8_t* row) {{\n"
      "  return to(arena, reinterpret_cast<const Row*>(row));\n}}\n"
      "inline int push_row(void* to, const uint8_t* row) {{ return push({0}_push_row, to, row); }}\n",
      request.name, macro, request.input_bytes.at(0));
}

// One accessor that picks NAME_input<i> or NAME_output<i>, and the table of sizes, checked against the header's.
std::string accessor(const EmulateRequest& request, std::string_view kind, const std::vector<int64_t>& bytes) {
  const std::string macro = upper_case(request.name) + "_" + upper_case(std::string(kind));
  std::string text = fmt::format("constexpr uint32_t {}_count = {};\nstatic_assert({}_COUNT == {}, \"count\");\n",
                                 kind, bytes.size(), macro, bytes.size());
  for (size_t i = 0; i < bytes.size(); ++i) {
    text += fmt::format("static_assert({}{}_BYTES == {}, \"size\");\n", macro, i, bytes[i]);
  }
  text += fmt::format("constexpr uint32_t {}_bytes[] = {{{}}};\n", kind, fmt::join(bytes, ", "));
  text += fmt::format("inline uint8_t* {}(uint32_t index) {{\n", kind);
  for (size_t i = 0; i < bytes.size(); ++i) {
    text += fmt::format("  if (index == {}) return (uint8_t*){}_{}{}({});\n", i, request.name, kind, i,
                        arena_list(request));
  }
  return text + "  return nullptr;\n}\n";
}

// The model under names of its own namespace, which no model's name can meet.
std::string binding(const EmulateRequest& request) {
  const std::string macro = upper_case(request.name);
  return fmt::format(
             "#include \"harness.hpp\"\n#include \"{0}.h\"\nnamespace bound {{\n"
             "{4}constexpr uint32_t step_count = {1}_STEP_COUNT;\nstatic_assert({1}_STEP_COUNT == {2}, "
             "\"steps\");\n"
             "inline void reset() {{\n#if {1}_STATE_BYTES\n  {0}_reset({5});\n#endif\n}}\n"
             "constexpr uint32_t inputs_address = {3:#x}u;\n"
             "inline Run* run() {{ return reinterpret_cast<Run*>(reinterpret_cast<void (*)()>({6})); }}\n",
             request.name, macro, request.steps, request.target.inputs_address, arenas(request, macro),
             arena_list(request), request.stream_input ? "mote_push_rows" : request.name + "_run") +
         (request.stream_input
              ? pushed_input(request)
              : "constexpr bool streams_input = false;\n" + accessor(request, "input", request.input_bytes)) +
         accessor(request, "output", request.output_bytes) + "}\n";
}

void copy_firmware(const EmulateRequest& request, const fs::path& directory) {
  std::vector<const char*> common{"main.cpp", "console.hpp", "harness.hpp", "profile.h"};
  std::vector<const char*> machine{"start.S", "machine.hpp", "link.ld"};
  if (request.cores > 1) {
    common.insert(common.end(), {"cores.cpp", "count_cores.h"});
    machine.push_back("cores.S");
  }
  for (const char* const name : common)
    write_file(directory / name, embedded_file(fmt::format("firmware/{}", name)));
  for (const char* const name : machine)
    write_file(directory / name, embedded_file(fmt::format("firmware/{}/{}", request.target.architecture, name)));
}

void compile_model(const EmulateRequest& request, const fs::path& directory, const FirmwareUse& use) {
  std::vector<std::string> flags =
      split_words(request.optimize.empty() ? std::string(request.target.speed_flags) : request.optimize);
  append(flags, {"-I" + request.model_directory.string()});
  if (use.profile) append(flags, {"-include", (directory / "profile.h").string()});
  if (use.count_cores) append(flags, {"-include", (directory / "count_cores.h").string()});
  compile_generated(request.target, request.model_directory / (request.name + ".cpp"), directory / "model.o",
                    flags);
}

void compile_harness(const EmulateRequest& request, const fs::path& directory, const FirmwareUse& use) {
  std::vector<std::string> start = split_words(request.target.firmware_flags);
  if (request.cores > 1) start.emplace_back("-DMOTE_CORES");
  compile_source(request.target, directory / "start.S", directory / "mote_start.o", start);
  // The compiler must not turn the harness's loops into calls of memcpy: library members belong to the model.
  std::vector<std::string> flags{"-O2", "-ffreestanding", "-fno-tree-loop-distribute-patterns",
                                 "-I" + request.model_directory.string(), "-I" + directory.string()};
  append(flags, start);
  if (use.count_cores) flags.emplace_back("-DMOTE_COUNT_CORES");
  if (request.stream_input) flags.emplace_back("-DMOTE_STREAM_INPUT");
  if (use.profile) append(flags, {"-DMOTE_PROFILE", "-include", (directory / "profile.h").string()});
  compile_source(request.target, directory / (request.cores > 1 ? "cores.cpp" : "main.cpp"),
                 directory / "mote_main.o", flags);
}

void link(const EmulateRequest& request, const fs::path& directory) {
  std::vector<std::string> command{std::string(request.target.linker)};
  append(command, split_words(request.target.link_flags));
  append(command, {"-nostartfiles", "-static", "-Wl,--gc-sections", "-T" + (directory / "link.ld").string(),
                   fmt::format("-Wl,--defsym=mote_stack_bytes={}", stack_bytes),
                   fmt::format("-Wl,--defsym=mote_second_stack_bytes={}", request.cores > 1 ? stack_bytes : 0),
                   "-Wl,-Map=" + (directory / "firmware.map").string(), (directory / "mote_start.o").string(),
                   (directory / "mote_main.o").string(), (directory / "model.o").string(),
                   (directory / "library.o").string(), "-lm", "-o", (directory / "firmware.elf").string()});
  run_tool(command, fmt::format("linking {} for {}", request.name, request.target.name));
}

std::vector<Function> read_functions(const EmulateRequest& request, const fs::path& directory) {
  const ProcessResult objdump = run_process({std::string(request.target.tools) + "objdump", "-d",
                                             "--no-show-raw-insn", (directory / "firmware.elf").string()},
                                            compiler_timeout);
  require(objdump.exit_status == 0 && !objdump.timed_out, "{}objdump failed: {}", request.target.tools,
          tail(objdump.errors, 5));
  std::map<std::string, CompilerFrame, std::less<>> frames;
  for (const fs::directory_entry& entry : fs::directory_iterator(directory)) {
    if (entry.path().extension() == ".ci") read_callgraph_info(read_text(entry.path()), frames);
    if (entry.path().extension() == ".su") read_stack_usage(read_text(entry.path()), frames);
  }
  require(!frames.empty(), "the compiler wrote no stack usage for {}", request.name);
  return read_call_graph(objdump.output, request.target.architecture, frames);
}

// Library members whose code one of these functions is.
std::set<std::string> members_of(const std::vector<Function>& functions, const std::vector<size_t>& which,
                                 const std::vector<MapSection>& sections) {
  std::set<std::string> members;
  for (const size_t index : which) {
    const uint64_t address = functions[index].address;
    for (const MapSection& section : sections) {
      const bool inside =
          section.address <= address && address - section.address < static_cast<uint64_t>(section.bytes);
      if (inside && !library_member(section).empty()) members.insert(library_member(section));
    }
  }
  return members;
}

// What the measured call calls.
std::string entry_of(const EmulateRequest& request) {
  if (request.stream_input) return "mote_push_rows";
  return request.name + (request.cores > 1 ? "_run_part" : "_run");
}

// The functions that a step is: its own, or where it has none the one that it shares, each with its clones.
std::vector<size_t> functions_of(const EmulateRequest& request, size_t step,
                                 const std::vector<Function>& functions) {
  const std::string shared = step < request.shared.size() ? request.shared[step] : "";
  std::vector<size_t> own, common;
  for (size_t i = 0; i < functions.size(); ++i) {
    if (!shared.empty() && is_symbol_of(functions[i].name, shared))
      common.push_back(i);
    else if (step_index(functions[i].name, request.name) == step)
      own.push_back(i);
  }
  return own.empty() ? common : own;
}

// Everything that the calls in the linked program tell.
void follow_calls(const EmulateRequest& request, const fs::path& directory, Firmware& firmware) {
  const std::vector<Function> functions = read_functions(request, directory);
  firmware.stack_bound_bytes = stack_bound(functions, entry_of(request));
  firmware.step_libraries.resize(request.steps);
  for (size_t step = 0; step < request.steps; ++step) {
    int64_t bytes = 0;
    for (const size_t function : functions_of(request, step, functions)) {
      bytes = std::max(bytes, stack_bound_through(functions, entry_of(request), function).value_or(0));
      firmware.step_libraries[step].merge(
          members_of(functions, reachable(functions, function), firmware.sections));
    }
    firmware.step_stack_bytes.push_back(bytes);
  }
}

}  // namespace

std::string library_member(const MapSection& section) {
  const std::string file = fs::path(section.file).filename().string();
  if (file == "mote_start.o" || file == "mote_main.o") return "";
  if (file == "model.o") {
    // Parts of kernels that are functions of their own; the clones that gcc makes of one count as one.
    const size_t name = section.name.find("_ZN2nn");
    return name == std::string::npos ? "" : section.name.substr(name, section.name.find('.', name) - name);
  }
  return file == "library.o" ? section.name : file;
}

Firmware build_firmware(const EmulateRequest& request, const fs::path& directory, const FirmwareUse& use) {
  copy_firmware(request, directory);
  write_file(directory / "model.hpp", binding(request));
  compile_model(request, directory, use);
  compile_library(request.target, directory);
  compile_harness(request, directory, use);
  link(request, directory);
  std::vector<MapSection> sections = read_map_file(read_text(directory / "firmware.map"));
  const Footprint footprint = attribute(sections, request.name, request.steps, request.shared);
  Firmware firmware{directory / "firmware.elf", std::move(sections), footprint, 0, {}, {}};
  require(firmware.footprint.ram_bytes == 0,
          "{} has variables of {} bytes besides its arena ({}); generated code must keep all state in the arena",
          request.name, firmware.footprint.ram_bytes, fmt::join(firmware.footprint.ram_owners, ", "));
  if (!(use.profile || use.count_cores) || request.profile_alone) {
    follow_calls(request, directory, firmware);
    require(firmware.stack_bound_bytes <= stack_bytes - reserved_stack_bytes,
            "{} needs up to {} bytes of stack; the emulated firmware has {}", request.name,
            firmware.stack_bound_bytes, stack_bytes);
  }
  return firmware;
}

}  // namespace mote
