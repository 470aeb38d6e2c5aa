// SPDX-License-Identifier: Apache-2.0
// Who is there: the handshake of a keyed device, and the tags of its frames. A device without a key lets all pass.
#pragma once

#include "board.hpp"
#include "crypto.hpp"
#include "request.hpp"

namespace agent {

class Guard {
 public:
  explicit Guard(Board& board) : board_(board) {}

  bool keyed() const { return keyed_build && board_.identity().key != nullptr; }
  // A key, and no means to ask for it: the device must stay silent.
  bool helpless() const { return !keyed_build && board_.identity().key != nullptr; }
  const uint8_t* challenge();  // for hello; key_bytes

  enum class Outcome { refused, begins, repeated };
  // The answer to the challenge. `begins`: the request's session lives now, in the place of another.
  Outcome authenticate(Request& request);

  // False: the frame, up to its CRC, is of the session that lives, but its tag is wrong. Otherwise the tag is
  // taken off, and the request is marked as tagged; one that is not may say hello or authenticate.
  bool admit(Request& request, const uint8_t* frame);

  // For the answer of a tagged request.
  void begin_tag(Tag& tag, const Request& request) const { tag.begin(keys_.to_host, request.number); }

 private:
  Board& board_;
  Challenge challenge_;
  SessionKeys keys_;
  uint16_t session_ = 0;
  uint32_t ordered_ = 0, loose_ = 0;  // the largest numbers of the session's requests so far
};

}  // namespace agent
