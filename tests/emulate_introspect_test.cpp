// SPDX-License-Identifier: Apache-2.0
// What is inside images and objects, from the target's binutils.
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/files.hpp"
#include "device/function_image.hpp"
#include "device/introspect.hpp"
#include "emulate/process.hpp"
#include "support/loaded_function.hpp"
#include "target/find.hpp"

namespace mote {
namespace {

namespace fs = std::filesystem;
using test::write_source;

constexpr const char* source =
    "#include <stdint.h>\nstatic int32_t counter = 7;\nint32_t zeros[20];\nextern const int32_t table[3] = {1, 2, "
    "3};\n"
    "namespace dsp {\n__attribute__((noinline)) int32_t scale(int32_t x) { volatile int32_t room[25]; room[0] = "
    "x; return room[0] * 3; }\n"
    "int32_t mix(const int32_t* x, uint32_t n) {\n"
    "  int32_t sum = ++counter;  // the line that is looked for\n"
    "  for (uint32_t i = 0; i < n; ++i) sum += scale(x[i]) / table[i % 3] + zeros[i % 20];\n  return sum;\n}\n}\n"
    "int32_t (*pointer)(int32_t) = dsp::scale;\n"
    "extern \"C\" int32_t through(int32_t x) { return pointer(x) + 1; }\n";

constexpr const char* script =
    "SECTIONS { .text 0x80000000 : { *(.text .text.*) } .rodata : { *(.rodata*) *(.srodata*) }\n"
    "  .init_array : { __init_array_start = .; KEEP(*(.init_array*)) __init_array_end = .; }\n"
    "  .data : { *(.data .data.* .sdata .sdata.*) } .bss : { *(.bss .bss.* .sbss .sbss.*) } }\n";

class Introspect : public testing::TestWithParam<std::string> {
 protected:
  Introspect() {
    const FunctionImage image = build_function(write_source(sources_, "mix.cpp", source, "dsp::mix"), target_,
                                               folder_.path(), ObjectCache(std::nullopt));
    std::vector<std::string> command{std::string(target_.linker)};
    for (const std::string& flag : split_words(target_.link_flags)) command.push_back(flag);
    write_file(folder_.path() / "link.ld", std::string_view(script));
    command.insert(command.end(), {"-nostartfiles", "-static", "-Wl,-e,mote_entry", "-Wl,-u,through",
                                   "-Wl,-u,mote_start", "-T" + (folder_.path() / "link.ld").string()});
    for (const FunctionObject& one : image.objects) {
      command.push_back(one.object.string());
      frames_.push_back(one.frames);
    }
    command.insert(command.end(), {"-o", linked_.string()});
    const ProcessResult result = run_process(command, std::chrono::seconds(60));
    EXPECT_EQ(result.exit_status, 0) << result.errors;
    object_ = image.objects[0].object;
  }

  const ProgramSection& section(const ProgramFacts& facts, const std::string& name) const {
    const auto found = std::ranges::find(facts.sections, name, &ProgramSection::name);
    require(found != facts.sections.end(), "no section {}", name);
    return *found;
  }
  const ProgramSymbol& symbol(const ProgramFacts& facts, const std::string& signature) const {
    const auto found = std::ranges::find(facts.symbols, signature, &ProgramSymbol::signature);
    require(found != facts.symbols.end(), "no symbol {}", signature);
    return *found;
  }

