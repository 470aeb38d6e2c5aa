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
  uint32_t first = 0;  // number of requests[0]
  bool ordered = true;
  std::vector<DeviceAnswer> answers;
  std::vector<bool> answered;
  std::vector<Clock::time_point> sent_at;
  std::chrono::milliseconds work{0};  // of the device, in which it says nothing
  size_t done = 0, sent = 0;
  size_t resent_from = SIZE_MAX;  // the gap that was last filled: its echoes are no new gap
};

Link::Link(std::unique_ptr<Transport> transport, const LinkTimes& times)
    : transport_(std::move(transport)), times_(times), patience_(times.repeat) {}

void Link::send(wire::Command command, uint32_t number, ByteSpan payload) {
  std::vector<uint8_t> frame(wire::header_bytes);
  frame[0] = static_cast<uint8_t>(command);
  wire::put16(&frame[2], session_);
  wire::put16(&frame[4], number);
  frame.insert(frame.end(), octets(payload.data()), octets(payload.data()) + payload.size());
  if (secrets_) {
    const FrameTag tag = frame_tag(secrets_->to_device, number, frame);
    frame.insert(frame.end(), tag.begin(), tag.end());
  }
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
    bytes.resize(size - wire::crc_bytes);
    frame = Frame{static_cast<uint8_t>(bytes[0] & ~wire::response_bit),
                  bytes[1],
                  wire::get16(&bytes[2]),
                  wire::get16(&bytes[4]),
                  std::move(bytes),
                  {}};
    frame.payload = std::as_bytes(std::span(frame.bytes)).subspan(wire::header_bytes);
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

// In an authenticated session. Only a device that has started anew and knows no keys answers without a tag; that
// anybody could say so costs the session, no more.
bool Link::take_tag(Frame& frame, uint32_t number) const {
  if (!secrets_) return true;
  if (frame.status == static_cast<uint8_t>(wire::Status::no_session) && frame.payload.empty()) return true;
  FrameTag tag;
  if (frame.payload.size() < tag.size()) return false;
  const std::span<const uint8_t> all(frame.bytes), signed_part = all.first(all.size() - tag.size());
  std::ranges::copy(all.last(tag.size()), tag.begin());
  frame.payload = frame.payload.first(frame.payload.size() - tag.size());
  return same_tag(frame_tag(secrets_->to_host, number, signed_part), tag);
}

// False: the frame is none of the device's, or old.
bool Link::react(Exchange& exchange, Frame& frame) {
  const auto status = static_cast<wire::Status>(frame.status);
  const size_t index = static_cast<uint16_t>(frame.sequence - exchange.first);
  if (index >= exchange.requests.size()) return false;
  if (frame.command != static_cast<uint8_t>(exchange.requests[index].command)) return false;
  if (!take_tag(frame, exchange.first + static_cast<uint32_t>(index))) {
    ++statistics_.dropped;
    return false;
  }
  if (index >= exchange.sent || exchange.answered[index]) return true;
  if (status == wire::Status::out_of_order) {
    if (frame.payload.size() < sizeof(wire::Index)) return true;
    const uint16_t expected = wire::get16(octets(frame.payload.data()));
    const size_t gap = static_cast<uint16_t>(expected - exchange.first);
    if (gap >= exchange.sent) return false;  // long answered, or never asked
    if (gap == exchange.resent_from) return true;
    exchange.resent_from = gap;
    exchange.sent = std::max(gap, exchange.done);  // all from here on go out again
    ++statistics_.repeated;
    return true;
  }
  if (status == wire::Status::running) {
    wire::ActivityOf activity{};
    if (frame.payload.size() >= sizeof activity) std::memcpy(&activity, frame.payload.data(), sizeof activity);
    if (exchange.waiting) exchange.waiting(activity);
    return true;
  }
  if (status == wire::Status::busy && exchange.ordered) return true;  // an earlier call runs on: asked again later
  exchange.answers[index] = DeviceAnswer{status, Bytes(frame.payload.begin(), frame.payload.end())};
  exchange.answered[index] = true;
  exchange.resent_from = SIZE_MAX;
  while (exchange.done < exchange.sent && exchange.answered[exchange.done]) ++exchange.done;
  if (exchange.progress) exchange.progress(exchange.done);
  return true;
}

// Without order each sending has a number of its own: a tagged one works once.
void Link::send(Exchange& exchange, size_t index) {
  if (!exchange.ordered) exchange.first = ++loose_number_;
  exchange.sent_at[index] = transport_->now();
  send(exchange.requests[index].command, exchange.first + static_cast<uint32_t>(index),
       exchange.requests[index].payload);
}

// After a time-out the oldest request that is not answered goes out again, and when its answer comes, the next
// one.
void Link::send_again(Exchange& exchange) {
  send(exchange, exchange.done);
  exchange.resent_from = SIZE_MAX;
  ++statistics_.repeated;
}

// Keeps up to `window_` requests under way.
void Link::run(Exchange& exchange) {
  const size_t count = exchange.requests.size();
  exchange.answers.resize(count);
  exchange.answered.resize(count);
  exchange.sent_at.resize(count);
  Clock::time_point heard = transport_->now(), due = heard + patience_;
  std::chrono::milliseconds patience = patience_;
  size_t recovering = 0;  // those before it were under way when the time was out
  while (exchange.done < count) {
    for (; exchange.sent < count && exchange.sent < exchange.done + window_; ++exchange.sent)
      if (!exchange.answered[exchange.sent]) send(exchange, exchange.sent);
    Frame frame;
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(due - transport_->now());
    const size_t before = exchange.done;
    if (receive(frame, std::max(left, std::chrono::milliseconds(0))) && frame.session == session_ &&
        react(exchange, frame)) {
      heard = transport_->now();
      if (exchange.done != before) {
        if (recovering == 0) learn_patience(heard - exchange.sent_at[exchange.done - 1]);
        patience = patience_;
        due = heard + patience;
        if (exchange.done < recovering && exchange.sent >= recovering) send_again(exchange);
      }
    }
    const Clock::time_point now = transport_->now();
    require(now - heard < times_.give_up + exchange.work,
            "{}: the device has not answered for {} s; is it the right port, is Mote's agent running there?",
            transport_->name(), std::chrono::duration<double>(times_.give_up + exchange.work).count());
    if (now < due) continue;
    recovering = exchange.sent;
    if (exchange.sent > exchange.done) send_again(exchange);
    patience = std::min(2 * patience, std::max(times_.repeat, longest_patience));
    due = now + patience;
  }
}

// An answer that takes longer than those before is not yet a lost one.
void Link::learn_patience(Clock::duration taken) {
  const auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(taken);
  patience_ =
      std::clamp((7 * patience_ + 4 * milliseconds) / 8, times_.repeat, std::max(times_.repeat, longest_patience));
}

DeviceAnswer Link::hello() {
  session_ = new_session();
  number_ = loose_number_ = 0;
  secrets_.reset();
  window_ = 1;
  transport_->write(Bytes(2));  // ends whatever frame was under way
  const wire::Hello hello{wire::hello_magic, wire::protocol_version};
  const auto* const bytes = reinterpret_cast<const std::byte*>(&hello);
  return ask(wire::Command::hello, ByteSpan(bytes, sizeof hello));
}

// The answer is tagged, which nobody but the device that made the challenge can do; its number is the request's.
DeviceAnswer Link::authenticate(const Authentication& answer) {
  Bytes payload(sizeof(wire::Authenticate));
  std::memcpy(payload.data(), answer.host_key.data(), answer.host_key.size());
  std::memcpy(payload.data() + answer.host_key.size(), answer.signature.data(), answer.signature.size());
  DeviceAnswer got = ask(wire::Command::authenticate, payload);
  if (got.status != wire::Status::ok) return got;
  std::array<uint8_t, wire::header_bytes> header{static_cast<uint8_t>(wire::Command::authenticate) |
                                                 wire::response_bit};
  wire::put16(&header[2], session_);
  wire::put16(&header[4], loose_number_);
  const FrameTag tag = frame_tag(answer.secrets.to_host, loose_number_, header);
  FrameTag sent{};
  if (got.payload.size() == sent.size()) std::memcpy(sent.data(), got.payload.data(), sent.size());
  require(got.payload.size() == sent.size() && same_tag(tag, sent),
          "{}: somebody else than the device has answered, or this is not the agent's firmware",
          transport_->name());
  secrets_ = answer.secrets;
  number_ = 0;  // the session begins
  return {};
}

DeviceAnswer Link::ask(wire::Command command, ByteSpan payload, const Waiting& waiting,
                       std::chrono::milliseconds work) {
  const std::vector<DeviceRequest> requests{{command, Bytes(payload.begin(), payload.end())}};
  const bool ordered =
      static_cast<uint8_t>(command) >= wire::first_ordered && command != wire::Command::authenticate;
  Exchange exchange{requests, waiting, {}, number_ + 1, ordered, {}, {}, {}};
  exchange.work = work;
  run(exchange);
  if (ordered) ++number_;
  return exchange.answers[0];
}

std::vector<DeviceAnswer> Link::ask_all(const std::vector<DeviceRequest>& requests,
                                        const std::function<void(size_t)>& progress) {
  Exchange exchange{requests, {}, progress, number_ + 1, true, {}, {}, {}};
  run(exchange);
  number_ += static_cast<uint32_t>(requests.size());
  return exchange.answers;
}

void Link::tell(wire::Command command) { send(command, ++loose_number_, {}); }

}  // namespace mote
