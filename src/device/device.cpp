// SPDX-License-Identifier: Apache-2.0
#include "device/device.hpp"

#include <algorithm>
#include <numeric>
#include <thread>

#include "base/text.hpp"
#include "target/find.hpp"
#include "target/registry.hpp"

namespace mote {

namespace {

using wire::Command;
using wire::Status;

template <class T>
Bytes bytes_of(const T& value) {
  const auto* const from = reinterpret_cast<const std::byte*>(&value);
  return Bytes(from, from + sizeof value);
}

template <class T>
T part_of(ByteSpan bytes, size_t from = 0) {
  T value;
  require(bytes.size() >= from + sizeof value, "the device's answer is {} bytes long, which is too short",
          bytes.size());
  std::memcpy(&value, bytes.data() + from, sizeof value);
  return value;
}

void append(Bytes& to, ByteSpan bytes) { to.insert(to.end(), bytes.begin(), bytes.end()); }

std::string text_of(const char* letters, size_t most) { return std::string(letters, strnlen(letters, most)); }

uint64_t joined(const uint32_t words[2]) { return static_cast<uint64_t>(words[1]) << 32 | words[0]; }

// What a refusal says besides its status; 0 where it says nothing.
uint32_t detail(ByteSpan payload) { return payload.size() < 4 ? 0 : part_of<uint32_t>(payload); }

std::string what_failed(Command command) {
  switch (command) {
    case Command::allocate: return "allocating memory";
    case Command::release: return "releasing memory";
    case Command::read: return "reading memory";
    case Command::write: return "writing memory";
    case Command::load: return "loading";
    case Command::authenticate: return "proving who is there";
    case Command::commit: return "taking the model into service";
    case Command::unload: return "unloading";
    case Command::call:
    case Command::input:
    case Command::output: return "calling";
    default: return "a request";
  }
}

std::string refusal(Status status, ByteSpan payload) {
  switch (status) {
    case Status::no_session:
      return "the session is over: the device has started anew, or somebody else has connected";
    case Status::busy: return "a call is under way";
    case Status::unknown_command: return "the device does not know this command; its firmware is older";
    case Status::malformed: return "the device did not understand the request";
    case Status::not_authenticated:
      return "the device wants to know who is there; give the owner's key with --key";
    case Status::bad_signature: return "the device does not accept the signature; is it the key of its owner?";
    case Status::out_of_memory: {
      const auto shortage =
          payload.size() < sizeof(wire::Shortage) ? wire::Shortage{} : part_of<wire::Shortage>(payload);
      return fmt::format(
          "{} B of memory are asked for, the largest free block has {} B ({} B are free): {} B are missing",
          thousands(shortage.asked), thousands(shortage.largest), thousands(shortage.free),
          thousands(int64_t{shortage.asked} - shortage.largest));
    }
    case Status::too_many_blocks: return "the device's table of memory blocks is full; unload a model";
    case Status::too_many_models: return "the device's table of models is full; unload one";
    case Status::not_owned: return fmt::format("the memory at {:#010x} is not this session's", detail(payload));
    case Status::hash_mismatch: return fmt::format("section {} did not arrive as it was sent", detail(payload));
    case Status::bad_record: return fmt::format("the image's record is wrong at {}", detail(payload));
    case Status::no_such_model: return "there is no such model any more; `mote device models` lists them";
    case Status::wrong_size: return fmt::format("the model takes {} B of input", thousands(detail(payload)));
    case Status::ok:
    case Status::running:
    case Status::out_of_order:
    case Status::wrong_version:
    case Status::fault:
    case Status::deadline:
    case Status::cancelled: break;
  }
  return fmt::format("the device says {}", static_cast<int>(status));
}

std::string hexadecimal(const uint8_t* bytes, size_t count) {
  std::string text;
  for (size_t i = 0; i < count; ++i) text += fmt::format("{:02x}", bytes[i]);
  return text.find_first_not_of('0') == std::string::npos ? "" : text;
}

}  // namespace

Device::Device(std::unique_ptr<Transport> transport, const LinkTimes& times, std::shared_ptr<const OwnerKey> owner)
    : link_(std::move(transport), times), owner_(std::move(owner)) {
  greet();
}

// A call that an earlier session left behind is cancelled by the first hello; the next one finds it over.
void Device::greet() {
  DeviceAnswer answer = link_.hello();
  for (int again = 0; answer.status == Status::busy && again < 50; ++again) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    answer = link_.hello();
  }
  if (answer.status == Status::wrong_version) {
    fail(
        "{}: the device speaks version {} of the protocol, this program version {}; use Mote's program of the "
        "firmware's release, or build the firmware anew",
        link_.name(), detail(answer.payload), wire::protocol_version);
  }
  const Bytes payload = take(std::move(answer), Command::hello);
  const auto welcome = part_of<wire::Welcome>(payload);
  const size_t regions_at = payload.size() - sizeof(wire::Welcome);
  require(welcome.payload_bytes >= 64 && welcome.regions * sizeof(wire::RegionOf) <= regions_at,
          "{}: the device's greeting makes no sense", link_.name());
  info_ = DeviceInfo{text_of(welcome.target, sizeof welcome.target),
                     text_of(welcome.board, sizeof welcome.board),
                     hexadecimal(welcome.firmware_id, sizeof welcome.firmware_id),
                     welcome.payload_bytes,
                     std::clamp<uint32_t>(welcome.window, 1, wire::remembered),
                     welcome.counter_hz,
                     (welcome.flags & wire::keyed) != 0,
                     (welcome.flags & wire::protects) != 0,
                     {}};
  for (uint32_t i = 0; i < welcome.regions; ++i) {
    const auto region = part_of<wire::RegionOf>(payload, sizeof(wire::Welcome) + i * sizeof(wire::RegionOf));
    info_.regions.push_back(
        {text_of(region.name, sizeof region.name), region.begin, region.bytes, region.executable != 0});
  }
  link_.set_window(info_.window);
  prove(payload, welcome);
}

