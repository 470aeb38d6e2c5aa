// SPDX-License-Identifier: Apache-2.0
// The host's end of the link: requests out, their answers in, whatever happens to the frames between.
#pragma once

#include <functional>
#include <memory>

#include "agent/protocol.hpp"
#include "device/transport.hpp"

namespace mote {

struct DeviceRequest {
  wire::Command command;
  Bytes payload;
};

struct DeviceAnswer {
  wire::Status status = wire::Status::ok;
  Bytes payload;
};

struct LinkStatistics {
  int64_t bytes_out = 0, bytes_in = 0;  // on the wire
  int64_t repeated = 0;                 // requests that were sent again
  int64_t dropped = 0;                  // frames that were none
};

struct LinkTimes {
  std::chrono::milliseconds repeat{250};    // without an answer, a request is sent again
  std::chrono::milliseconds give_up{5000};  // without any frame from the device
};

class Link {
 public:
  explicit Link(std::unique_ptr<Transport> transport, const LinkTimes& times = {});

  // Opens a session: hello, until the device answers. The answer's status may be `wrong_version`.
  [[nodiscard]] DeviceAnswer hello();
  void set_window(uint32_t requests) { window_ = requests; }

  // `waiting`: called whenever the device says that a call is under way.
  using Waiting = std::function<void(const wire::ActivityOf& activity)>;
  [[nodiscard]] DeviceAnswer ask(wire::Command command, ByteSpan payload, const Waiting& waiting = {});
  // Many at once, in their order; `progress` is called with the number of those that are answered.
  [[nodiscard]] std::vector<DeviceAnswer> ask_all(const std::vector<DeviceRequest>& requests,
                                                  const std::function<void(size_t)>& progress = {});
  // Sends without waiting for an answer (wire::Command::cancel).
  void tell(wire::Command command);

  [[nodiscard]] const LinkStatistics& statistics() const { return statistics_; }
  [[nodiscard]] std::string name() const { return transport_->name(); }
  [[nodiscard]] uint16_t session() const { return session_; }

 private:
  struct Exchange;
  struct Frame {
    uint8_t command = 0, status = 0;
    uint16_t session = 0, sequence = 0;
    Bytes payload;
  };
  void send(wire::Command command, uint16_t sequence, ByteSpan payload);
  bool receive(Frame& frame, std::chrono::milliseconds timeout);
  bool take_frame(Frame& frame);
  void run(Exchange& exchange);
  void react(Exchange& exchange, Frame& frame);

  std::unique_ptr<Transport> transport_;
  LinkTimes times_;
  LinkStatistics statistics_;
  uint32_t window_ = 1;
  uint16_t session_ = 0, sequence_ = 0, loose_sequence_ = 0;
  Bytes arrived_;  // stuffed, behind the last whole frame
  size_t taken_ = 0;
};

}  // namespace mote
