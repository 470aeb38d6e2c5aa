// SPDX-License-Identifier: Apache-2.0
// Runs a generated model on every case that the emulator put in memory, and prints outputs, counts and stack use.
//
// Needs no library: number printing subtracts powers of ten, so that every libgcc member in the link is the
// model's.
#include "harness.hpp"
#include "model.hpp"

namespace {

// Bytes at the bottom of the stack that no run may touch.
constexpr uint32_t guard_bytes = 256;

struct Inputs {
  uint32_t magic, cases;
  uint8_t bytes[1];
};
constexpr uint32_t inputs_magic = 0x45544f4d;  // "MOTE"

void print(const char* text) {
  uint32_t bytes = 0;
  while (text[bytes] != 0) ++bytes;
  machine_write(text, bytes);
}

void print_decimal(uint64_t value) {
  static const uint64_t powers[] = {10000000000000000000u,
                                    1000000000000000000u,
                                    100000000000000000u,
                                    10000000000000000u,
                                    1000000000000000u,
                                    100000000000000u,
                                    10000000000000u,
                                    1000000000000u,
                                    100000000000u,
                                    10000000000u,
                                    1000000000u,
                                    100000000u,
                                    10000000u,
                                    1000000u,
                                    100000u,
                                    10000u,
                                    1000u,
                                    100u,
                                    10u,
                                    1u};
  char text[20];
  uint32_t length = 0;
  for (uint64_t power : powers) {
    char digit = '0';
    for (; value >= power; value -= power) ++digit;
    if (digit != '0' || length != 0 || power == 1) text[length++] = digit;
  }
  machine_write(text, length);
}

void print_value(const char* key, uint64_t value) {
  print(key);
  print("=");
  print_decimal(value);
  print("\n");
}

void print_hexadecimal(const uint8_t* bytes, uint32_t count) {
  char line[65];
  while (count != 0) {
    const uint32_t now = count < 32 ? count : 32;
    for (uint32_t i = 0; i < now; ++i) {
      line[2 * i] = "0123456789abcdef"[bytes[i] >> 4];
      line[2 * i + 1] = "0123456789abcdef"[bytes[i] & 15];
    }
    line[2 * now] = '\n';
    machine_write(line, 2 * now + 1);
    bytes += now;
    count -= now;
  }
}

void print_address(uint32_t address) {
  char text[8];
  for (int i = 0; i < 8; ++i) text[i] = "0123456789abcdef"[(address >> (28 - 4 * i)) & 15];
  print("0x");
  machine_write(text, 8);
}

void print_ticks(const char* key, const Sample& from, const Sample& to) {
  bool wrapped = false;
  print_value(key, machine_ticks(from, to, wrapped));
  print_value("WRAPPED", wrapped ? 1 : 0);
}

[[noreturn]] void stop(const char* why) {
  print("FAULT ");
  print(why);
  print("\n");
  machine_exit(1);
}

// Returns the address behind the case: a word (1: goes on from the state of the case before, 0: begins anew), then
// the inputs, each at a multiple of 4 bytes.
const uint8_t* read_case(const uint8_t* from) {
  if (from[0] == 0) bound::reset();
  from += 4;
  for (uint32_t i = 0; i < bound::input_count; ++i) {
    uint8_t* const to = bound::input(i);
    for (uint32_t byte = 0; byte < bound::input_bytes[i]; ++byte) to[byte] = from[byte];
    from += (bound::input_bytes[i] + 3) & ~3u;
  }
  return from;
}

void print_outputs() {
  for (uint32_t i = 0; i < bound::output_count; ++i) {
    print_value("OUTPUT", i);
    print_hexadecimal(bound::output(i), bound::output_bytes[i]);
  }
}

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

extern "C" [[noreturn]] void mote_fault(uint32_t cause, uint32_t pc, uint32_t address) {
  print("\nFAULT ");
  print(machine_cause(cause));
  print(" (cause ");
  print_decimal(cause);
  print(") at pc ");
  print_address(pc);
  print(", address ");
  print_address(address);
  print("\n");
  machine_exit(1);
}

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
