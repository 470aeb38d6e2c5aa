// SPDX-License-Identifier: Apache-2.0
// Loaded code that goes wrong on purpose: each fault is reported, and the next call works.
#include <gtest/gtest.h>

#include <random>

#include "base/files.hpp"
#include "base/temporary_directory.hpp"
#include "device/connect.hpp"
#include "device/loader.hpp"
#include "emulate/toolchain.hpp"
#include "target/find.hpp"

namespace mote {
namespace {

// io: what to do, an argument, the result.
constexpr const char* source = R"(
#include <stdint.h>
extern "C" void hostile(void* memory) {
  volatile uint32_t* const io = static_cast<volatile uint32_t*>(memory);
  const uint32_t argument = io[1];
  uint32_t recurse[16];
  switch (io[0]) {
    case 0: io[2] = argument + 1; return;
    case 1: *reinterpret_cast<volatile uint32_t*>(argument) = 1; return;
    case 2: io[2] = *reinterpret_cast<volatile uint32_t*>(argument); return;
    case 3: reinterpret_cast<void (*)()>(argument)(); return;
    case 4: reinterpret_cast<void (*)()>(memory)(); return;
    case 5: asm volatile(".word 0"); return;
    case 6: asm volatile("ebreak"); return;
    case 7: for (;;) asm volatile("" ::: "memory");
    case 8: for (uint32_t i = 0; i < 16; ++i) recurse[i] = i;
            hostile(memory);
            asm volatile("" : : "r"(recurse) : "memory");
            return;
    case 9: asm volatile("mv sp, %0\n\tsw zero, -4(sp)\n\tret" : : "r"(argument)); return;
    case 10: asm volatile("csrw mstatus, %0" : : "r"(argument)); return;
    case 11: asm volatile("mret"); return;
    case 12: asm volatile("mv a0, %0\n\tli a1, 0\n\tli a2, 0\n\tecall" : : "r"(argument) : "a0", "a1", "a2"); return;
    case 13: {
      register uint32_t number asm("a0") = 1;
      register uint32_t text asm("a1") = argument;
      register uint32_t bytes asm("a2") = 64;
      asm volatile("ecall" : "+r"(number) : "r"(text), "r"(bytes));
      io[2] = number;
      return;
    }
    case 14: asm volatile("mv gp, %0\n\tmv tp, %0\n\tmv s0, %0\n\tmv s1, %0\n\tjr %0" : : "r"(argument)); return;
  }
}
)";

constexpr uint32_t firmware_code = 0x80000000, firmware_data = 0x80100000, uart = 0x10000000, nowhere = 0x40000000;

class Hostile : public testing::Test {
 protected:
  Hostile() : device_(connect("qemu:rv32imac"), {std::chrono::milliseconds(250), std::chrono::seconds(60)}) {
    write_file(directory_.path() / "hostile.cpp", std::string_view(source));
    const Target& target = find_target("rv32imac");
    compile_source(target, directory_.path() / "hostile.cpp", directory_.path() / "hostile.o",
                   {"-O1", "-Wno-infinite-recursion", "-fno-optimize-sibling-calls"});
    Program program;
    program.name = program.run = "hostile";
    program.target = &target;
    program.objects = {directory_.path() / "hostile.o"};
    program.io_bytes = 12;
    program.inputs = {{0, 8}};
    program.outputs = {{8, 4}};
    program.stack_bytes = 1024;
    model_ = load_program(device_, program).model;
  }

  uint32_t call(uint32_t what, uint32_t argument) {
    CallOptions options;
    options.deadline = std::chrono::milliseconds(5);
    return to_values<uint32_t>(device_.call(model_, to_bytes(std::vector<uint32_t>{what, argument}), options))[0];
  }
  // Its text without the model's and device's names; empty: nothing went wrong.
  std::string problem(uint32_t what, uint32_t argument) {
    try {
      (void)call(what, argument);
    } catch (const CallError& error) {
      return error.what();
    }
    return "";
  }