void Device::prove(ByteSpan greeting, const wire::Welcome& welcome) {
  if (!info_.keyed) {
    require(
        owner_ == nullptr,
        "{}: this device has no owner, whoever reaches it may load; it is another one, or its firmware was built "
        "without the key: leave out --key if you mean it",
        link_.name());
    return;
  }
  require(owner_ != nullptr, "{}: only its owner may use this device; give the key with --key FILE", link_.name());
  const auto challenge =
      part_of<Key>(greeting, sizeof(wire::Welcome) + info_.regions.size() * sizeof(wire::RegionOf));
  std::ranges::copy(welcome.firmware_id, firmware_id_.begin());
  DeviceAnswer answer =
      link_.authenticate(::mote::authenticate(*owner_, challenge, firmware_id_, link_.session()));
  (void)take(std::move(answer), Command::authenticate);
}

Bytes Device::take(DeviceAnswer answer, Command command) const {
  if (answer.status == Status::ok) return std::move(answer.payload);
  fail("{}: {} failed: {}", link_.name(), what_failed(command), refusal(answer.status, answer.payload));
}

Bytes Device::ask(Command command, ByteSpan payload, const Link::Waiting& waiting) {
  return take(link_.ask(command, payload, waiting), command);
}

std::vector<DeviceRegion> Device::heap() {
  const Bytes payload = ask(Command::heap, {});
  std::vector<DeviceRegion> regions = info_.regions;
  for (size_t i = 0; i < regions.size(); ++i) {
    const auto use = part_of<wire::HeapOf>(payload, i * sizeof(wire::HeapOf));
    regions[i].free = use.free;
    regions[i].largest = use.largest;
    regions[i].high_water = use.high_water;
    regions[i].blocks = use.blocks;
  }
  return regions;
}

std::vector<DeviceModel> Device::models() {
  std::vector<DeviceModel> models;
  for (uint32_t i = 0;; ++i) {
    DeviceAnswer answer = link_.ask(Command::models, bytes_of(wire::Index{i}));
    if (answer.status == Status::no_such_model) return models;
    const auto of = part_of<wire::ModelOf>(take(std::move(answer), Command::models));
    require(i < 1 << 12 && of.record.bytes < 1 << 16, "{}: the device's list of models makes no sense",
            link_.name());
    const Bytes bytes = read(of.record.address, of.record.bytes);
    const auto record = part_of<wire::RecordOf>(bytes);
    DeviceModel model{
        of.model, of.serving != 0, text_of(record.name, sizeof record.name), joined(record.source), of.bytes,
        of.calls, of.faults};
    model.stack_begin = record.stack_begin;
    model.stack_end = record.stack_end;
    size_t at = sizeof record;
    for (int place = 0; place < record.inputs + record.outputs; ++place, at += sizeof(wire::PlaceOf)) {
      const auto size = part_of<wire::PlaceOf>(bytes, at).bytes;
      (place < record.inputs ? model.input_bytes : model.output_bytes) += size;
    }
    for (uint32_t section = 0; section < record.sections; ++section, at += sizeof(wire::SectionOf)) {
      const auto of_section = part_of<wire::SectionOf>(bytes, at);
      if (of_section.kind != static_cast<uint32_t>(wire::Kind::code)) continue;
      model.code = of_section.address;
      model.code_bytes = of_section.bytes;
    }
    models.push_back(model);
  }
}

