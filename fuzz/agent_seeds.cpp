// SPDX-License-Identifier: Apache-2.0
// Writes the seeds of agent_fuzz into a folder: the life of a model, and parts of it.
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "agent/protocol.hpp"
#include "agent_script.hpp"
#include "handmade_model.hpp"
#include "support/agent/pretended_core.hpp"

namespace {

using mote::fuzz::Handmade;
using mote::fuzz::Step;
using mote::test::Instruction;
using wire::Command;

constexpr uint32_t code_at = mote::fuzz::pool_address, data_at = code_at + 64, record_at = data_at + 256,
                   constants_at = record_at + 192;

class Writer {
 public:
  template <class... T>
  Writer& ask(Command command, const T&... parts) {
    std::vector<uint8_t> payload;
    (append(payload, parts), ...);
    bytes_.insert(bytes_.end(), {static_cast<uint8_t>(Step::request), static_cast<uint8_t>(command),
                                 static_cast<uint8_t>(payload.size()), static_cast<uint8_t>(payload.size() >> 8)});
    bytes_.insert(bytes_.end(), payload.begin(), payload.end());
    return *this;
  }
  Writer& settle(uint8_t steps) {
    bytes_.insert(bytes_.end(), {static_cast<uint8_t>(Step::settle), steps});
    return *this;
  }
  void save(const std::filesystem::path& file) const {
    std::ofstream(file, std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes_.data()), static_cast<std::streamsize>(bytes_.size()));
  }

 private:
  static void append(std::vector<uint8_t>& to, const std::vector<uint8_t>& bytes) {
    to.insert(to.end(), bytes.begin(), bytes.end());
  }
  template <class T>
  static void append(std::vector<uint8_t>& to, const T& value) {
    mote::fuzz::append(to, value);
  }
  std::vector<uint8_t> bytes_;
};

Writer hello() { return Writer().ask(Command::hello, wire::Hello{wire::hello_magic, wire::protocol_version}); }

// A model with these instructions, loaded: the agent gives these addresses.
Writer loaded(const std::vector<uint8_t>& instructions) {
  Handmade model{code_at, data_at, constants_at, instructions};
  model.instructions.resize(Handmade::code_bytes);
  const auto allocate = [](wire::Kind kind, uint32_t bytes) { return wire::Allocate{255, kind, 0, bytes, 64}; };
  return hello()
      .ask(Command::allocate, allocate(wire::Kind::code, Handmade::code_bytes))
      .ask(Command::allocate, allocate(wire::Kind::data, Handmade::data_bytes))
      .ask(Command::allocate, allocate(wire::Kind::constants, Handmade::record_bytes))
      .ask(Command::allocate, allocate(wire::Kind::constants, Handmade::constants_bytes))
      .ask(Command::write, wire::Address{code_at}, model.instructions)
      .ask(Command::write, wire::Address{constants_at}, model.numbers)
      .ask(Command::write, wire::Address{record_at}, record(model))
      .ask(Command::load, wire::Range{record_at, Handmade::record_bytes});
}

std::vector<uint8_t> program(std::initializer_list<int> bytes) {
  return std::vector<uint8_t>(bytes.begin(), bytes.end());
}

constexpr wire::ModelId model{1, 0};

void write_all(const std::filesystem::path& folder) {
  hello().ask(Command::heap).ask(Command::models, wire::Index{0}).save(folder / "hello");
  const std::vector<uint8_t> input(16, 3), reverse = program({3, 16, 2, 6, 16, 1});
  const wire::CallHeader call{1, wire::Entry::run, 0, 0}, painted{1, wire::Entry::run, wire::paint, 100};
  const wire::CallHeader framed{1, wire::Entry::run, wire::frame, 100};
  loaded(reverse)
      .ask(Command::commit, model)
      .ask(Command::models, wire::Index{0})
      .ask(Command::find, mote::fuzz::section(0, wire::Kind::constants, std::vector<uint8_t>(96, 7), 0).hash)
      .ask(Command::input, wire::Part{1, 0, 0}, std::vector<uint8_t>(8, 2))
      .ask(Command::call, call, input)
      .settle(4)
      .ask(Command::output, wire::Part{1, 0, 4}, wire::Index{8})
      .ask(Command::profile)
      .ask(Command::log, wire::LogFrom{0})
      .ask(Command::read, wire::Range{data_at, 256})
      .ask(Command::unload, model)
      .ask(Command::heap)
      .save(folder / "life");
  loaded(reverse).ask(Command::call, painted, input).settle(4).ask(Command::profile).save(folder / "painted");
  loaded(reverse)
      .ask(Command::call, framed, wire::FrameOf{0, 4, 8}, std::vector<uint8_t>(8, 1))
      .save(folder / "framed");
  loaded(program({4}))
      .ask(Command::call, call)
      .settle(20)
      .ask(Command::status)
      .ask(Command::cancel)
      .settle(4)
      .save(folder / "cancelled");
  loaded(program({4}))
      .ask(Command::call, call)
      .settle(20)
      .ask(Command::hello, wire::Hello{})
      .save(folder / "spins");
  loaded(program({5, 2})).ask(Command::call, call).ask(Command::reset).save(folder / "faults");
  loaded(reverse)
      .ask(Command::release, wire::Address{constants_at})
      .ask(Command::write, wire::Address{code_at}, program({1}))
      .save(folder / "not_owned");
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 2) return 2;
  std::filesystem::create_directories(arguments[1]);
  write_all(arguments[1]);
  return 0;
}
