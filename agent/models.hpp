// SPDX-License-Identifier: Apache-2.0
// The models that are loaded: their records (wire::RecordOf), checked once, and the blocks that they keep.
#pragma once

#include "core.hpp"
#include "pool.hpp"
#include "protocol.hpp"

namespace agent {

constexpr uint32_t most_models = 16;

// A record where it lies, at a multiple of 64 bytes.
class Record {
 public:
  Record() = default;
  Record(uint32_t address, uint32_t bytes) : address_(address), bytes_(bytes) {}

  const wire::RecordOf* operator->() const {
    return reinterpret_cast<const wire::RecordOf*>(pointer_to(address_));
  }
  uint32_t entry(wire::Entry which) const { return which == wire::Entry::run ? (*this)->run : (*this)->start; }
  uint32_t places() const { return (*this)->inputs + (*this)->outputs; }
  // The inputs, then the outputs.
  wire::Range place(uint32_t index) const {
    const wire::PlaceOf& place = first_place()[index];
    return wire::Range{(*this)->io + place.offset, place.bytes};
  }
  const wire::SectionOf* begin() const {
    return reinterpret_cast<const wire::SectionOf*>(first_place() + places());
  }
  const wire::SectionOf* end() const { return begin() + (*this)->sections; }
  Span only(wire::Kind kind) const;  // the first section of this kind
  uint32_t size() const { return bytes_; }
  uint32_t address() const { return address_; }

 private:
  const wire::PlaceOf* first_place() const { return reinterpret_cast<const wire::PlaceOf*>(operator->() + 1); }
  uint32_t address_ = 0, bytes_ = 0;
};

// As wire::ModelOf has it; `id` 0: there is none.
struct Model {
  uint16_t id = 0, serving = 0;
  uint32_t bytes = 0, calls = 0, faults = 0;
  Record record;
};

// What came with an image for a keyed device.
struct OwnerSignature {
  const Board& board;
  const uint8_t* bytes;
  uint32_t count;  // signature_bytes, unless it is none
};

class Models {
 public:
  explicit Models(Pool& pool) : pool_(pool) {}

  // Checks everything that the agent relies on later; the blocks become the model's, and the session cannot write
  // them any more. With a signature, the image must be the owner's. Not ok: detail() is what the answer says.
  wire::Status load(uint32_t address, uint32_t bytes, const OwnerSignature* signature, Model*& model);
  uint32_t detail() const { return detail_; }
  void commit(Model& model);  // drops the older one of its name
  void drop(Model& model);
  void end_session();                             // drops what was not committed
  Model* find(uint16_t id);                       // 0: a free place
  Model* at(uint32_t index);                      // counting those that are there; nullptr: no more
  uint32_t section_with(const uint32_t hash[2]);  // address, or 0
  uint32_t count();

 private:
  wire::Status refuse(wire::Status why, uint32_t detail);
  static void keep(Block* block);
  void leave(Block* block);
  wire::Status check(const Record& record);
  wire::Status check_section(const wire::SectionOf& section, uint32_t index);

  Pool& pool_;
  uint32_t detail_;
  uint16_t last_id_ = 0;
  Model models_[most_models];
};

}  // namespace agent