std::optional<DeviceModel> Device::model(std::string_view name) {
  for (DeviceModel& model : models())
    if (model.serving && model.name == name) return std::move(model);
  return std::nullopt;
}

uint32_t Device::allocate(wire::Kind kind, int64_t bytes, uint32_t alignment, std::string_view region) {
  wire::Allocate asked{255, kind, 0, narrow<uint32_t>(bytes), alignment};
  for (size_t i = 0; i < info_.regions.size(); ++i)
    if (info_.regions[i].name == region) asked.region = static_cast<uint8_t>(i);
  require(region.empty() || asked.region != 255, "{}: the device has no memory '{}'", link_.name(), region);
  return part_of<wire::Address>(ask(Command::allocate, bytes_of(asked))).address;
}

void Device::release(uint32_t address) { (void)ask(Command::release, bytes_of(wire::Address{address})); }

Bytes Device::read(uint32_t address, int64_t bytes) {
  std::vector<DeviceRequest> requests;
  for (int64_t at = 0; at < bytes; at += info_.payload_bytes) {
    const auto now = static_cast<uint32_t>(std::min<int64_t>(bytes - at, info_.payload_bytes));
    requests.push_back({Command::read, bytes_of(wire::Range{address + static_cast<uint32_t>(at), now})});
  }
  Bytes all;
  for (DeviceAnswer& answer : link_.ask_all(requests)) append(all, take(std::move(answer), Command::read));
  require(static_cast<int64_t>(all.size()) == bytes, "{}: the device sent {} of {} bytes", link_.name(),
          all.size(), bytes);
  return all;
}

void Device::write(uint32_t address, ByteSpan bytes, const std::function<void(int64_t)>& progress) {
  const size_t most = info_.payload_bytes - sizeof(wire::Address);
  std::vector<DeviceRequest> requests;
  for (size_t at = 0; at < bytes.size(); at += most) {
    requests.push_back({Command::write, bytes_of(wire::Address{address + static_cast<uint32_t>(at)})});
    append(requests.back().payload, bytes.subspan(at, std::min(most, bytes.size() - at)));
  }
  const auto answers = link_.ask_all(requests, [&](size_t done) {
    if (progress) progress(static_cast<int64_t>(std::min(done * most, bytes.size())));
  });
  for (const DeviceAnswer& answer : answers) (void)take(answer, Command::write);
}

std::vector<uint32_t> Device::find(const std::vector<uint64_t>& hashes) {
  constexpr size_t at_once = 32;
  std::vector<uint32_t> addresses;
  for (size_t at = 0; at < hashes.size(); at += at_once) {
    const std::span<const uint64_t> some(hashes.data() + at, std::min(at_once, hashes.size() - at));
    const Bytes payload = ask(Command::find, to_bytes(some));
    for (size_t i = 0; i < some.size(); ++i) addresses.push_back(part_of<uint32_t>(payload, 4 * i));
  }
  return addresses;
}

uint16_t Device::load(uint32_t record, int64_t bytes, ByteSpan contents) {
  Bytes asked = bytes_of(wire::Range{record, narrow<uint32_t>(bytes)});
  if (info_.keyed) {
    const auto* const from = reinterpret_cast<const uint8_t*>(contents.data());
    append(asked, bytes_of(sign_image(*owner_, firmware_id_, {from, contents.size()})));
  }
  // Hashes of all that was sent: some hundred instructions for each byte where it is signed.
  const auto work = std::chrono::seconds(1 + contents.size() / (1 << 16));
  const Bytes payload = take(link_.ask(Command::load, asked, {}, work), Command::load);
  return part_of<wire::ModelId>(payload).model;
}

void Device::commit(uint16_t model) { (void)ask(Command::commit, bytes_of(wire::ModelId{model, 0})); }

void Device::unload(uint16_t model) { (void)ask(Command::unload, bytes_of(wire::ModelId{model, 0})); }

