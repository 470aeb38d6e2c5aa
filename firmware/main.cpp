// SPDX-License-Identifier: Apache-2.0
// Runs a generated model on every case that the emulator put in memory, and prints outputs, counts and stack use.
#include "console.hpp"

namespace {

#ifdef MOTE_PROFILE
// Ticks of all visits of a step: one that runs in strips has many. The recorder's own ticks count once.
struct StepTicks {
  uint64_t ticks;
  bool wrapped;
};
StepTicks step_ticks[bound::step_count + 1];
Sample first_sample, last_sample;
uint64_t recorder_ticks;
bool recording;

void start_steps() {
  for (StepTicks& step : step_ticks) step = StepTicks{0, false};
  recording = false;
}

void print_step(const StepTicks& step) {
  print_value("STEP_TICKS", step.ticks + recorder_ticks);
  print_value("WRAPPED", step.wrapped ? 1 : 0);
}

void print_steps(const Measure& measure) {
  step_ticks[0].ticks += machine_ticks(measure.begin, first_sample, step_ticks[0].wrapped) - recorder_ticks;
  for (uint32_t i = 0; i < bound::step_count; ++i) print_step(step_ticks[i]);
}
#endif

// What one run adds to the counter by itself: the call of a function that returns at once.
void calibrate() {
  Measure measure;
  mote_measure(mote_return, bound::arenas, &measure);
  print_ticks("EMPTY_TICKS", measure.begin, measure.end);
#ifdef MOTE_PROFILE
  start_steps();
  mote_after_step(0);
  mote_after_step(1);
  recorder_ticks = step_ticks[1].ticks;
  print_value("RECORDER_TICKS", recorder_ticks);
  print_value("WRAPPED", step_ticks[1].wrapped ? 1 : 0);
#endif
}

}  // namespace

#ifdef MOTE_PROFILE
// Between the two samples nothing counts.
extern "C" __attribute__((noinline)) void mote_after_step(unsigned step) {
  const Sample now = machine_sample();
  if (recording) {
    step_ticks[step].ticks += machine_ticks(last_sample, now, step_ticks[step].wrapped) - recorder_ticks;
  } else {
    first_sample = now;
    recording = true;
  }
  last_sample = machine_sample();
}
#endif

#ifdef MOTE_STREAM_INPUT
bool begun;       // later images follow without a new begin
bool last_ended;  // an image is over with its last row, and with no row before

// The image of the case at hand, row by row as a camera would give it.
extern "C" __attribute__((noinline)) void mote_push_rows(void* arena) {
  if (!begun) bound::begin(arena);
  begun = last_ended = true;
  const uint8_t* row = case_inputs;
  for (uint32_t i = 1; i <= bound::row_count; ++i, row += bound::row_bytes) {
    const bool ended = bound::push_row(arena, row) != 0;
    if (ended != (i == bound::row_count)) last_ended = false;
  }
}
#endif

extern "C" [[noreturn]] void mote_main() {
  machine_start_counter();
  const Inputs& inputs = *reinterpret_cast<const Inputs*>(bound::inputs_address);
  if (inputs.magic != inputs_magic) stop("the emulator did not load the inputs");
  print_value("MOTE_CASES", inputs.cases);
  calibrate();
  const uint8_t* next = inputs.bytes;
  uint32_t peak = 0;
  for (uint32_t i = 0; i < inputs.cases; ++i) {
    next = read_case(next);
#ifdef MOTE_PROFILE
    start_steps();
#endif
    Measure measure;
    mote_measure(bound::run(), bound::arenas, &measure);
#ifdef MOTE_STREAM_INPUT
    if (!last_ended) stop("not the last row ends the image");
#endif
    const uint32_t used = measure.stack_pointer - measure.lowest_changed;
    if (measure.lowest_changed - reinterpret_cast<uintptr_t>(mote_stack_bottom) < guard_bytes)
      stop("stack overflow");
    if (used > peak) peak = used;
    print_value("CASE", i);
    print_ticks("TICKS", measure.begin, measure.end);
#ifdef MOTE_PROFILE
    print_steps(measure);
#endif
    print_outputs();
  }
  print_value("STACK_PEAK", peak);
  print_value("STACK_TOTAL", static_cast<uint32_t>(mote_stack_top - mote_stack_bottom));
  print("MOTE_END\n");
  machine_exit(0);
}
