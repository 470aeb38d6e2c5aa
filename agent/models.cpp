// SPDX-License-Identifier: Apache-2.0
#include "models.hpp"

#include <stddef.h>

#include "crypto.hpp"

namespace agent {
namespace {

bool inside(const wire::Range& outer, uint32_t address, uint32_t bytes) {
  return address >= outer.address && address - outer.address <= outer.bytes &&
         outer.bytes - (address - outer.address) >= bytes;
}

bool has_its_hash(const wire::SectionOf& section) {
  uint64_t hash = wire::hash_begin;
  const uint8_t* const bytes = pointer_to(section.address);
  for (uint32_t i = 0; i < section.bytes; ++i) hash = wire::hash_next(hash, bytes[i]);
  return static_cast<uint32_t>(hash) == section.hash[0] && static_cast<uint32_t>(hash >> 32) == section.hash[1];
}

constexpr uint32_t stack_alignment = 16;
const Verdict fine{wire::Status::ok, 0};

Verdict bad_record(uint32_t offset) { return Verdict{wire::Status::bad_record, offset}; }

bool same_name(const Record& a, const Record& b) {
  for (uint32_t i = 0; i < wire::name_bytes; ++i)
    if (a->name[i] != b->name[i]) return false;
  return true;
}

// The owner has signed the record and what is there before the first call: code, constants, and variables, which
// lie between stack and io. The record has been checked.
bool is_signed(const Record& record, const OwnerSignature& signature) {
  const Identity& identity = signature.identity;
  if (signature.count != signature_bytes) return false;
  SignatureCheck check = image_check(identity.key, signature.bytes, identity.firmware_id);
  check.add(pointer_to(record.address()), record.size());
  for (uint32_t i = 0; i < record->sections; ++i) {
    const wire::SectionOf& section = record.section(i);
    if (section.kind != static_cast<uint32_t>(wire::Kind::data))
      check.add(pointer_to(section.address), section.bytes);
    else if (record->io > record->stack_end)
      check.add(pointer_to(record->stack_end), record->io - record->stack_end);
  }
  return check.good();
}

}  // namespace

wire::Range Record::only(wire::Kind kind) const {
  uint32_t i = 0;
  while (section(i).kind != static_cast<uint32_t>(kind)) ++i;
  return wire::Range{section(i).address, section(i).bytes};
}

// Code and data are the model's alone; constants may be another model's too.
Verdict Models::check_section(const wire::SectionOf& section, uint32_t index) {
  const Block* const block = pool_.holding(section.address, section.bytes);
  const bool constants = section.kind == static_cast<uint32_t>(wire::Kind::constants);
  if (block == nullptr || static_cast<uint32_t>(block->kind) != section.kind ||
      (!constants && (block->session == 0 || block->models != 0)))
    return Verdict{wire::Status::not_owned, section.address};
  if (block->kind != wire::Kind::data && !has_its_hash(section))
    return Verdict{wire::Status::hash_mismatch, index};
  return fine;
}

Verdict Models::check(const Record& record) {
  const uint32_t fixed = sizeof(wire::RecordOf) + record.places() * static_cast<uint32_t>(sizeof(wire::PlaceOf));
  if (record->sections > most_blocks || record.size() != fixed + record->sections * sizeof(wire::SectionOf))
    return bad_record(offsetof(wire::RecordOf, sections));
  if (record->name[0] == 0 || record->name[wire::name_bytes - 1] != 0) return bad_record(0);
  uint32_t kinds[3] = {0, 0, 0};
  for (uint32_t i = 0; i < record->sections; ++i) {
    const Verdict verdict = check_section(record.section(i), i);
    if (verdict.status != wire::Status::ok) return verdict;
    ++kinds[record.section(i).kind];
  }
  if (kinds[static_cast<int>(wire::Kind::code)] != 1 || kinds[static_cast<int>(wire::Kind::data)] != 1)
    return bad_record(offsetof(wire::RecordOf, sections));
  const wire::Range code = record.only(wire::Kind::code), data = record.only(wire::Kind::data);
  const bool start = record->start == 0 || inside(code, record->start & ~1u, 2);
  if (!start || !inside(code, record->run & ~1u, 2)) return bad_record(offsetof(wire::RecordOf, run));
  const uint32_t stack = record->stack_begin, stack_bytes = record->stack_end - stack;
  if (((stack | stack_bytes) & (stack_alignment - 1)) != 0 || stack_bytes == 0 ||
      !inside(data, stack, stack_bytes))
    return bad_record(offsetof(wire::RecordOf, stack_begin));
  if (!inside(data, record->io, 0)) return bad_record(offsetof(wire::RecordOf, io));
  for (uint32_t i = 0; i < record.places(); ++i) {
    const wire::Range place = record.place(i);
    if (!inside(data, place.address, place.bytes)) return bad_record(offsetof(wire::RecordOf, inputs));
  }
  return fine;
}

Verdict Models::load(uint32_t address, uint32_t bytes, const OwnerSignature* signature, Model*& model) {
  Block* const own = pool_.find(address);
  if (own == nullptr || own->session == 0 || own->models != 0 || own->bytes < bytes ||
      own->kind != wire::Kind::constants || bytes < sizeof(wire::RecordOf))
    return Verdict{wire::Status::not_owned, address};
  model = nullptr;
  for (Model& candidate : models_)
    if (candidate.state == Model::none) model = &candidate;
  if (model == nullptr) return Verdict{wire::Status::too_many_models, most_models};
  const Record record(address, bytes);
  const Verdict verdict = check(record);
  if (verdict.status != wire::Status::ok) return verdict;
  if (signature != nullptr && !is_signed(record, *signature)) return Verdict{wire::Status::bad_signature, 0};
  for (uint32_t i = 0; i < record->sections; ++i) {
    Block* const block = pool_.holding(record.section(i).address, 1);
    ++block->models;
    block->session = 0;
  }
  ++own->models;
  own->session = 0;
  do {
    ++last_id_;
  } while (last_id_ == 0 || find(last_id_) != nullptr);
  *model = Model();
  model->state = Model::staged;
  model->id = last_id_;
  model->record = record;
  return fine;
}

void Models::commit(Model& model) {
  for (Model& other : models_)
    if (other.state == Model::serving && &other != &model && same_name(other.record, model.record)) drop(other);
  model.state = Model::serving;
}

void Models::drop(Model& model) {
  const Record record = model.record;
  model.state = Model::none;
  const auto leave = [this](Block* block) {
    if (block != nullptr && --block->models == 0 && block->session == 0) pool_.release(*block);
  };
  for (uint32_t i = 0; i < record->sections; ++i) {
    leave(pool_.holding(record.section(i).address, 1));
  }
  leave(pool_.find(record.address()));
}

void Models::end_session() {
  for (Model& model : models_)
    if (model.state == Model::staged) drop(model);
}

Model* Models::find(uint16_t id) {
  for (Model& model : models_)
    if (model.state != Model::none && model.id == id) return &model;
  return nullptr;
}

Model* Models::at(uint32_t index) {
  for (Model& model : models_)
    if (model.state != Model::none && index-- == 0) return &model;
  return nullptr;
}

uint32_t Models::count() {
  uint32_t count = 0;
  while (at(count) != nullptr) ++count;
  return count;
}

uint32_t Models::section_with(const uint32_t hash[2]) {
  for (const Model& model : models_) {
    for (uint32_t i = 0; model.state != Model::none && i < model.record->sections; ++i) {
      const wire::SectionOf& section = model.record.section(i);
      if (section.kind == static_cast<uint32_t>(wire::Kind::constants) && section.hash[0] == hash[0] &&
          section.hash[1] == hash[1])
        return section.address;
    }
  }
  return 0;
}

}  // namespace agent