void Device::put_inputs(const DeviceModel& model, ByteSpan input, uint32_t position) {
  const size_t most = info_.payload_bytes - sizeof(wire::Part);
  std::vector<DeviceRequest> requests;
  for (size_t at = 0; at < input.size(); at += most) {
    requests.push_back({Command::input, bytes_of(wire::Part{model.id, 0, position + static_cast<uint32_t>(at)})});
    append(requests.back().payload, input.subspan(at, std::min(most, input.size() - at)));
  }
  for (DeviceAnswer& answer : link_.ask_all(requests)) (void)take(std::move(answer), Command::input);
}

namespace {

std::string call_problem(const DeviceModel& model, const DeviceInfo& device, Status status,
                         const wire::StopOf& stop) {
  if (status == Status::cancelled) return fmt::format("{} was cancelled at pc {:#010x}", model.name, stop.pc);
  if (status == Status::deadline)
    return fmt::format("{} did not end within its deadline; it was at pc {:#010x}", model.name, stop.pc);
  const std::string& target = device.target;
  const bool known = std::ranges::any_of(target::all(), [&](const Target* t) { return t->name == target; });
  std::string cause = fault_text(known ? find_target(target).architecture : "", stop.cause);
  const uint32_t lowest = std::min(stop.address == 0 ? stop.stack_pointer : stop.address, stop.stack_pointer);
  if (lowest < model.stack_begin && model.stack_begin - lowest < (1 << 16))
    cause = fmt::format("stack overflow: it has {} B ({})", model.stack_end - model.stack_begin, cause);
  return fmt::format("{} failed: {} at pc {:#010x}, address {:#010x}", model.name, cause, stop.pc, stop.address);
}

}  // namespace

Bytes Device::call(const DeviceModel& model, ByteSpan input, const CallOptions& options) {
  wire::CallHeader header{model.id, options.entry, 0, narrow<uint32_t>(options.deadline.count())};
  if (options.paint_stack) header.flags |= wire::paint;
  if (options.frame) header.flags |= wire::frame;
  const size_t most = info_.payload_bytes - sizeof header - (options.frame ? sizeof(wire::FrameOf) : 0);
  const size_t ahead = input.size() > most ? input.size() - most : 0;
  const uint32_t begin = options.frame ? options.frame->input : 0;
  put_inputs(model, input.first(ahead), begin);
  Bytes payload = bytes_of(header);
  if (options.frame) {
    wire::FrameOf frame = *options.frame;
    frame.input += static_cast<uint32_t>(ahead);
    append(payload, bytes_of(frame));
  }
  append(payload, input.subspan(ahead));
  DeviceAnswer answer = link_.ask(Command::call, payload, options.waiting);
  if (answer.status >= Status::fault && answer.payload.size() >= sizeof(wire::StopOf)) {
    const auto stop = part_of<wire::StopOf>(answer.payload);
    throw CallError(link_.name() + ": " + call_problem(model, info_, answer.status, stop), answer.status, stop);
  }
  Bytes output = take(std::move(answer), Command::call);
  if (options.entry != wire::Entry::run) return {};
  const size_t total = options.frame ? options.frame->output_bytes : model.output_bytes;
  const uint32_t from = options.frame ? options.frame->output : 0;
  while (output.size() < total) {
    Bytes wanted = bytes_of(wire::Part{model.id, 0, from + static_cast<uint32_t>(output.size())});
    append(wanted, bytes_of(wire::Index{static_cast<uint32_t>(total - output.size())}));
    const Bytes more = ask(Command::output, wanted);
    require(!more.empty(), "{}: the device sent {} of {} bytes of the output", link_.name(), output.size(), total);
    append(output, more);
  }
  return output;
}

CallProfile Device::profile() {
  const auto of = part_of<wire::ProfileOf>(ask(Command::profile, {}));
  return {joined(of.cycles), joined(of.instructions), of.stack_bytes, of.elapsed_ms};
}

std::string Device::log(uint32_t& position) {
  std::string text;
  for (;;) {
    const Bytes payload = ask(Command::log, bytes_of(wire::LogFrom{position}));
    const auto from = part_of<wire::LogFrom>(payload);
    if (payload.size() == sizeof from) return text;
    text.append(reinterpret_cast<const char*>(payload.data()) + sizeof from, payload.size() - sizeof from);
    position = from.position + static_cast<uint32_t>(payload.size() - sizeof from);
  }
}

void Device::reset() { (void)ask(Command::reset, {}); }

}  // namespace mote
