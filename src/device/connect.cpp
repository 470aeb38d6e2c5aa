// SPDX-License-Identifier: Apache-2.0
#include "device/connect.hpp"

#include "base/temporary_directory.hpp"
#include "device/agent_firmware.hpp"
#include "device/serial.hpp"
#include "device/tcp.hpp"
#include "target/find.hpp"

namespace mote {

namespace {

// The emulator, and the files that it was started from.
class EmulatedBoard final : public Transport {
 public:
  EmulatedBoard(const std::string& target_name, const std::optional<Key>& owner) {
    const Target& target = find_target(target_name);
    const AgentFirmware firmware = build_agent(target, directory_.path(), owner);
    stream_ = process_transport(agent_command(target, firmware.program, "stdio"), "qemu:" + target_name);
  }
  size_t read(std::byte* to, size_t limit, std::chrono::milliseconds timeout) override {
    return stream_->read(to, limit, timeout);
  }
  void write(ByteSpan bytes) override { stream_->write(bytes); }
  std::string name() const override { return stream_->name(); }

 private:
  TemporaryDirectory directory_;
  std::unique_ptr<Transport> stream_;
};

}  // namespace

std::unique_ptr<Transport> connect(const std::string& address, const std::optional<Key>& owner) {
  if (address.starts_with("qemu:")) return std::make_unique<EmulatedBoard>(address.substr(5), owner);
  if (address.starts_with("tcp://")) return connect_tcp(address);
  if (address.starts_with("pty:")) return connect_pty(address);
  if (address.starts_with("/")) return connect_serial(address);
  fail("'{}' is no device's address; /dev/PORT, tcp://HOST:PORT, pty:/dev/pts/NUMBER and qemu:TARGET are",
       address);
}

}  // namespace mote
