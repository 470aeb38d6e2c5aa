// SPDX-License-Identifier: Apache-2.0
// Signals that come in pieces: frames that overlap, stacks of frames, delays. What came before is state.
#pragma once

#include <stdint.h>
#include <string.h>

#include "nn/fixed.hpp"

namespace nn {

// The first `out_count` of memory (`kept` values) followed by in (`count` values).
template <class T>
MOTE_KERNEL void copy_joined(const T* memory, int32_t kept, const T* in, T* out, int32_t out_count) {
  const int32_t old = kept < out_count ? kept : out_count;
  memcpy(out, memory, static_cast<size_t>(old) * sizeof(T));
  memcpy(out + old, in, static_cast<size_t>(out_count - old) * sizeof(T));
}

// The memory becomes the last `kept` values of itself followed by in.
template <class T>
MOTE_KERNEL void move_on(T* memory, int32_t kept, const T* in, int32_t count) {
  const int32_t fresh = count < kept ? count : kept;
  memmove(memory, memory + fresh, static_cast<size_t>(kept - fresh) * sizeof(T));
  memcpy(memory + (kept - fresh), in + (count - fresh), static_cast<size_t>(fresh) * sizeof(T));
}

struct SignalFramer {
  int32_t rows, frames;  // frames a row and call
  int32_t size, step;
  int32_t capacity;  // of the memory of a row
  int32_t prefill;   // 1: the signal begins with zeros, so that the first frame is complete

  template <class F>
  constexpr void fields(F&& f) const {
    f("rows", rows), f("frames", frames), f("size", size), f("step", step);
    f("capacity", capacity), f("prefill", prefill);
  }
};

// kept: how many values each row remembers (unless prefilled: size - step). Frames that are not complete are 0.
MOTE_KERNEL void signal_framer_s16(const SignalFramer& p, const int16_t* in, int16_t* memory, int32_t* kept,
                                   int16_t* out, uint8_t* valid) {
  *valid = 1;
  int32_t count = 0;
  for (int32_t row = 0; row < p.rows; ++row, memory += p.capacity) {
    count = p.prefill != 0 ? p.size - p.step : *kept;
    for (int32_t frame = 0; frame < p.frames; ++frame, in += p.step, out += p.size) {
      if (count + p.step >= p.size) {
        copy_joined(memory, count, in, out, p.size);
        move_on(memory, count, in, p.step);
      } else {
        memset(out, 0, static_cast<size_t>(p.size) * sizeof(int16_t));
        memcpy(memory + count, in, static_cast<size_t>(p.step) * sizeof(int16_t));
        count += p.step;
        *valid = 0;
      }
    }
  }
  *kept = count;
}

struct SignalStacker {
  int32_t channels, frames, left, step;  // frames: of a stack; left: how often the first one is repeated

  template <class F>
  constexpr void fields(F&& f) const {
    f("channels", channels), f("frames", frames), f("left", left), f("step", step);
  }
};

// kept: how many frames the memory holds; -1 before the first. A stack that is not complete is 0.
MOTE_KERNEL void signal_stacker_s16(const SignalStacker& p, const int16_t* in, int16_t* memory, int32_t* kept,
                                    int16_t* out, uint8_t* valid) {
  const size_t frame_bytes = static_cast<size_t>(p.channels) * sizeof(int16_t);
  int32_t count = *kept < 0 ? 0 : *kept;
  for (int32_t times = *kept < 0 ? 1 + p.left : 1; times > 0; --times, ++count) {
    memcpy(memory + count * p.channels, in, frame_bytes);
  }
  *valid = count >= p.frames ? 1 : 0;
  if (*valid != 0) {
    memcpy(out, memory, static_cast<size_t>(p.frames) * frame_bytes);
    count -= p.step;
    memmove(memory, memory + p.step * p.channels, static_cast<size_t>(count) * frame_bytes);
  } else {
    memset(out, 0, static_cast<size_t>(p.frames) * frame_bytes);
  }
  *kept = count;
}

struct SignalDelay {
  int32_t rows, size, delay;

  template <class F>
  constexpr void fields(F&& f) const {
    f("rows", rows), f("size", size), f("delay", delay);
  }
};

MOTE_KERNEL void signal_delay_s16(const SignalDelay& p, const int16_t* in, int16_t* memory, int16_t* out) {
  for (int32_t row = 0; row < p.rows; ++row, in += p.size, out += p.size, memory += p.delay) {
    copy_joined(memory, p.delay, in, out, p.size);
    move_on(memory, p.delay, in, p.size);
  }
}

struct SignalOverlapAdd {
  int32_t rows, frames, size, step;

  template <class F>
  constexpr void fields(F&& f) const {
    f("rows", rows), f("frames", frames), f("size", size), f("step", step);
  }
};

MOTE_KERNEL int16_t overlapped(int16_t a, int16_t b) { return static_cast<int16_t>(clamp(a + b, -32768, 32767)); }
MOTE_KERNEL float overlapped(float a, float b) { return a + b; }

// memory: the sums of a frame so far; what the next frames cannot change any more goes out.
template <class T>
MOTE_KERNEL void signal_overlap_add(const SignalOverlapAdd& p, const T* in, T* memory, T* out) {
  for (int32_t row = 0; row < p.rows; ++row, memory += p.size) {
    for (int32_t frame = 0; frame < p.frames; ++frame, in += p.size, out += p.step) {
      for (int32_t i = 0; i < p.step; ++i) out[i] = overlapped(memory[i], in[i]);
      for (int32_t i = p.step; i < p.size; ++i) memory[i - p.step] = overlapped(memory[i], in[i]);
      for (int32_t i = p.size - p.step; i < p.size; ++i) memory[i] = 0;
    }
  }
}

MOTE_KERNEL void signal_overlap_add_s16(const SignalOverlapAdd& p, const int16_t* in, int16_t* memory,
                                        int16_t* out) {
  signal_overlap_add(p, in, memory, out);
}
MOTE_KERNEL void signal_overlap_add_f32(const SignalOverlapAdd& p, const float* in, float* memory, float* out) {
  signal_overlap_add(p, in, memory, out);
}

struct CircularBuffer {
  int32_t rows, in_bytes, out_bytes;  // of a row

  template <class F>
  constexpr void fields(F&& f) const {
    f("rows", rows), f("in_bytes", in_bytes), f("out_bytes", out_bytes);
  }
};

// The memory forgets its oldest slots for the new ones; all of it goes out.
MOTE_KERNEL void circular_buffer_8(const CircularBuffer& p, const uint8_t* in, uint8_t* memory, uint8_t* out) {
  for (int32_t row = 0; row < p.rows; ++row, in += p.in_bytes, memory += p.out_bytes) {
    move_on(memory, p.out_bytes, in, p.in_bytes);
    memcpy(out, memory, static_cast<size_t>(p.out_bytes));
    out += p.out_bytes;
  }
}

}  // namespace nn
