// SPDX-License-Identifier: Apache-2.0
#include "call.hpp"

namespace agent {

using wire::Status;

namespace {

constexpr uint32_t slice_us = 1000;
constexpr uint8_t paint_byte = 0xa5;

bool holds(const Span& span, uint32_t address, uint32_t bytes) {
  return address >= span.begin && address <= span.end && span.end - address >= bytes;
}

}  // namespace

void Caller::begin(Model& model, wire::Entry entry, uint32_t deadline_ms, bool paint) {
  const Record& record = model.record;
  model_ = &model;
  ++model.calls;
  activity_.code = record.only(wire::Kind::code);
  activity_.data = record.only(wire::Kind::data);
  activity_.constants = Span{0, 0};
  uint32_t regions = 0;
  const Region* const region = board_.regions(regions);
  for (uint32_t i = 0; i < regions; ++i) {  // one span over all regions, and so over what lies between them
    const uint32_t begin = address_of(region[i].begin), end = begin + region[i].bytes;
    if (i == 0 || begin < activity_.constants.begin) activity_.constants.begin = begin;
    if (end > activity_.constants.end) activity_.constants.end = end;
  }
  activity_.unprotected = (record->flags & wire::unprotected) != 0;
  activity_.fault = Fault{0, 0, 0};
  painted_ = paint;
  if (paint)
    for (uint32_t at = record->stack_begin; at < record->stack_end; ++at) *pointer_to(at) = paint_byte;
  core_prepare(activity_, record.entry(entry), record->io, record->stack_end);
  profile_.counters = Counters();
  profile_.model = model.id;
  deadline_ms_ = deadline_ms;
  begun_ms_ = board_.milliseconds();
  done_ = of_ = 0;
  cancelled_ = false;
}

Stop Caller::resume() {
  board_.interrupt_after(slice_us);
  const Counters before = board_.counters();
  const Stop stop = core_resume(activity_);
  const Counters after = board_.counters();
  board_.interrupt_after(0);
  profile_.counters.cycles += after.cycles - before.cycles;
  profile_.counters.instructions += after.instructions - before.instructions;
  return stop;
}

// Loaded code may hand over only what it may read itself.
void Caller::serve() {
  const Service& service = activity_.service;
  const uint32_t first = service.arguments[0], second = service.arguments[1];
  uint32_t result = 0;
  if (service.number == static_cast<uint32_t>(wire::Service::log)) {
    const bool readable = holds(activity_.constants, first, second);  // code and data lie within
    if (readable) log_.add(pointer_to(first), second);
    result = readable ? second : 0;
  } else if (service.number == static_cast<uint32_t>(wire::Service::progress)) {
    done_ = first;
    of_ = second;
  }
  core_set_result(activity_, result);
}

void Caller::finish() {
  const Record& record = model_->record;
  uint32_t lowest = record->stack_begin;
  while (painted_ && lowest < record->stack_end && *pointer_to(lowest) == paint_byte) ++lowest;
  profile_.stack_bytes = painted_ ? record->stack_end - lowest : 0;
  profile_.elapsed_ms = elapsed_ms();
  model_ = nullptr;
}

Status Caller::advance() {
  const Stop stop = cancelled_ ? Stop::slice : resume();
  Status outcome = stop == Stop::fault ? Status::fault : Status::ok;
  if (stop == Stop::service) serve();
  if (stop == Stop::slice || stop == Stop::service) {
    outcome = cancelled_ ? Status::cancelled : Status::deadline;
    if (!cancelled_ && elapsed_ms() < deadline_ms_) return Status::running;
    activity_.fault.pc = static_cast<uint32_t>(core_program_counter(activity_));
  }
  if (outcome != Status::ok) {
    ++model_->faults;
    activity_.fault.stack_pointer = static_cast<uint32_t>(core_stack_pointer(activity_));
  }
  finish();
  return outcome;
}

}  // namespace agent
