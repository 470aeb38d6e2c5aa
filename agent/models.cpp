// SPDX-License-Identifier: Apache-2.0
#include "models.hpp"

#include <stddef.h>

#include "crypto.hpp"
#include "keyed_build.hpp"  // from agent/keyed/ or agent/open/

namespace agent {

using wire::Status;

namespace {

bool inside(const wire::Range& outer, uint32_t address, uint32_t bytes) {
  const uint32_t from = address - outer.address;
  return from <= outer.bytes && outer.bytes - from >= bytes;
}

bool has_its_hash(const wire::SectionOf& section) {
  uint64_t hash = wire::hash_begin;
  const uint8_t* const bytes = pointer_to(section.address);
  for (uint32_t i = 0; i < section.bytes; ++i) hash = wire::hash_next(hash, bytes[i]);
  return static_cast<uint32_t>(hash) == section.hash[0] && static_cast<uint32_t>(hash >> 32) == section.hash[1];
}

constexpr uint32_t stack_alignment = 16;

bool same_name(const Record& a, const Record& b) {
  for (uint32_t i = 0; i < wire::name_bytes; ++i)
    if (a->name[i] != b->name[i]) return false;
  return true;
}

// The owner has signed the record and what is there before the first call: code, constants, and variables, which
// lie between stack and io. The record has been checked.
bool is_signed(const Record& record, const OwnerSignature& signature) {
  const Identity& identity = signature.board.identity();
  if (signature.count != signature_bytes) return false;
  SignatureCheck check = image_check(identity.key, signature.bytes, identity.firmware_id);
  check.add(pointer_to(record.address()), record.size());
  for (const wire::SectionOf& section : record) {
    if (section.kind != static_cast<uint32_t>(wire::Kind::data))
      check.add(pointer_to(section.address), section.bytes);
    else if (record->io > record->stack_end)
      check.add(pointer_to(record->stack_end), record->io - record->stack_end);
  }
  return check.good();
}

}  // namespace

Span Record::only(wire::Kind kind) const {
  const wire::SectionOf* section = begin();
  while (section->kind != static_cast<uint32_t>(kind)) ++section;
  return Span{section->address, section->address + section->bytes};
}

Status Models::refuse(Status why, uint32_t detail) {
  detail_ = detail;
  return why;
}

void Models::keep(Block* block) {
  ++block->models;
  block->session = 0;
}

// Code and data are the model's alone; constants may be another model's too.
Status Models::check_section(const wire::SectionOf& section, uint32_t index) {
  const Block* const block = pool_.holding(section.address, section.bytes);
  if (block == nullptr || static_cast<uint32_t>(block->kind) != section.kind ||
      (block->kind != wire::Kind::constants && block->session == 0))
    return refuse(Status::not_owned, section.address);
  if (block->kind != wire::Kind::data && !has_its_hash(section)) return refuse(Status::hash_mismatch, index);
  return Status::ok;
}

Status Models::check(const Record& record) {
  const uint32_t fixed = sizeof(wire::RecordOf) + record.places() * static_cast<uint32_t>(sizeof(wire::PlaceOf));
  if (record->sections > most_blocks || record.size() != fixed + record->sections * sizeof(wire::SectionOf))
    return refuse(Status::bad_record, offsetof(wire::RecordOf, sections));
  if (record->name[0] == 0 || record->name[wire::name_bytes - 1] != 0) return refuse(Status::bad_record, 0);
  wire::Range ranges[3];  // the last of each kind
  uint32_t kinds[3] = {0, 0, 0};
  uint32_t index = 0;
  for (const wire::SectionOf& section : record) {
    const Status status = check_section(section, index++);
    if (status != Status::ok) return status;
    ++kinds[section.kind];
    ranges[section.kind] = wire::Range{section.address, section.bytes};
  }
  const wire::Range &code = ranges[static_cast<int>(wire::Kind::code)],
                    &data = ranges[static_cast<int>(wire::Kind::data)];
  const uint32_t stack = record->stack_begin, stack_bytes = record->stack_end - stack;
  uint32_t wrong;
  if (kinds[static_cast<int>(wire::Kind::code)] != 1 || kinds[static_cast<int>(wire::Kind::data)] != 1)
    wrong = offsetof(wire::RecordOf, sections);
  else if (!inside(code, record->run & ~1u, 2) || (record->start != 0 && !inside(code, record->start & ~1u, 2)))
    wrong = offsetof(wire::RecordOf, run);
  else if (((stack | stack_bytes) & (stack_alignment - 1)) != 0 || stack_bytes == 0 ||
           !inside(data, stack, stack_bytes))
    wrong = offsetof(wire::RecordOf, stack_begin);
  else if (!inside(data, record->io, 0))
    wrong = offsetof(wire::RecordOf, io);
  else {
    for (uint32_t i = 0; i < record.places(); ++i) {
      const wire::Range place = record.place(i);
      if (!inside(data, place.address, place.bytes))
        return refuse(Status::bad_record, offsetof(wire::RecordOf, inputs));
    }
    return Status::ok;
  }
  return refuse(Status::bad_record, wrong);
}

Status Models::load(uint32_t address, uint32_t bytes, const OwnerSignature* signature, Model*& model) {
  Block* const own = pool_.find(address);
  if (own == nullptr || own->session == 0 || own->bytes < bytes || own->kind != wire::Kind::constants ||
      bytes < sizeof(wire::RecordOf))
    return refuse(Status::not_owned, address);
  model = find(0);
  if (model == nullptr) return refuse(Status::too_many_models, most_models);
  const Record record(address, bytes);
  const Status status = check(record);
  if (status != Status::ok) return status;
  if (keyed_build && signature != nullptr && !is_signed(record, *signature))
    return refuse(Status::bad_signature, 0);
  for (const wire::SectionOf& section : record) {
    keep(pool_.holding(section.address, 1));
    bytes += section.bytes;
  }
  keep(own);
  do {
    ++last_id_;
  } while (last_id_ == 0 || find(last_id_) != nullptr);
  *model = Model{last_id_, 0, bytes, 0, 0, record};
  return Status::ok;
}

void Models::commit(Model& model) {
  for (Model& other : models_)
    if (other.serving != 0 && &other != &model && same_name(other.record, model.record)) drop(other);
  model.serving = 1;
}

void Models::leave(Block* block) {
  if (block != nullptr && --block->models == 0) pool_.release(*block);
}

void Models::drop(Model& model) {
  const Record record = model.record;
  model.id = model.serving = 0;
  for (const wire::SectionOf& section : record) leave(pool_.holding(section.address, 1));
  leave(pool_.find(record.address()));
}

void Models::end_session() {
  for (Model& model : models_)
    if (model.id != 0 && model.serving == 0) drop(model);
}

Model* Models::find(uint16_t id) {
  for (Model& model : models_)
    if (model.id == id) return &model;
  return nullptr;
}

Model* Models::at(uint32_t index) {
  for (Model& model : models_)
    if (model.id != 0 && index-- == 0) return &model;
  return nullptr;
}

uint32_t Models::count() {
  uint32_t count = 0;
  while (at(count) != nullptr) ++count;
  return count;
}

uint32_t Models::section_with(const uint32_t hash[2]) {
  for (const Model& model : models_) {
    if (model.id == 0) continue;
    for (const wire::SectionOf& section : model.record)
      if (section.kind == static_cast<uint32_t>(wire::Kind::constants) && section.hash[0] == hash[0] &&
          section.hash[1] == hash[1])
        return section.address;
  }
  return 0;
}

}  // namespace agent
