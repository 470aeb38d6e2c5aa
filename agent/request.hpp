// SPDX-License-Identifier: Apache-2.0
// A request as it has arrived.
#pragma once

#include "keyed_build.hpp"  // from agent/keyed/ or agent/open/
#include "protocol.hpp"

namespace agent {

// The payload lies at a multiple of four bytes, until the next frame is read.
struct Request : wire::Header {
  const uint8_t* payload;
  uint32_t bytes;
  bool tagged;      // it has proved to be the owner's, and so will the answer; only in keyed builds
  uint32_t number;  // of a tagged one (handshake.hpp)

  bool is_tagged() const { return keyed_build && tagged; }

  // The payload's first bytes as what they are, which are taken away; nullptr when there are not so many.
  template <class T>
  const T* take() {
    return static_cast<const T*>(take(sizeof(T)));
  }
  const void* take(uint32_t count);
};

}  // namespace agent
