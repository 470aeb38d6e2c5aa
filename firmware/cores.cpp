// SPDX-License-Identifier: Apache-2.0
// Runs a generated model on two cores: at the same time; or, to count the instructions of each without its waits,
// in turn on one core, where the cores' parts are coroutines that change over at the barriers.
#include "console.hpp"

namespace {

Measure measures[2];

#ifdef MOTE_COUNT_CORES
Context contexts[2];
Sample since[2];             // where the part under way goes on
bool waited[2];              // before that, it began with measures[core].begin
uint64_t busy[2], slice[2];  // ticks without waits, in all and since the last barrier
uint64_t path;               // the slower core's, from barrier to barrier
uint64_t wait_ticks;         // what one wait adds by itself
bool counts;

#ifdef MOTE_PROFILE
constexpr bool profiled = true;  // the recorder of steps uses `since`, too: its build counts nothing else
uint64_t step_ticks[2][bound::step_count + 1];
uint64_t recorder_ticks;
int running;
#else
constexpr bool profiled = false;
#endif

void end_slice(int core, const Sample& now, uint64_t overhead) {
  if (profiled) return;
  bool wrapped = false;
  slice[core] = machine_ticks(waited[core] ? since[core] : measures[core].begin, now, wrapped) - overhead;
  busy[core] += slice[core];
  // Core 0 comes first to every barrier, and to the end.
  if (core == 1) path += slice[0] > slice[1] ? slice[0] : slice[1];
}

void start_counts() {
  for (int core = 0; core < 2; ++core) {
    waited[core] = false;
    busy[core] = slice[core] = 0;
  }
  path = 0;
#ifdef MOTE_PROFILE
  for (auto& of_core : step_ticks) {
    for (uint64_t& ticks : of_core) ticks = 0;
  }
  running = 0;
#endif
}
#else
uint32_t finished;
#endif

void print_counts() {
#ifdef MOTE_COUNT_CORES
  print_value("TICKS", path);
  print_value("WRAPPED", 0);
  for (const uint64_t ticks : busy) {
    print_value("CORE_TICKS", ticks);
    print_value("WRAPPED", 0);
  }
#ifdef MOTE_PROFILE
  for (const auto& of_core : step_ticks) {
    for (uint32_t i = 0; i < bound::step_count; ++i) {
      print_value("STEP_TICKS", of_core[i] + recorder_ticks);
      print_value("WRAPPED", 0);
    }
  }
#endif
#endif
}

}  // namespace

#ifdef MOTE_COUNT_CORES
// Called in place of the barrier.
extern "C" __attribute__((noinline)) void mote_wait(int core) {
  end_slice(core, machine_sample(), wait_ticks);
  waited[core] = true;
  if (counts) mote_switch(&contexts[core], &contexts[1 - core]);
#ifdef MOTE_PROFILE
  running = core;
#endif
  since[core] = machine_sample();
}

#ifdef MOTE_PROFILE
extern "C" __attribute__((noinline)) void mote_after_step(unsigned step) {
  const Sample now = machine_sample();
  bool wrapped = false;
  const int core = running;
  const Sample& from = waited[core] ? since[core] : measures[core].begin;
  step_ticks[core][step] += machine_ticks(from, now, wrapped) - recorder_ticks;
  waited[core] = true;
  since[core] = machine_sample();
}
#endif
#endif

// The second core, from its release on.
extern "C" void mote_second_core() {
  mote_measure_on(bound::run_part(), bound::part_arguments[1], &measures[1], mote_second_stack_bottom);
#ifdef MOTE_COUNT_CORES
  end_slice(1, measures[1].end, 0);
  mote_switch(&contexts[1], &contexts[0]);
#else
  __atomic_store_n(&finished, 1, __ATOMIC_RELEASE);
#endif
}

namespace {

void calibrate() {
  Measure measure;
  mote_measure(mote_return, bound::arenas, &measure);
  print_ticks("EMPTY_TICKS", measure.begin, measure.end);
#ifdef MOTE_COUNT_CORES
  start_counts();
  mote_wait(0);
  mote_wait(0);
  wait_ticks = slice[0];
#ifdef MOTE_PROFILE
  start_counts();
  mote_after_step(0);
  mote_after_step(1);
  recorder_ticks = step_ticks[0][1];
  print_value("RECORDER_TICKS", recorder_ticks);
  print_value("WRAPPED", 0);
#endif
#endif
}

void run_case() {
#ifdef MOTE_COUNT_CORES
  start_counts();
  contexts[1].return_address = reinterpret_cast<uintptr_t>(mote_second_core);
  contexts[1].stack_pointer = reinterpret_cast<uintptr_t>(mote_second_stack_top);
  counts = true;
  mote_measure(bound::run_part(), bound::part_arguments[0], &measures[0]);
  end_slice(0, measures[0].end, 0);
  mote_switch(&contexts[0], &contexts[1]);
  counts = false;
#else
  __atomic_store_n(&finished, 0, __ATOMIC_RELEASE);
  machine_release_second_core();
  mote_measure(bound::run_part(), bound::part_arguments[0], &measures[0]);
  while (__atomic_load_n(&finished, __ATOMIC_ACQUIRE) == 0) {
  }
#endif
}

}  // namespace

extern "C" [[noreturn]] void mote_main() {
  machine_start_counter();
  const Inputs& inputs = *reinterpret_cast<const Inputs*>(bound::inputs_address);
  if (inputs.magic != inputs_magic) stop("the emulator did not load the inputs");
  print_value("MOTE_CASES", inputs.cases);
  calibrate();
  const uint8_t* next = inputs.bytes;
  const uint8_t* const bottoms[] = {mote_stack_bottom, mote_second_stack_bottom};
  uint32_t peaks[2] = {0, 0};
  for (uint32_t i = 0; i < inputs.cases; ++i) {
    next = read_case(next);
    run_case();
    for (int core = 0; core < 2; ++core) {
      const Measure& measure = measures[core];
      const uint32_t used = measure.stack_pointer - measure.lowest_changed;
      if (measure.lowest_changed - reinterpret_cast<uintptr_t>(bottoms[core]) < guard_bytes)
        stop("stack overflow");
      if (used > peaks[core]) peaks[core] = used;
    }
    print_value("CASE", i);
    print_counts();
    print_outputs();
  }
  for (const uint32_t peak : peaks) print_value("STACK_PEAK", peak);
  print_value("STACK_TOTAL", static_cast<uint32_t>(mote_stack_top - mote_stack_bottom));
  print("MOTE_END\n");
  machine_exit(0);
}
