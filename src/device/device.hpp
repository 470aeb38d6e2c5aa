// SPDX-License-Identifier: Apache-2.0
// A device that runs Mote's agent: what it is, its memory, its models. Every refusal is an Error that says why and
// what to do.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "device/link.hpp"

namespace mote {

struct DeviceRegion {
  std::string name;
  uint32_t begin = 0, bytes = 0;
  bool executable = false;
  uint32_t free = 0, largest = 0, high_water = 0, blocks = 0;  // filled by heap()
};

struct DeviceInfo {
  std::string target, board;
  std::string firmware_id;  // hexadecimal; empty: unknown
  uint32_t payload_bytes = 0, window = 1, counter_hz = 0;
  bool keyed = false, protects = false;
  std::vector<DeviceRegion> regions;
};

struct DeviceModel {
  uint16_t id = 0;
  bool serving = false;
  std::string name;
  uint64_t source = 0;
  uint32_t bytes = 0, calls = 0, faults = 0;
  uint32_t input_bytes = 0, output_bytes = 0;
  uint32_t code = 0, code_bytes = 0, stack_begin = 0, stack_end = 0;
};

struct CallOptions {
  std::chrono::milliseconds deadline{0};  // 0: the device's own, wire::default_deadline_ms
  bool paint_stack = false;
  wire::Entry entry = wire::Entry::run;
  std::optional<wire::FrameOf> frame;  // where input and output lie, for functions
  Link::Waiting waiting;
};

struct CallProfile {
  uint64_t cycles = 0, instructions = 0;
  uint32_t stack_bytes = 0, elapsed_ms = 0;
};

// Why a call did not come back with a result.
class CallError : public Error {
 public:
  CallError(const std::string& text, wire::Status status, const wire::StopOf& stop)
      : Error(text), status(status), stop(stop) {}
  wire::Status status;
  wire::StopOf stop;
};

class Device {
 public:
  // Says hello; throws Error when nobody answers, or with another version.
  // A device with an owner wants its key, and with a key no other device will do.
  explicit Device(std::unique_ptr<Transport> transport, const LinkTimes& times = {},
                  std::shared_ptr<const OwnerKey> owner = nullptr);

  [[nodiscard]] const DeviceInfo& info() const { return info_; }
  [[nodiscard]] std::vector<DeviceRegion> heap();
  [[nodiscard]] std::vector<DeviceModel> models();
  [[nodiscard]] std::optional<DeviceModel> model(std::string_view name);  // that serves under this name

  [[nodiscard]] uint32_t allocate(wire::Kind kind, int64_t bytes, uint32_t alignment = 64,
                                  std::string_view region = "");
  void release(uint32_t address);
  [[nodiscard]] Bytes read(uint32_t address, int64_t bytes);
  void write(uint32_t address, ByteSpan bytes, const std::function<void(int64_t)>& progress = {});
  // Addresses of constants that are there, 0 for those that are not.
  [[nodiscard]] std::vector<uint32_t> find(const std::vector<uint64_t>& hashes);

  // `contents`: what the owner signs where the device is keyed: the record, then for each section in its order
  // code, constants, or the initial variables.
  [[nodiscard]] uint16_t load(uint32_t record, int64_t bytes, ByteSpan contents = {});
  void commit(uint16_t model);
  void unload(uint16_t model);
  // All inputs behind each other in, all outputs behind each other out. Throws CallError.
  [[nodiscard]] Bytes call(const DeviceModel& model, ByteSpan input, const CallOptions& options = {});
  void cancel() { link_.tell(wire::Command::cancel); }
  [[nodiscard]] CallProfile profile();
  // What loaded code has logged from a position on, which moves behind it.
  [[nodiscard]] std::string log(uint32_t& position);
  void reset();

  [[nodiscard]] const LinkStatistics& statistics() const { return link_.statistics(); }

 private:
  [[nodiscard]] Bytes ask(wire::Command command, ByteSpan payload, const Link::Waiting& waiting = {});
  [[nodiscard]] Bytes take(DeviceAnswer answer, wire::Command command) const;
  void greet();
  void prove(ByteSpan greeting, const wire::Welcome& welcome);
  void put_inputs(const DeviceModel& model, ByteSpan input, uint32_t position);

  Link link_;
  DeviceInfo info_;
  std::shared_ptr<const OwnerKey> owner_;
  FirmwareId firmware_id_{};
};

// The cause of a fault in words, for a target's cores.
[[nodiscard]] std::string fault_text(std::string_view architecture, uint32_t cause);

}  // namespace mote
