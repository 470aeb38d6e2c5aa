// SPDX-License-Identifier: Apache-2.0
// The host's end of the link: requests out, their answers in, whatever happens to the frames between.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "agent/protocol.hpp"
#include "device/keys.hpp"
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
  std::chrono::milliseconds repeat{250};    // without an answer, at the earliest, a request is sent again
  std::chrono::milliseconds give_up{5000};  // without any frame from the device
};

class Link {
 public:
  explicit Link(std::unique_ptr<Transport> transport, const LinkTimes& times = {});

  // Opens a session: hello, until the device answers. The answer's status may be `wrong_version`.
  [[nodiscard]] DeviceAnswer hello();
  // Proves to a keyed device that its owner is there; from then on frames carry tags. The answer's status may be
  // `bad_signature`; throws Error when somebody else has answered.
  [[nodiscard]] DeviceAnswer authenticate(const Authentication& answer);
  void set_window(uint32_t requests) { window_ = requests; }

  // `waiting`: called whenever the device says that a call is under way.
  using Waiting = std::function<void(const wire::ActivityOf& activity)>;
  // `work`: for so long the device may be silent, besides the usual time, because it is busy with the request.
  [[nodiscard]] DeviceAnswer ask(wire::Command command, ByteSpan payload, const Waiting& waiting = {},
                                 std::chrono::milliseconds work = {});
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
    std::vector<uint8_t> bytes;  // from the header to the end of the payload, and the tag where there is one
    ByteSpan payload;            // of them, with the tag
  };
  void send(wire::Command command, uint32_t number, ByteSpan payload);
  bool receive(Frame& frame, std::chrono::milliseconds timeout);
  bool take_frame(Frame& frame);
  void send(Exchange& exchange, size_t index);
  void send_again(Exchange& exchange);
  void run(Exchange& exchange);
  void learn_patience(std::chrono::steady_clock::duration taken);
  bool react(Exchange& exchange, Frame& frame);
  bool take_tag(Frame& frame, uint32_t number) const;

  std::unique_ptr<Transport> transport_;
  LinkTimes times_;
  std::chrono::milliseconds patience_;  // with an answer: what answers have taken lately
  LinkStatistics statistics_;
  uint32_t window_ = 1;
  uint16_t session_ = 0;
  uint32_t number_ = 0, loose_number_ = 0;  // the last ones; frames carry their low halves
  std::optional<SessionSecrets> secrets_;   // of an authenticated session
  Bytes arrived_;                           // stuffed, behind the last whole frame
  size_t taken_ = 0;
};

}  // namespace mote
