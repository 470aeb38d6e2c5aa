// SPDX-License-Identifier: Apache-2.0
#include "emulate/call_graph.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/error.hpp"
#include "emulate/instruction.hpp"

namespace mote {
namespace {

using Frames = std::map<std::string, CompilerFrame, std::less<>>;
using Flow = Instruction::Flow;

// Calls visit(line) for every line.
template <class Visit>
void for_each_line(std::string_view text, Visit visit) {
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    visit(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

// The text between the quotes that follow `key`.
std::string_view quoted(std::string_view line, std::string_view key) {
  const size_t found = line.find(key);
  if (found == std::string_view::npos) return {};
  line.remove_prefix(found + key.size());
  const size_t begin = line.find('"');
  if (begin == std::string_view::npos) return {};
  line.remove_prefix(begin + 1);
  return line.substr(0, line.find('"'));
}

// gcc writes a static function as "FILE:SYMBOL".
std::string symbol_of(std::string_view title) {
  const size_t colon = title.rfind(':');
  return std::string(colon == std::string_view::npos ? title : title.substr(colon + 1));
}

std::optional<uint64_t> parse_address(std::string_view text) {
  uint64_t value = 0;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
  if (text.empty() || status != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

struct Code {
  uint64_t address = 0;
  Instruction instruction;
};

struct Body {
  uint64_t address = 0;
  std::string name;
  std::vector<Code> code;
};

class DisassemblyReader {
 public:
  explicit DisassemblyReader(std::string_view architecture) : architecture_(architecture) {}

  void line(std::string_view text) {
    if (text.ends_with(">:"))
      start_function(text);
    else if (!bodies.empty())
      add_instruction(text);
  }

  std::vector<Body> bodies;

 private:
  void start_function(std::string_view text) {
    const size_t space = text.find(" <");
    const std::optional<uint64_t> address = parse_address(text.substr(0, space));
    if (space == std::string_view::npos || !address) return;
    bodies.push_back({*address, std::string(text.substr(space + 2, text.size() - space - 4)), {}});
  }

  // "80000470:\tadd\tsp,sp,-16"
  void add_instruction(std::string_view text) {
    while (text.starts_with(' ')) text.remove_prefix(1);
    const size_t colon = text.find(":\t");
    if (colon == std::string_view::npos) return;
    const std::optional<uint64_t> address = parse_address(text.substr(0, colon));
    if (!address) return;
    text.remove_prefix(colon + 2);
    const size_t end = std::min(text.find_first_of("\t "), text.size());
    const std::string_view mnemonic = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    while (text.ends_with(' ') || text.ends_with('\t')) text.remove_suffix(1);
    bodies.back().code.push_back({*address, read_instruction(architecture_, mnemonic, text)});
  }

  std::string_view architecture_;
};

class GraphBuilder {
 public:
  GraphBuilder(const std::vector<Body>& bodies, const Frames& frames) : bodies_(bodies), frames_(frames) {}

  Function build(size_t index) {
    const Body& body = bodies_[index];
    Function function{body.name, 0, "", {}, body.address};
    const auto found = frames_.find(body.name);
    const CompilerFrame* const known = found == frames_.end() ? nullptr : &found->second;
    for (const Code& code : body.code) add(function, index, code.instruction, known);
    if (falls_through(body) && index + 1 < bodies_.size()) function.edges.push_back({index + 1, EdgeKind::jump});
    if (known != nullptr) {
      // A function that begins with assembly of its own counts for 0.
      const bool exact = known->exact && known->bytes != 0;
      // A shared prologue may take more at once than the frame has in the end.
      int64_t at_once = 0;
      for (const Code& code : body.code) at_once = std::max(at_once, code.instruction.stack_bytes);
      function.frame_bytes = std::max(known->bytes, exact ? at_once : function.frame_bytes);
      if (!known->bounded) function.problem = "its frame has no fixed size";
      if (known->indirect_calls) function.problem = "it calls through a pointer";
    }
    return function;
  }

 private:
  void add(Function& function, size_t index, const Instruction& instruction, const CompilerFrame* known) {
    function.frame_bytes += instruction.stack_bytes;
    if (instruction.unknown_stack_change && known == nullptr) function.problem = "its frame's size is not known";
    if (instruction.flow == Flow::indirect_call) function.problem = "it calls through a pointer";
    if (!instruction.target || instruction.flow == Flow::next) return;
    if (within(bodies_[index], instruction)) return;
    const size_t target = containing(*instruction.target);
    if (instruction.flow == Flow::call) {
      function.edges.push_back({target, EdgeKind::call});
    } else if (target != index) {
      // A compiler removes its frame before it jumps to another function, but not before its own cold part.
      const Body& other = bodies_[target];
      const bool removed =
          known != nullptr && other.address == *instruction.target && !other.name.ends_with(".cold");
      function.edges.push_back({target, removed ? EdgeKind::tail_call : EdgeKind::jump});
    }
  }

  size_t containing(uint64_t address) const {
    const auto after = std::upper_bound(bodies_.begin(), bodies_.end(), address,
                                        [](uint64_t value, const Body& body) { return value < body.address; });
    require(after != bodies_.begin(), "the disassembly has a call to {:#x}, where no function is", address);
    return static_cast<size_t>(after - bodies_.begin()) - 1;
  }

  // A branch into the middle of its own function: not a call, though it may look like one. ARMv6-M's branches
  // reach 2 KB, and gcc jumps further by a branch with link.
  static bool within(const Body& body, const Instruction& instruction) {
    return instruction.target && *instruction.target > body.address &&
           *instruction.target <= body.code.back().address;
  }

  static bool falls_through(const Body& body) {
    const auto last = std::find_if(body.code.rbegin(), body.code.rend(),
                                   [](const Code& code) { return !code.instruction.padding; });
    if (last == body.code.rend()) return false;
    const Flow flow = last->instruction.flow;
    if (flow == Flow::call && within(body, last->instruction)) return false;
    return flow != Flow::jump && flow != Flow::indirect_jump && flow != Flow::leave;
  }

  const std::vector<Body>& bodies_;
  const Frames& frames_;
};

}  // namespace

void read_callgraph_info(std::string_view text, Frames& frames) {
  for_each_line(text, [&](std::string_view line) {
    if (line.starts_with("node:")) {
      const std::string_view label = quoted(line, "label:");
      const size_t bytes = label.find(" bytes (");
      if (bytes == std::string_view::npos) return;  // only declared there
      const size_t begin = label.rfind("\\n", bytes) + 2;
      CompilerFrame frame;
      std::from_chars(label.data() + begin, label.data() + bytes, frame.bytes);
      frame.bounded = label.substr(bytes).find("(dynamic)") == std::string_view::npos;
      frames[symbol_of(quoted(line, "title:"))] = frame;
    } else if (line.starts_with("edge:") && quoted(line, "targetname:") == "__indirect_call") {
      frames[symbol_of(quoted(line, "sourcename:"))].indirect_calls = true;
    }
  });
}

// "model.cpp:12:_Z7digits_runPv\t48\tstatic"
void read_stack_usage(std::string_view text, Frames& frames) {
  for_each_line(text, [&](std::string_view line) {
    const size_t first = line.find('\t'), second = line.find('\t', first + 1);
    if (second == std::string_view::npos) return;
    CompilerFrame frame{.exact = false};
    std::from_chars(line.data() + first + 1, line.data() + second, frame.bytes);
    frame.bounded = line.substr(second + 1) != "dynamic";
    frames[symbol_of(line.substr(0, first))] = frame;
  });
}

std::vector<Function> read_call_graph(std::string_view disassembly, std::string_view architecture,
                                      const Frames& frames) {
  DisassemblyReader reader(architecture);
  for_each_line(disassembly, [&](std::string_view line) { reader.line(line); });
  std::sort(reader.bodies.begin(), reader.bodies.end(),
            [](const Body& a, const Body& b) { return a.address < b.address; });
  GraphBuilder builder(reader.bodies, frames);
  std::vector<Function> functions;
  for (size_t i = 0; i < reader.bodies.size(); ++i) functions.push_back(builder.build(i));
  return functions;
}

}  // namespace mote
