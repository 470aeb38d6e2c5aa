// SPDX-License-Identifier: Apache-2.0
// Operators that remember, call after call, against the same signal in one piece.
#include "nn/signal_stream.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

namespace mote::test {
namespace {

constexpr int calls = 12;

std::vector<int16_t> random_signal(size_t count) {
  std::mt19937 random(7);
  std::vector<int16_t> signal(count);
  for (int16_t& value : signal) value = static_cast<int16_t>(random() >> 16);
  return signal;
}

TEST(SignalDelay, IsTheSignalBehindZeros) {
  for (const int delay : {1, 3, 5, 8, 23}) {
    const nn::SignalDelay p{1, 5, delay};
    const std::vector<int16_t> signal = random_signal(5 * calls);
    std::vector<int16_t> memory(static_cast<size_t>(delay), 0), out(signal.size());
    for (int call = 0; call < calls; ++call) {
      nn::signal_delay_s16(p, signal.data() + 5 * call, memory.data(), out.data() + 5 * call);
    }
    std::vector<int16_t> expected(static_cast<size_t>(delay), 0);
    expected.insert(expected.end(), signal.begin(), signal.end());
    expected.resize(signal.size());
    EXPECT_EQ(out, expected) << delay;
  }
}

TEST(SignalFramer, CutsTheSignalIntoOverlappingFrames) {
  for (const auto& [size, step, prefill] : {std::tuple{7, 3, false}, {7, 3, true}, {4, 4, false}, {9, 2, false}}) {
    const int capacity = (size + step - 1) / step * step, frames = 2;
    const nn::SignalFramer p{1, frames, size, step, capacity, prefill ? 1 : 0};
    std::vector<int16_t> signal = random_signal(static_cast<size_t>(step * frames * calls));
    std::vector<int16_t> memory(static_cast<size_t>(capacity), 0), frame(static_cast<size_t>(size * frames));
    int32_t kept = 0;
    uint8_t valid = 0;
    int next = 0;  // frame of those that the signal, with its zeros in front, is cut into
    std::vector<int16_t> whole(static_cast<size_t>(prefill ? size - step : 0), 0);
    whole.insert(whole.end(), signal.begin(), signal.end());
    for (int call = 0; call < calls; ++call) {
      nn::signal_framer_s16(p, signal.data() + call * step * frames, memory.data(), &kept, frame.data(), &valid);
      for (int f = 0; f < frames; ++f) {
        const int available = (prefill ? size - step : 0) + (call * frames + f + 1) * step - next * step;
        if (available < size) {
          EXPECT_EQ(valid, 0);
          continue;
        }
        EXPECT_TRUE(
            std::equal(frame.begin() + f * size, frame.begin() + (f + 1) * size, whole.begin() + next * step))
            << size << "/" << step << " call " << call << " frame " << f;
        ++next;
      }
    }
    EXPECT_GT(next, calls);
  }
}

TEST(SignalStacker, RepeatsTheFirstFrameOnTheLeft) {
  for (const auto& [left, right, step] : {std::tuple{2, 1, 1}, {0, 0, 1}, {1, 2, 3}, {3, 0, 4}}) {
    const nn::SignalStacker p{2, 1 + left + right, left, step};
    const std::vector<int16_t> signal = random_signal(2 * calls);
    std::vector<int16_t> whole;
    for (int i = 0; i < left; ++i) whole.insert(whole.end(), signal.begin(), signal.begin() + 2);
    whole.insert(whole.end(), signal.begin(), signal.end());
    std::vector<int16_t> memory(static_cast<size_t>(2 * p.frames)), out(memory.size());
    int32_t kept = -1;
    int stacks = 0;
    for (int call = 0; call < calls; ++call) {
      uint8_t valid = 9;
      nn::signal_stacker_s16(p, signal.data() + 2 * call, memory.data(), &kept, out.data(), &valid);
      const bool complete = left + call + 1 >= stacks * step + p.frames;
      ASSERT_EQ(valid, complete ? 1 : 0);
      if (!complete) continue;
      EXPECT_TRUE(std::equal(out.begin(), out.end(), whole.begin() + 2 * step * stacks)) << call;
      ++stacks;
    }
  }
}

TEST(SignalOverlapAdd, AddsFramesUpWhereTheyMeet) {
  for (const int step : {1, 2, 4, 6}) {
    const int size = 6;
    const nn::SignalOverlapAdd p{1, 1, size, step};
    std::vector<int16_t> frames = random_signal(static_cast<size_t>(size * calls));
    for (int16_t& value : frames) value /= 8;  // so that no sum saturates
    std::vector<int16_t> memory(static_cast<size_t>(size), 0), out(static_cast<size_t>(step * calls));
    std::vector<int16_t> expected(static_cast<size_t>(step * calls + size), 0);
    for (int call = 0; call < calls; ++call) {
      nn::signal_overlap_add_s16(p, frames.data() + call * size, memory.data(), out.data() + call * step);
      for (int i = 0; i < size; ++i) {
        int16_t& sum = expected[static_cast<size_t>(call * step + i)];
        sum = static_cast<int16_t>(sum + frames[static_cast<size_t>(call * size + i)]);
      }
    }
    expected.resize(out.size());
    EXPECT_EQ(out, expected) << step;
  }
}

TEST(CircularBuffer, HoldsTheLastSlots) {
  const nn::CircularBuffer p{1, 3, 12};
  std::vector<uint8_t> memory(12, 0), out(12), all(12, 0);
  for (int call = 0; call < calls; ++call) {
    const std::vector<uint8_t> in{static_cast<uint8_t>(call), static_cast<uint8_t>(2 * call), 77};
    nn::circular_buffer_8(p, in.data(), memory.data(), out.data());
    all.insert(all.end(), in.begin(), in.end());
    EXPECT_TRUE(std::equal(out.begin(), out.end(), all.end() - 12)) << call;
  }
}

}  // namespace
}  // namespace mote::test
