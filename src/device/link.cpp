// SPDX-License-Identifier: Apache-2.0
#include "device/link.hpp"

#include <algorithm>
#include <array>
#include <random>

#include "agent/frame.hpp"

namespace mote {

namespace {

using Clock = std::chrono::steady_clock;

constexpr size_t longest_frame = 1 << 16;                    // no device announces more
constexpr std::chrono::milliseconds longest_patience{1000};  // between two sendings of a request

const uint8_t* octets(const std::byte* bytes) { return reinterpret_cast<const uint8_t*>(bytes); }

uint16_t new_session() {
  std::random_device random;
  return static_cast<uint16_t>(1 + random() % 65535);
}

}  // namespace

// Requests in their order, of which [answered, sent) are under way.
struct Link::Exchange {
  const std::vector<DeviceRequest>& requests;
  Waiting waiting;
  std::function<void(size_t)> progress;
  uint16_t first = 0;  // sequence number of requests[0]
  bool ordered = true;
  std::vector<DeviceAnswer> answers;
  std::vector<bool> answered;
  size_t done = 0, sent = 0;
  size_t resent_from = SIZE_MAX;  // the gap that was last filled: its echoes are no new gap
};

Link::Link(std::unique_ptr<Transport> transport, const LinkTimes& times)
    : transport_(std::move(transport)), times_(times) {}

void Link::send(wire::Command command, uint16_t sequence, ByteSpan payload) {
  std::vector<uint8_t> frame(wire::header_bytes);
  frame[0] = static_cast<uint8_t>(command);
  wire::put16(&frame[2], session_);
  wire::put16(&frame[4], sequence);
  frame.insert(frame.end(), octets(payload.data()), octets(payload.data()) + payload.size());
  wire::Crc32 crc;
  crc.add(frame.data(), frame.size());
  frame.resize(frame.size() + wire::crc_bytes);
  wire::put32(&frame[frame.size() - wire::crc_bytes], crc.value());
  Bytes stuffed;
  const auto sink = [&](const uint8_t* bytes, size_t count) {
    const auto* const from = reinterpret_cast<const std::byte*>(bytes);
    stuffed.insert(stuffed.end(), from, from + count);
  };
  wire::Stuffer<decltype(sink)> stuffer(sink);
  stuffer.add(frame.data(), frame.size());
  stuffer.end();
  transport_->write(stuffed);
  statistics_.bytes_out += static_cast<int64_t>(stuffed.size());
}

// The next good frame among the bytes that have arrived.
bool Link::take_frame(Frame& frame) {
  for (;;) {
    const auto begin = arrived_.begin() + static_cast<ptrdiff_t>(taken_);
    const auto end = std::find(begin, arrived_.end(), std::byte{0});
    if (end == arrived_.end()) break;
    std::vector<uint8_t> bytes(static_cast<size_t>(end - begin) + 1);
    wire::Unstuffer unstuffer(bytes.data(), static_cast<uint32_t>(bytes.size()));
    bool whole = false;
    for (auto at = begin; at <= end; ++at) whole = unstuffer.add(std::to_integer<uint8_t>(*at));
    taken_ += static_cast<size_t>(end - begin) + 1;
    const size_t size = unstuffer.size();
    if (!whole || size < wire::header_bytes + wire::crc_bytes) {
      if (end != begin) ++statistics_.dropped;
      continue;
    }
    wire::Crc32 crc;
    crc.add(bytes.data(), size - wire::crc_bytes);
    if (crc.value() != wire::get32(&bytes[size - wire::crc_bytes]) || (bytes[0] & wire::response_bit) == 0) {
      ++statistics_.dropped;
      continue;
    }
    const auto* const payload = reinterpret_cast<const std::byte*>(bytes.data());
    frame = Frame{static_cast<uint8_t>(bytes[0] & ~wire::response_bit), bytes[1], wire::get16(&bytes[2]),
                  wire::get16(&bytes[4]), Bytes(payload + wire::header_bytes, payload + size - wire::crc_bytes)};
    return true;
  }
  arrived_.erase(arrived_.begin(), arrived_.begin() + static_cast<ptrdiff_t>(taken_));
  taken_ = 0;
  if (arrived_.size() > longest_frame) arrived_.clear();
  return false;
}

bool Link::receive(Frame& frame, std::chrono::milliseconds timeout) {
  const Clock::time_point end = transport_->now() + timeout;
  while (!take_frame(frame)) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - transport_->now());
    if (left.count() < 0) return false;
    std::array<std::byte, 4096> buffer;
    const size_t bytes = transport_->read(buffer.data(), buffer.size(), left);
    statistics_.bytes_in += static_cast<int64_t>(bytes);
    arrived_.insert(arrived_.end(), buffer.begin(), buffer.begin() + static_cast<ptrdiff_t>(bytes));
  }
  return true;
}

