// SPDX-License-Identifier: Apache-2.0
// The models that are loaded: their records (wire::RecordOf), checked once, and the blocks that they keep.
#pragma once

#include "pool.hpp"
#include "protocol.hpp"

namespace agent {

constexpr uint32_t most_models = 16;

// A record where it lies, at a multiple of 64 bytes.
class Record {
 public:
  Record() = default;
  Record(uint32_t address, uint32_t bytes)
      : at_(reinterpret_cast<const wire::RecordOf*>(pointer_to(address))), bytes_(bytes) {}

  const wire::RecordOf* operator->() const { return at_; }
  uint32_t entry(wire::Entry which) const { return which == wire::Entry::run ? at_->run : at_->start; }
  uint32_t places() const { return at_->inputs + at_->outputs; }
  // The inputs, then the outputs.
  wire::Range place(uint32_t index) const {
    const wire::PlaceOf& place = reinterpret_cast<const wire::PlaceOf*>(at_ + 1)[index];
    return wire::Range{at_->io + place.offset, place.bytes};
  }
  const wire::SectionOf& section(uint32_t index) const {
    return reinterpret_cast<const wire::SectionOf*>(reinterpret_cast<const wire::PlaceOf*>(at_ + 1) +
                                                    places())[index];
  }
  wire::Range only(wire::Kind kind) const;  // the first section of this kind
  uint32_t size() const { return bytes_; }
  uint32_t address() const { return address_of(at_); }

 private:
  const wire::RecordOf* at_ = nullptr;
  uint32_t bytes_ = 0;
};

struct Model {
  enum State : uint8_t { none, staged, serving };
  State state = none;
  uint16_t id = 0;
  uint32_t calls = 0, faults = 0;
  Record record;
};

// Why a record is refused; ok: it is not.
struct Verdict {
  wire::Status status;
  uint32_t detail;
};

// What came with an image for a keyed device.
struct OwnerSignature {
  const Identity& identity;
  const uint8_t* bytes;
  uint32_t count;  // signature_bytes, unless it is none
};

class Models {
 public:
  explicit Models(Pool& pool) : pool_(pool) {}

  // Checks everything that the agent relies on later; the blocks become the model's, and the session cannot write
  // them any more.
  // With a signature, the image must be the owner's.
  Verdict load(uint32_t address, uint32_t bytes, const OwnerSignature* signature, Model*& model);
  void commit(Model& model);  // drops the older one of its name
  void drop(Model& model);
  void end_session();  // drops what was not committed
  Model* find(uint16_t id);
  Model* at(uint32_t index);                      // counting those that are there; nullptr: no more
  uint32_t section_with(const uint32_t hash[2]);  // address, or 0
  uint32_t count();

 private:
  Verdict check(const Record& record);
  Verdict check_section(const wire::SectionOf& section, uint32_t index);

  Pool& pool_;
  uint16_t last_id_ = 0;
  Model models_[most_models];
};

}  // namespace agent