  const Target& target_ = find_target(GetParam());
  TemporaryDirectory sources_, folder_;
  const fs::path linked_ = folder_.path() / "linked.elf";
  fs::path object_;
  std::vector<fs::path> frames_;
};

TEST_P(Introspect, ListsSectionsAndSymbols) {
  const ProgramFacts facts = introspect(linked_, target_);
  const ProgramSection &code = section(facts, ".text"), &zero = section(facts, ".bss"),
                       &data = section(facts, ".data");
  EXPECT_EQ(code.address, 0x80000000U);
  EXPECT_TRUE(code.allocated && code.executable && code.has_content && !code.writable);
  EXPECT_TRUE(zero.allocated && zero.writable && !zero.executable && !zero.has_content);
  EXPECT_TRUE(data.allocated && data.writable && data.has_content);
  EXPECT_FALSE(section(facts, ".debug_info").allocated);
  const ProgramSymbol& zeros = symbol(facts, "zeros");
  EXPECT_EQ(zeros.bytes, 80);
  EXPECT_EQ(zeros.kind, 'B');
  EXPECT_TRUE(zeros.address >= zero.address &&
              zeros.address + 80 <= zero.address + static_cast<uint64_t>(zero.bytes));
  EXPECT_EQ(symbol(facts, "table").bytes, 12);
  EXPECT_EQ(symbol(facts, "table").kind, 'R');
  EXPECT_EQ(symbol(facts, "dsp::scale(long)").name, "_ZN3dsp5scaleEl");
  EXPECT_TRUE(symbol(facts, "mote_entry").is_code());
  EXPECT_TRUE(std::ranges::is_sorted(facts.symbols, {}, &ProgramSymbol::address));
  for (const fs::path& file : {linked_, object_}) {
    for (const ProgramSymbol& one : introspect(file, target_).symbols) {
      EXPECT_FALSE(one.name.starts_with("$") || one.name.starts_with(".L")) << one.name;  // marks, not names
    }
  }
  EXPECT_TRUE(facts.relocations.empty());
}

TEST_P(Introspect, FunctionsBySize) {
  const std::vector<ProgramSymbol> functions = functions_by_size(introspect(linked_, target_));
  ASSERT_GE(functions.size(), 4U);
  for (size_t i = 1; i < functions.size(); ++i) EXPECT_GE(functions[i - 1].bytes, functions[i].bytes);
  EXPECT_TRUE(std::ranges::all_of(functions, &ProgramSymbol::is_code));
}

TEST_P(Introspect, RelocationsOfObjects) {
  const ProgramFacts facts = introspect(object_, target_);
  const auto found = std::ranges::find_if(facts.relocations, [](const ProgramRelocation& one) {
    return one.section.starts_with(".text") && one.section.find("mix") != std::string::npos &&
           one.value.find("scale") != std::string::npos;
  });
  ASSERT_NE(found, facts.relocations.end());
  EXPECT_TRUE(found->type.starts_with(GetParam() == "rv32imac" ? "R_RISCV_" : "R_ARM_THM_")) << found->type;
  for (const ProgramRelocation& one : facts.relocations)
    EXPECT_FALSE(one.section.starts_with(".debug")) << one.section;
}

TEST_P(Introspect, DisassemblesOneFunctionWithItsSource) {
  for (const char* const name : {"dsp::mix", "dsp::mix(long const*, unsigned long)", "_ZN3dsp3mixEPKlm"}) {
    const std::string text = disassemble(linked_, target_, name);
    EXPECT_NE(text.find("<dsp::mix(long const*, unsigned long)>:"), std::string::npos) << name;
    EXPECT_NE(text.find("// the line that is looked for"), std::string::npos) << name;
    EXPECT_EQ(text.find("<mote_entry>:"), std::string::npos) << name;
  }
  EXPECT_NE(disassemble(linked_, target_, "").find("<mote_entry>:"), std::string::npos);
  try {
    (void)disassemble(linked_, target_, "dsp::mux");
    FAIL();
  } catch (const Error& problem) {
    EXPECT_TRUE(
        std::string(problem.what()).starts_with(linked_.string() + ": there is no function 'dsp::mux'; there is "))
        << problem.what();
    EXPECT_NE(std::string(problem.what()).find("dsp::mix"), std::string::npos) << problem.what();
  }
}

TEST_P(Introspect, BoundsTheStack) {
  const StackUse mix = stack_use(linked_, target_, "_ZN3dsp3mixEPKlm", frames_);
  ASSERT_TRUE(mix.bytes) << mix.problem;
  EXPECT_GE(*mix.bytes, 100);
  EXPECT_LE(*mix.bytes, 250);
  const StackUse scale = stack_use(linked_, target_, "_ZN3dsp5scaleEl", frames_);
  EXPECT_LT(*scale.bytes, *mix.bytes);
  EXPECT_EQ(stack_use(linked_, target_, "through", frames_).problem,
            "the stack has no bound: through is called, and it calls through a pointer");
}

TEST_P(Introspect, TellsPeopleAndPrograms) {
  const ProgramFacts facts = introspect(linked_, target_);
  const std::string text = to_text(facts);
  EXPECT_TRUE(text.starts_with("memory map\n  0x80000000 ")) << text;
  for (const char* const wanted :
       {".text ", " code\n", " variables of zero\n", "functions (", "dsp::scale(long)"}) {
    EXPECT_NE(text.find(wanted), std::string::npos) << wanted << "\n" << text;
  }
  EXPECT_EQ(text.find("relocations"), std::string::npos);
  EXPECT_NE(to_text(introspect(object_, target_)).find("relocations ("), std::string::npos);
  const nlohmann::ordered_json json = to_json(facts);
  EXPECT_EQ(json["sections"].size(), facts.sections.size());
  EXPECT_EQ(json["symbols"].size(), facts.symbols.size());
  const auto zeros = std::ranges::find_if(json["symbols"], [](const auto& one) { return one["name"] == "zeros"; });
  ASSERT_NE(zeros, json["symbols"].end());
  EXPECT_EQ((*zeros)["bytes"], 80);
  EXPECT_EQ((*zeros)["code"], false);
}

TEST_P(Introspect, OtherFiles) {
  const fs::path text = folder_.path() / "text";
  write_file(text, std::string_view("no program"));
  try {
    (void)introspect(text, target_);
    FAIL();
  } catch (const Error& problem) {
    EXPECT_NE(std::string(problem.what()).find("objdump cannot read it: "), std::string::npos) << problem.what();
  }
}

INSTANTIATE_TEST_SUITE_P(Targets, Introspect, testing::Values("rv32imac", "cortex-m4f"),
                         [](const auto& info) { return info.param == "rv32imac" ? "rv32imac" : "cortex_m4f"; });

}  // namespace
}  // namespace mote