  TemporaryDirectory directory_;
  Device device_;
  DeviceModel model_;
};

TEST_F(Hostile, EachFaultIsReportedAndTheNextCallWorks) {
  struct Case {
    uint32_t what, argument;
    std::string text;
  };
  const std::string store = "store to memory that is not its own", load = "load from memory that is not its own",
                    fetch = "execution of memory that is not code", illegal = "illegal instruction";
  for (const Case& c : std::vector<Case>{{1, 0, store},
                                         {1, firmware_code, store},
                                         {1, firmware_data, store},
                                         {1, uart, store},
                                         {1, model_.code, store},
                                         {2, firmware_data, load},
                                         {2, uart, load},
                                         {2, nowhere, load},
                                         {3, firmware_code, fetch},
                                         {3, nowhere, fetch},
                                         {4, 0, fetch},
                                         {5, 0, illegal},
                                         {6, 0, "breakpoint"},
                                         {7, 0, "did not end within its deadline"},
                                         {8, 0, "stack overflow: it has 1024 B"},
                                         {9, firmware_data, store},
                                         {10, 0, illegal},
                                         {11, 0, illegal},
                                         {14, nowhere, fetch}}) {
    const std::string text = problem(c.what, c.argument);
    EXPECT_NE(text.find(c.text), std::string::npos) << c.what << " " << c.argument << ": " << text;
    EXPECT_NE(text.find("pc 0x"), std::string::npos) << text;
    EXPECT_EQ(call(0, 41), 42U);
  }
  EXPECT_EQ(problem(12, 77), "");          // a service that does not exist
  EXPECT_EQ(call(13, firmware_data), 0U);  // what it may not read, it cannot log
  EXPECT_EQ(call(13, model_.stack_begin), 64U);
  EXPECT_EQ(device_.models()[0].faults, 19U);
}

TEST_F(Hostile, NamesThePlace) {
  try {
    (void)call(1, firmware_data);
    FAIL() << "nothing happened";
  } catch (const CallError& error) {
    EXPECT_EQ(error.status, wire::Status::fault);
    EXPECT_EQ(error.stop.address, firmware_data);
    EXPECT_GE(error.stop.pc, model_.code);
    EXPECT_LT(error.stop.pc, model_.code + model_.code_bytes);
    EXPECT_GE(error.stop.stack_pointer, model_.stack_begin);
    EXPECT_LE(error.stop.stack_pointer, model_.stack_end);
  }
}

TEST_F(Hostile, AThousandInARow) {
  std::mt19937 random(9);
  const std::vector<uint32_t> places{0,       firmware_code,      firmware_data, uart,
                                     nowhere, model_.stack_begin, model_.code};
  uint32_t faults = 0;
  for (int i = 0; i < 1000; ++i) {
    const auto what = static_cast<uint32_t>(1 + random() % 14);
    const auto offset = static_cast<uint32_t>(random() % 4096);
    const uint32_t place =
        random() % 8 == 0 ? static_cast<uint32_t>(random()) : places[random() % places.size()] + offset;
    if (!problem(what, place).empty()) ++faults;
    if (i % 10 == 0) {
      ASSERT_EQ(call(0, 41), 42U) << what;
    }
  }
  EXPECT_EQ(call(0, 1), 2U);
  EXPECT_GT(faults, 800U);
  EXPECT_EQ(device_.models()[0].faults, faults);
}

// A person who waits no longer: the call is cancelled, and the model stays.
TEST_F(Hostile, ACallCanBeCancelled) {
  CallOptions options;
  options.deadline = std::chrono::minutes(10);
  int asked = 0;
  options.waiting = [&](const wire::ActivityOf& activity) {
    EXPECT_EQ(activity.model, model_.id);
    if (++asked == 2) device_.cancel();
  };
  try {
    (void)device_.call(model_, to_bytes(std::vector<uint32_t>{7, 0}), options);
    FAIL() << "it has returned";
  } catch (const CallError& error) {
    EXPECT_EQ(error.status, wire::Status::cancelled);
  }
  EXPECT_GE(asked, 2);
  EXPECT_EQ(call(0, 1), 2U);
}

}  // namespace
}  // namespace mote
