// SPDX-License-Identifier: Apache-2.0
// What the emulator driver reads: consoles, map files, call graphs; and processes that are missing or do not end.
#include <gtest/gtest.h>

#include <cstdlib>

#include "base/files.hpp"
#include "base/temporary_directory.hpp"
#include "emulate/call_graph.hpp"
#include "emulate/console.hpp"
#include "emulate/emulate.hpp"
#include "emulate/map_file.hpp"
#include "emulate/process.hpp"
#include "target/find.hpp"

namespace mote {
namespace {

template <class Function>
std::string error_of(Function function) {
  try {
    function();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

const std::string good_console =
    "MOTE_CASES=1\nEMPTY_TICKS=5\nWRAPPED=0\nCASE=0\nTICKS=105\nWRAPPED=1\nOUTPUT=0\n01ff7f\nSTACK_PEAK=48\n"
    "STACK_TOTAL=65536\nMOTE_END\n";

TEST(Console, ReadsEveryField) {
  const ConsoleResult result = read_console(good_console, 1, {}, {3});
  EXPECT_EQ(result.empty_ticks.value, 5);
  EXPECT_EQ(result.cases.at(0).ticks.value, 105);
  EXPECT_TRUE(result.cases[0].ticks.wrapped);
  EXPECT_EQ(result.cases[0].outputs.at(0), (Bytes{std::byte{1}, std::byte{255}, std::byte{127}}));
  EXPECT_EQ(result.stack_peak_bytes, 48);
  EXPECT_EQ(result.stack_total_bytes, 65536);
}

// Nothing may be missing, and nothing may be there that the protocol does not have.
TEST(Console, EveryCutIsAnError) {
  for (size_t size = 0; size < good_console.size(); ++size) {
    const std::string text = good_console.substr(0, size);
    EXPECT_THROW((void)read_console(text, 1, {}, {3}), Error) << text;
  }
  for (const std::string& garbage : {std::string("x"), std::string("\n"), std::string("=")}) {
    for (size_t at = 0; at <= good_console.size(); ++at) {
      std::string text = good_console;
      text.insert(at, garbage);
      EXPECT_THROW((void)read_console(text, 1, {}, {3}), Error) << text;
    }
  }
  for (size_t at = 0; at < good_console.size(); ++at) {
    std::string text = good_console;
    if (text[at] == 'g' || text[at] == '\n') continue;
    text[at] = 'g';
    EXPECT_THROW((void)read_console(text, 1, {}, {3}), Error) << text;
  }
}

TEST(Console, ErrorShowsTheTail) {
  EXPECT_EQ(error_of([] { (void)read_console("MOTE_CASES=1\nEMPTY_TICKS=no\n", 1, {}, {3}); }),
            "the emulated firmware printed something else than expected (EMPTY_TICKS); its console ends with:\n"
            "MOTE_CASES=1\nEMPTY_TICKS=no");
  EXPECT_EQ(error_of([] { (void)read_console("MOTE_CASES=1\nCAS\nFAULT stack overflow\n", 1, {}, {3}); }),
            "the model stopped in the emulator: stack overflow");
}

TEST(MapFile, AttributesSections) {
  const std::vector<MapSection> sections = read_map_file(
      "Discarded input sections\n\n .text.gone     0x00000000       0x99 model.o\n\nLinker script and memory "
      "map\n\n"
      ".text           0x80000000      0x200\n *(.text .text.*)\n"
      " .text.mote_main\n                0x80000000       0x20 /tmp/b/mote_main.o\n"
      " .text._ZL9tiny_step1Pv\n                0x80000020       0x30 /tmp/b/model.o\n"
      " *fill*         0x80000050        0x4 \n"
      " .text._ZL10tiny_step11Pv 0x80000054 0x8 /tmp/b/model.o\n"
      " .text          0x80000060       0x40 /usr/lib/libgcc.a(_divsf3.o)\n"
      "                0x80000060                __divsf3\n"
      ".rodata         0x80000100      0x100\n"
      " .rodata._ZL14tiny_weights_0\n                0x80000100       0x90 /tmp/b/model.o\n"
      " .rodata._ZL12tiny_table_0\n                0x80000190       0x10 /tmp/b/model.o\n"
      ".bss            0x84000000      0x14\n .bss.errno     0x84000000        0x4 /usr/lib/libc.a(errno.o)\n"
      " *fill*         0x84000004        0xc \n"
      " .bss._ZL5state 0x84000010        0x4 /tmp/b/model.o\n"
      ".comment        0x00000000       0x20\n .comment       0x00000000       0x20 /tmp/b/model.o\n");
  const Footprint footprint = attribute(sections, "tiny", 2);
  EXPECT_EQ(footprint.harness_bytes, 0x20);
  EXPECT_EQ(footprint.code_bytes, 0x34 + 0x8 + 0x40 + 0x10);
  EXPECT_EQ(footprint.weight_bytes, 0x90);
  EXPECT_EQ(footprint.ram_bytes, 4);
  EXPECT_EQ(footprint.library_ram_bytes, 4);
  EXPECT_EQ(footprint.ram_owners, std::vector<std::string>{".bss._ZL5state"});
  EXPECT_EQ(footprint.step_code_bytes, (std::vector<int64_t>{0, 0x34}));
}

TEST(MapFile, AttributesFunctionsThatStepsShare) {
  const std::vector<MapSection> sections = read_map_file(
      "Linker script and memory map\n\n.text           0x80000000      0x200\n"
      " .text._ZN12_GLOBAL__N_112shared_add_nEPKh\n                0x80000000       0x20 model.o\n"
      " .text._ZN12_GLOBAL__N_112shared_add_nEPKh.constprop.0\n                0x80000020       0x10 model.o\n"
      " .text._ZN12_GLOBAL__N_115tiny_step1_copyEPh\n                0x80000030       0x40 model.o\n"
      " .text._ZN12_GLOBAL__N_110tiny_step1EPh\n                0x80000070       0x8 model.o\n"
      " .text.tiny_run 0x80000078       0x4 model.o\n");
  const Footprint footprint =
      attribute(sections, "tiny", 4, {"shared_add_n", "tiny_step1_copy", "", "shared_add_n"});
  EXPECT_EQ(footprint.code_bytes, 0x7c);
  EXPECT_EQ(footprint.step_code_bytes, (std::vector<int64_t>{0, 8, 0, 0}));
  EXPECT_EQ(footprint.shared_code_bytes,
            (std::map<std::string, int64_t>{{"shared_add_n", 0x30}, {"tiny_step1_copy", 0x40}}));
}

int64_t rv32_bound(const std::string& disassembly, const std::string& compiler = "") {
  std::map<std::string, CompilerFrame, std::less<>> frames;
  read_callgraph_info(compiler, frames);
  return stack_bound(read_call_graph(disassembly, "rv32", frames), "run");
}

const std::string two_functions =
    "00000100 <run>:\n     100:\tadd\tsp,sp,-16\n     102:\tjal\t200 <below>\n     106:\tadd\tsp,sp,16\n     "
    "108:\tret\n\n"
    "00000200 <below>:\n     200:\tadd\tsp,sp,-48\n     202:\tadd\tsp,sp,48\n     204:\tret\n";

TEST(StackBound, AddsFramesAlongCalls) {
  EXPECT_EQ(rv32_bound(two_functions), 64);
  EXPECT_EQ(rv32_bound(two_functions,
                       "node: { title: \"a.cpp:below\" label: \"below()\\na.cpp:1:1\\n80 bytes (static)\" }\n"),
            96);
}

// libgcc's prologue for five registers and more takes 64 bytes and gives back what is too much; the compiler
// counts the rest. A frame of which that is a part is no larger for it.
TEST(StackBound, ASharedPrologueTakesMoreForAMoment) {
  const auto bound = [](int bytes) {
    return rv32_bound(
        "00000100 <run>:\n 100:\tjal\tt0,200 <__riscv_save_4>\n 104:\tj\t210 <__riscv_restore_4>\n\n"
        "00000200 <__riscv_save_4>:\n 200:\tadd\tsp,sp,-64\n 202:\tjr\tt0\n\n"
        "00000210 <__riscv_restore_4>:\n 210:\tadd\tsp,sp,32\n 212:\tret\n",
        fmt::format("node: {{ title: \"run\" label: \"run()\\na.cpp:1:1\\n{} bytes (static)\" }}\n", bytes));
  };
  EXPECT_EQ(bound(32), 64);
  EXPECT_EQ(bound(112), 112);
}

// ARMv6-M: `bl` beyond the reach of a branch, within one function; a call of the function's start is recursion.
TEST(StackBound, ALinkedBranchIntoTheSameFunctionIsAJump) {
  const auto bound = [](const std::string& target) {
    const std::map<std::string, CompilerFrame, std::less<>> frames{{"run", {24, true, false}}};
    return stack_bound(read_call_graph("00000100 <run>:\n 100:\tpush\t{r4, lr}\n 102:\tbl\t" + target +
                                           "\n 106:\tpop\t{r4, pc}\n",
                                       "cortex-m", frames),
                       "run");
  };
  EXPECT_EQ(bound("106 <run+0x6>"), 24);
  EXPECT_THROW(bound("100 <run>"), Error);
}

// Such a jump may be the last instruction: what follows in memory is not reached by it.
TEST(StackBound, ALinkedBranchBackDoesNotFallThrough) {
  const std::map<std::string, CompilerFrame, std::less<>> frames{{"run", {8, true, false}},
                                                                 {"work", {40, true, false}}};
  EXPECT_EQ(stack_bound(read_call_graph("00000100 <work>:\n 100:\tpush\t{r4, lr}\n 102:\tpop\t{r4, pc}\n "
                                        "104:\tbl\t102 <work+0x2>\n\n00000108 <run>:\n 108:\tpush\t{r4, lr}\n "
                                        "10a:\tbl\t100 <work>\n 10e:\tpop\t{r4, pc}\n",
                                        "cortex-m", frames),
                        "run"),
            48);
}

// Of bare functions compilers say 0; clang's figures leave out what libgcc's routines save.
TEST(StackBound, AssemblyAndLibraryRoutinesCountBesideTheCompilersFigures) {
  EXPECT_EQ(rv32_bound(two_functions,
                       "node: { title: \"a.cpp:below\" label: \"below()\\na.cpp:1:1\\n0 bytes (static)\" }\n"),
            64);
  std::map<std::string, CompilerFrame, std::less<>> frames;
  read_stack_usage("a.cpp:3:run\t32\tstatic\na.cpp:9:below\t16\tstatic\n", frames);
  EXPECT_EQ(stack_bound(read_call_graph(two_functions, "rv32", frames), "run"), 32 + 48);
  read_stack_usage("a.cpp:9:below\t16\tdynamic\n", frames);
  EXPECT_EQ(error_of([&] { (void)stack_bound(read_call_graph(two_functions, "rv32", frames), "run"); }),
            "the stack has no bound: below is called, and its frame has no fixed size");
}

TEST(StackBound, FallsThroughIntoTheNextFunction) {
  EXPECT_EQ(rv32_bound("00000100 <run>:\n 100:\tadd\tsp,sp,-16\n 102:\tnop\n\n00000104 <next>:\n "
                       "104:\tadd\tsp,sp,-32\n 106:\tret\n"),
            48);
}

// The linker fills the gap behind a function with zeros, which read as `movs r0, r0`.
TEST(StackBound, DoesNotFallThroughAGap) {
  EXPECT_EQ(stack_bound(read_call_graph("00000100 <run>:\n 100:\tpush\t{r4, lr}\n 102:\tpop\t{r4, pc}\n "
                                        "104:\tmovs\tr0, r0\n\n00000108 <next>:\n 108:\tpush\t{r4, lr}\n "
                                        "10a:\tpop\t{r4, pc}\n",
                                        "cortex-m", {}),
                        "run"),
            8);
}

// Behind a trap lies another function, which may well have no bound.
TEST(StackBound, DoesNotFallThroughATrap) {
  for (const char* const trap : {"ebreak", "unimp"}) {
    EXPECT_EQ(rv32_bound(std::string("00000100 <run>:\n 100:\tadd\tsp,sp,-16\n 102:\tbeqz\ta0,108 <run+0x8>\n "
                                     "104:\tadd\tsp,sp,16\n 106:\tret\n 108:\t") +
                         trap + "\n\n00000200 <next>:\n 200:\tjalr\ta5\n 202:\tret\n"),
              16);
  }
  EXPECT_EQ(stack_bound(read_call_graph("00000100 <run>:\n 100:\tpush\t{r4, lr}\n 102:\tudf\t#255\n\n"
                                        "00000108 <next>:\n 108:\tblx\tr3\n 10a:\tpop\t{r4, pc}\n",
                                        "cortex-m", {}),
                        "run"),
            8);
}

TEST(StackBound, FunctionsThatJumpIntoEachOtherCountOnce) {
  EXPECT_EQ(rv32_bound("00000100 <run>:\n 100:\tadd\tsp,sp,-16\n 102:\tbeqz\ta0,206 <tail+0x6>\n 104:\tret\n\n"
                       "00000200 <tail>:\n 200:\tadd\tsp,sp,-32\n 206:\tbnez\ta0,102 <run+0x2>\n 208:\tret\n"),
            48);
}

TEST(StackBound, OfAllWaysThroughAFunctionTheDeepestCounts) {
  // run calls loop or below, loop calls below; other is called by neither.
  const std::vector<Function> functions{{"run", 16, "", {{1, EdgeKind::call}, {2, EdgeKind::call}}, 0},
                                        {"loop", 32, "", {{2, EdgeKind::call}, {1, EdgeKind::jump}}, 0},
                                        {"below", 8, "", {{3, EdgeKind::tail_call}}, 0},
                                        {"last", 40, "", {}, 0},
                                        {"other", 400, "", {}, 0}};
  EXPECT_EQ(stack_bound_through(functions, "run", 2), 16 + 32 + 40);
  EXPECT_EQ(stack_bound_through(functions, "run", 1), 16 + 32 + 40);
  EXPECT_EQ(stack_bound_through(functions, "below", 3), 40);
  EXPECT_EQ(stack_bound_through(functions, "run", 4), std::nullopt);
}

TEST(StackBound, RefusesWhatHasNone) {
  EXPECT_EQ(error_of([] { (void)rv32_bound("00000100 <run>:\n 100:\tjal\t100 <run>\n 102:\tret\n"); }),
            "the stack has no bound: run and run call each other");
  EXPECT_EQ(error_of([] { (void)rv32_bound("00000100 <run>:\n 100:\tjalr\ta5\n 102:\tret\n"); }),
            "the stack has no bound: run is called, and it calls through a pointer");
  EXPECT_EQ(error_of([] { (void)rv32_bound("00000100 <run>:\n 100:\tsub\tsp,sp,a5\n 102:\tret\n"); }),
            "the stack has no bound: run is called, and its frame's size is not known");
  EXPECT_EQ(error_of([] {
              (void)rv32_bound(two_functions,
                               "node: { title: \"below\" label: \"below()\\na.cpp:1:1\\n80 bytes (dynamic)\" }\n");
            }),
            "the stack has no bound: below is called, and its frame has no fixed size");
}

TEST(Process, CapturesBothStreamsAndTheStatus) {
  const ProcessResult result =
      run_process({"sh", "-c", "echo out; echo err >&2; exit 3"}, std::chrono::seconds(10));
  EXPECT_EQ(result.output, "out\n");
  EXPECT_EQ(result.errors, "err\n");
  EXPECT_EQ(result.exit_status, 3);
  EXPECT_FALSE(result.timed_out);
}

TEST(Process, IsKilledAfterItsTime) {
  EXPECT_TRUE(run_process({"sleep", "30"}, std::chrono::seconds(1)).timed_out);
}

TEST(Process, ReadsMoreThanAPipeHolds) {
  const ProcessResult result = run_process({"head", "-c", "3000000", "/dev/zero"}, std::chrono::seconds(10));
  EXPECT_EQ(result.output.size(), 3000000u);
}

TEST(FindTarget, ListsTheNearestFirst) {
  EXPECT_EQ(find_target("lx106").name, "lx106");
  EXPECT_EQ(error_of([] { (void)find_target("rv32imaf"); }),
            "there is no target 'rv32imaf'; known: rv32imac, rv32imafc, cortex-m4f, cortex-m3, cortex-m33, "
            "cortex-m55, cortex-m7, host, lx106, cortex-m0plus");
}

TEST(Tools, MissingOnesNameTheirPackage) {
  const TemporaryDirectory empty;
  const std::string path = std::getenv("PATH");
  setenv("PATH", empty.path().c_str(), 1);
  const auto text = [](const char* target, const char* compiler = "g++") {
    return error_of([&] {
      (void)emulate(EmulateRequest{.target = compiled_by(find_target(target), compiler),
                                   .model_directory = "nowhere",
                                   .name = "none",
                                   .input_bytes = {},
                                   .output_bytes = {},
                                   .steps = 0,
                                   .cases = {{}},
                                   .continues = {},
                                   .optimize = "",
                                   .profile = false,
                                   .timeout = std::chrono::seconds(1)});
    });
  };
  const std::string riscv = text("rv32imac"), arm = text("cortex-m7"), xtensa = text("lx106"), host = text("host");
  write_file(empty.path() / "riscv64-unknown-elf-g++", "");
  write_file(empty.path() / "riscv64-unknown-elf-gcc", "");
  for (const auto& entry : std::filesystem::directory_iterator(empty.path())) {
    std::filesystem::permissions(entry, std::filesystem::perms::owner_all);
  }
  const std::string emulator = text("rv32imac"), clang = text("rv32imac", "clang++");
  setenv("PATH", path.c_str(), 1);
  EXPECT_EQ(riscv,
            "riscv64-unknown-elf-g++ is not installed; on Debian or Ubuntu: apt-get install "
            "gcc-riscv64-unknown-elf picolibc-riscv64-unknown-elf");
  EXPECT_EQ(arm,
            "arm-none-eabi-g++ is not installed; on Debian or Ubuntu: apt-get install gcc-arm-none-eabi "
            "libnewlib-arm-none-eabi");
  EXPECT_EQ(xtensa,
            "xtensa-lx106-elf-g++ is not installed; on Debian or Ubuntu: apt-get install gcc-xtensa-lx106 "
            "picolibc-xtensa-lx106-elf");
  EXPECT_EQ(emulator,
            "qemu-system-riscv32 is not installed; on Debian or Ubuntu: apt-get install qemu-system-misc");
  EXPECT_EQ(clang, "clang++ is not installed; on Debian or Ubuntu: apt-get install clang");
  EXPECT_EQ(host, "target host has no emulator; it runs in the simulator");
}

}  // namespace
}  // namespace mote
