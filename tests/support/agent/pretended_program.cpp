// SPDX-License-Identifier: Apache-2.0
#include "support/agent/pretended_program.hpp"

namespace mote::test {

DeviceModel load_pretended(Device& device, const PretendedProgram& pretended) {
  constexpr uint32_t stack_bytes = 64;
  const Bytes& code = pretended.code;
  const auto code_bytes = static_cast<int64_t>(code.size());
  const uint32_t data_bytes = stack_bytes + pretended.io_bytes;
  Program program;
  program.name = "pretended";
  program.inputs = pretended.inputs;
  program.outputs = pretended.outputs;
  Image image;
  image.sections = {
      {wire::Kind::code, "", device.allocate(wire::Kind::code, code_bytes), code, code_bytes, content_hash(code)},
      {wire::Kind::data, "", device.allocate(wire::Kind::data, data_bytes), {}, data_bytes, 0}};
  image.run = image.sections[0].address;
  image.stack_begin = image.sections[1].address;
  image.io = image.stack_end = image.stack_begin + stack_bytes;
  device.write(image.run, code);
  device.write(image.stack_begin, Bytes(data_bytes));
  Bytes contents = record_of(program, image, 1);
  const auto record_bytes = static_cast<int64_t>(contents.size());
  const uint32_t at = device.allocate(wire::Kind::constants, record_bytes);
  device.write(at, contents);
  contents.insert(contents.end(), code.begin(), code.end());  // what an owner signs
  device.commit(device.load(at, record_bytes, contents));
  return device.model(program.name).value();
}

}  // namespace mote::test
