// SPDX-License-Identifier: Apache-2.0
// The agent's core layer by itself, in the emulator: loaded code that behaves, that faults in every way, that
// never ends and that is random must all come back to the agent, with the reason, and leave everything else alone.
#include <gtest/gtest.h>

#include "base/temporary_directory.hpp"
#include "device/agent_firmware.hpp"
#include "emulate/process.hpp"
#include "emulate/toolchain.hpp"
#include "target/find.hpp"

namespace mote {
namespace {

namespace fs = std::filesystem;

const fs::path source{MOTE_SOURCE_DIR};

// A firmware of the board's own files, the core layer and tests/agent; its console.
std::string run_pieces(const std::string& name) {
  const Target& target = find_target(name);
  const TemporaryDirectory folder;
  const std::string architecture(target.architecture), board = "agent/boards/" + agent_board(target);
  std::vector<fs::path> sources{source / board / "start.S", source / board / "board.cpp",
                                source / "tests/agent/core_main.cpp",
                                source / "tests/agent" / (architecture + ".S")};
  for (const fs::directory_entry& entry : fs::directory_iterator(source / "agent/core" / architecture)) {
    if (entry.path().extension() != ".hpp") sources.push_back(entry.path());
  }
  std::vector<std::string> flags = split_words(target.firmware_flags);
  append(flags, {"-Os", "-ffreestanding", "-fno-tree-loop-distribute-patterns", "-Werror"});
  for (const std::string& include : {std::string("tests/agent"), std::string("agent"),
                                     "agent/core/" + architecture, "firmware/" + architecture})
    flags.push_back("-I" + (source / include).string());
  const fs::path program = folder.path() / "firmware.elf";
  std::vector<std::string> link{std::string(target.linker)};
  append(link, split_words(target.link_flags));
  append(link, {"-nostartfiles", "-static", "-Wl,--gc-sections,--build-id",
                "-T" + (source / board / "link.ld").string(), "-o", program.string()});
  for (const fs::path& file : sources) {
    const fs::path object = folder.path() / (std::to_string(link.size()) + ".o");
    compile_source(target, file, object, flags);
    link.push_back(object.string());
  }
  run_tool(link, "linking");
  std::vector<std::string> emulator{std::string(target.emulator)};
  append(emulator, split_words(target.emulator_arguments));
  // Time passes with the instructions, whatever else the host does.
  append(emulator, {"-icount", "shift=7,sleep=off", "-display", "none", "-monitor", "none", "-serial", "stdio",
                    "-kernel", program.string()});
  const ProcessResult result = run_process(emulator, std::chrono::seconds(120));
  EXPECT_FALSE(result.timed_out);
  EXPECT_EQ(result.exit_status, 0) << result.errors;
  return result.output;
}

// Causes are bits of CFSR: 1 fetch, 2 data and 0x80 its address, 0x10 stacking; 0x8200 bus; the rest are usage
// faults.
const char* const cortex_m = R"(protects
call returned result 6e
slices returned sliced result 600
service returned served result 1111
other_service returned served result 7
endless slice sliced
sleep slice sliced
mask_interrupts slice sliced
write_victim fault 82 +2 victim
read_victim fault 82 +2 victim
write_constants fault 82 +2 constants
write_code fault 82 +2 code
write_neighbour fault 82 +2 neighbour
become_privileged fault 82 +c victim
disable_protection fault 8200 +4 e000ed94
software_interrupt fault 8200 +4 e000ef00
reset_device fault 8200 +4 e000ed0c
no_memory fault 82 +4 d0000000
execute_data fault 1 data 0
execute_constants fault 1 constants 0
execute_victim fault 1 victim 0
undefined fault 10000 +0 0
wide_undefined fault 10000 +0 0
breakpoint fault 80000003 +0 0
semihosting fault 80000003 +4 0
jump_to_zero fault 1 0 0
jump_to_nowhere fault 1 deadbeee 0
jump_to_arm_state fault 20000 code 0
exception_return_to_handler fault 1 fffffff0 0
exception_return_to_agent fault 1 fffffff8 0
exception_return_to_itself fault 1 fffffffc 0
exception_return_with_floats fault 1 ffffffe8 0
exception_return_not_secure fault 1 ffffffbc 0
pop_exception_return fault 1 fffffff8 0
unaligned fault 1000000 +4 0
no_coprocessor fault 80000 +0 0
divide_by_zero returned result 20
overflow fault 82 +0 below_data
stack_nowhere fault 10 0 0
stack_at_zero fault 10 0 0
stack_in_victim fault 10 0 0
stack_in_constants fault 10 0 0
stack_in_code fault 10 0 0
stack_in_devices fault 10 0 0
stack_in_system fault 1000 0 0
stack_at_its_end fault 10 0 0
service_without_stack fault 10 0 0
fault_without_stack fault 10010 0 0
breakpoint_without_stack fault 10 0 0
return_without_stack fault 11 0 0
floats_without_stack fault 10 0 0
other_state fault 10000 +0 0
trusted_writes_victim returned damage
trusted_masks_interrupts returned
trusted_faults fault 10000 +2 0
write_neighbour fault 82 +2 neighbour
two returned
random intact most fault all stop
call returned result 6e
call returned result 6e
call returned result 6e
call returned result 6e
END
)";

// Causes are mcause's: 1 fetch, 2 illegal instruction, 3 breakpoint, 5 load, 7 store; then what mtval says. A
// broken stack harms nobody: the hardware pushes nothing there.
const char* const rv32 = R"(protects
call returned result 6e
slices returned sliced result 600
service returned served result 1111
endless slice sliced
sleep fault 2 +0 10500073
mask_interrupts fault 2 +0 30047073
write_victim fault 7 +2 victim
read_victim fault 5 +2 victim
write_constants fault 7 +2 constants
write_code fault 7 +2 code
write_neighbour fault 7 +2 neighbour
become_privileged fault 2 +6 3005a073
return_from_trap fault 2 +0 30200073
disable_protection fault 2 +0 3a005073
change_traps fault 2 +0 30551073
timer fault 7 +4 2004000
reset_device fault 7 +a 100000
no_memory fault 5 +4 d0000000
execute_data fault 1 data data
execute_constants fault 1 constants constants
execute_victim fault 1 victim victim
undefined fault 2 +0 0
wide_undefined fault 2 +0 ffffffff
breakpoint fault 3 +0 0
jump_to_zero fault 1 0 0
jump_to_nowhere fault 1 deadbeee deadbeee
divide_by_zero returned result ffffffff
overflow fault 7 +2 below_data
stack_nowhere slice sliced
service_without_stack returned served result 7
fault_without_stack fault 2 +2 0
return_without_stack returned
trusted_writes_victim returned damage
trusted_masks_interrupts returned
trusted_faults fault 2 +4 0
write_neighbour fault 7 +2 neighbour
two returned
random intact most fault all stop
call returned result 6e
call returned result 6e
call returned result 6e
call returned result 6e
END
)";

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos);
  return text.replace(at, from.size(), to);
}

TEST(AgentCore, Rv32) {
  EXPECT_EQ(run_pieces("rv32imac"), rv32);
  EXPECT_EQ(run_pieces("rv32imafc"), rv32);
}

TEST(AgentCore, CortexM4f) { EXPECT_EQ(run_pieces("cortex-m4f"), cortex_m); }
TEST(AgentCore, CortexM7) { EXPECT_EQ(run_pieces("cortex-m7"), cortex_m); }

TEST(AgentCore, CoresWithoutFloatingPoint) {
  const std::string expected = replaced(cortex_m, "floats_without_stack fault 10 0 0\n", "");
  EXPECT_EQ(run_pieces("cortex-m3"), expected);
  EXPECT_EQ(run_pieces("cortex-m0plus"), expected);
}

// The attempt to leave the secure state is a secure fault, of which CFSR knows nothing.
TEST(AgentCore, CoresWithSecurity) {
  const std::string expected =
      replaced(cortex_m, "other_state fault 10000 +0 0", "other_state fault 80000003 0 0");
  EXPECT_EQ(run_pieces("cortex-m33"), expected);
  EXPECT_EQ(run_pieces("cortex-m55"), expected);
}

}  // namespace
}  // namespace mote