void Link::react(Exchange& exchange, Frame& frame) {
  const auto status = static_cast<wire::Status>(frame.status);
  const size_t index = static_cast<uint16_t>(frame.sequence - exchange.first);
  if (index >= exchange.sent || exchange.answered[index]) return;
  if (frame.command != static_cast<uint8_t>(exchange.requests[index].command)) return;
  if (status == wire::Status::out_of_order) {
    if (frame.payload.size() < sizeof(wire::Index)) return;
    const uint16_t expected = wire::get16(octets(frame.payload.data()));
    const size_t gap = static_cast<uint16_t>(expected - exchange.first);
    if (gap >= exchange.sent || gap == exchange.resent_from) return;
    exchange.resent_from = gap;
    exchange.sent = std::max(gap, exchange.done);  // all from here on go out again
    ++statistics_.repeated;
    return;
  }
  if (status == wire::Status::running) {
    wire::ActivityOf activity{};
    if (frame.payload.size() >= sizeof activity) std::memcpy(&activity, frame.payload.data(), sizeof activity);
    if (exchange.waiting) exchange.waiting(activity);
    return;
  }
  if (status == wire::Status::busy && exchange.ordered) return;  // an earlier call runs on: asked again later
  exchange.answers[index] = DeviceAnswer{status, std::move(frame.payload)};
  exchange.answered[index] = true;
  exchange.resent_from = SIZE_MAX;
  while (exchange.done < exchange.sent && exchange.answered[exchange.done]) ++exchange.done;
  if (exchange.progress) exchange.progress(exchange.done);
}

// Keeps up to `window_` requests under way; one that is not answered goes out again, and with it what follows.
void Link::run(Exchange& exchange) {
  exchange.answers.resize(exchange.requests.size());
  exchange.answered.resize(exchange.requests.size());
  Clock::time_point heard = transport_->now(), due = heard + times_.repeat;
  std::chrono::milliseconds patience = times_.repeat;
  while (exchange.done < exchange.requests.size()) {
    while (exchange.sent < exchange.requests.size() && exchange.sent < exchange.done + window_) {
      const size_t i = exchange.sent++;
      if (!exchange.answered[i])
        send(exchange.requests[i].command, static_cast<uint16_t>(exchange.first + i),
             exchange.requests[i].payload);
    }
    Frame frame;
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(due - transport_->now());
    const size_t before = exchange.done;
    if (receive(frame, std::max(left, std::chrono::milliseconds(0))) && frame.session == session_) {
      heard = transport_->now();
      react(exchange, frame);
      if (exchange.done != before) patience = times_.repeat;
      if (exchange.done != before || exchange.sent < exchange.requests.size()) due = heard + patience;
    }
    const Clock::time_point now = transport_->now();
    require(now - heard < times_.give_up,
            "{}: the device has not answered for {} s; is it the right port, is Mote's agent running there?",
            transport_->name(), std::chrono::duration<double>(times_.give_up).count());
    if (now < due) continue;
    exchange.sent = exchange.done;
    exchange.resent_from = SIZE_MAX;
    ++statistics_.repeated;
    patience = std::min(2 * patience, std::max(times_.repeat, longest_patience));
    due = now + patience;
  }
}

DeviceAnswer Link::hello() {
  session_ = new_session();
  sequence_ = loose_sequence_ = 0;
  window_ = 1;
  transport_->write(Bytes(2));  // ends whatever frame was under way
  const wire::Hello hello{wire::hello_magic, wire::protocol_version};
  const auto* const bytes = reinterpret_cast<const std::byte*>(&hello);
  return ask(wire::Command::hello, ByteSpan(bytes, sizeof hello));
}

DeviceAnswer Link::ask(wire::Command command, ByteSpan payload, const Waiting& waiting) {
  const std::vector<DeviceRequest> requests{{command, Bytes(payload.begin(), payload.end())}};
  const bool ordered = static_cast<uint8_t>(command) >= wire::first_ordered;
  Exchange exchange{requests, waiting, {}, 0, ordered, {}, {}};
  exchange.first = ordered ? static_cast<uint16_t>(sequence_ + 1) : ++loose_sequence_;
  run(exchange);
  if (ordered) ++sequence_;
  return exchange.answers[0];
}

std::vector<DeviceAnswer> Link::ask_all(const std::vector<DeviceRequest>& requests,
                                        const std::function<void(size_t)>& progress) {
  Exchange exchange{requests, {}, progress, static_cast<uint16_t>(sequence_ + 1), true, {}, {}};
  run(exchange);
  sequence_ = static_cast<uint16_t>(sequence_ + requests.size());
  return exchange.answers;
}

void Link::tell(wire::Command command) { send(command, ++loose_sequence_, {}); }

}  // namespace mote
