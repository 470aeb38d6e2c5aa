// SPDX-License-Identifier: Apache-2.0
// A request as it has arrived.
#pragma once

#include "protocol.hpp"

namespace agent {

// The payload lies at a multiple of four bytes, until the next frame is read.
struct Request {
  wire::Command command;
  uint16_t session, sequence;
  const uint8_t* payload;
  uint32_t bytes;
  bool tagged;      // it has proved to be the owner's, and so will the answer
  uint32_t number;  // of a tagged one (handshake.hpp)

  // The payload's first bytes as what they are, which are taken away; nullptr when there are not so many.
  template <class T>
  const T* take() {
    return static_cast<const T*>(take(sizeof(T)));
  }

 private:
  const void* take(uint32_t count) {
    if (bytes < count) return nullptr;
    payload += count;
    bytes -= count;
    return payload - count;
  }
};

}  // namespace agent
