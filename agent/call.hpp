// SPDX-License-Identifier: Apache-2.0
// One call of loaded code under way: slices, deadline, what it logs and how far it says it is.
#pragma once

#include "core.hpp"
#include "models.hpp"

namespace agent {

// What loaded code writes; readers come with the position that they have read to.
class Log {
 public:
  static constexpr uint32_t size = 256;
  void add(const uint8_t* bytes, uint32_t count) {
    const uint32_t lost = count > size ? count - size : 0;  // a long text takes no longer than what is kept of it
    end_ += lost;
    for (uint32_t i = lost; i < count; ++i) bytes_[end_++ % size] = bytes[i];
  }
  uint32_t end() const { return end_; }
  uint32_t begin() const { return end_ < size ? 0 : end_ - size; }
  // The bytes from a position on that lie behind each other; the rest of them comes with the next reading.
  const uint8_t* from(uint32_t position, uint32_t& count) const {
    const uint32_t to_wrap = size - position % size;
    count = end_ - position < to_wrap ? end_ - position : to_wrap;
    return bytes_ + position % size;
  }

 private:
  uint32_t end_ = 0;
  uint8_t bytes_[size];
};

// As wire::ProfileOf has it.
struct Profile {
  Counters counters = {};
  uint32_t stack_bytes = 0, elapsed_ms = 0, model = 0;
};
static_assert(offsetof(Profile, counters.instructions) == offsetof(wire::ProfileOf, instructions) &&
                  offsetof(Profile, model) == offsetof(wire::ProfileOf, model),
              "it is sent as it lies in memory");

class Caller {
 public:
  explicit Caller(Board& board) : board_(board) {}

  void begin(Model& model, wire::Entry entry, uint32_t deadline_ms, bool paint);
  // One slice. `running`: it is not over; else how it ended, and `activity().fault` says where.
  wire::Status advance();
  void cancel() { cancelled_ = true; }

  bool under_way() const { return model_ != nullptr; }
  Model* model() const { return model_; }
  uint32_t elapsed_ms() const { return board_.milliseconds() - begun_ms_; }
  uint32_t done() const { return done_; }
  uint32_t of() const { return of_; }
  const Activity& activity() const { return activity_; }
  const Profile& profile() const { return profile_; }
  const Log& log() const { return log_; }

 private:
  Stop resume();
  void serve();
  void finish();

  Board& board_;
  Model* model_ = nullptr;
  uint32_t begun_ms_, deadline_ms_, done_, of_;  // of the call under way
  bool cancelled_, painted_;
  Profile profile_;
  Activity activity_;
  Log log_;
};

}  // namespace agent
