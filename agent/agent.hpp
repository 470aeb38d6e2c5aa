// SPDX-License-Identifier: Apache-2.0
// The agent: takes requests from the link, carries them out, answers. Docs: SPEC.md, "Device protocol".
#pragma once

#include "call.hpp"
#include "link.hpp"
#include "models.hpp"

namespace agent {

class Agent {
 public:
  explicit Agent(Board& board);

  // Does what there is to do, one slice of a call at most. Call it for ever.
  void step();
  bool idle() const { return !caller_.under_way(); }

 private:
  void take(Request& request);
  bool turn(Request& request, Answer& answer);
  void conclude();  // last_ is answered
  bool repeat(Request& request, uint16_t age, Answer& answer);
  bool hello(Request& request, Answer& answer);
  void authenticate(Request& request, Answer& answer);
  void begin_session(uint16_t session);
  void welcome(Answer& answer);
  void log(Request& request, Answer& answer) const;
  void put_activity(Answer& answer) const;
  void end_session();

  // The commands that come in order fill answer_, whose status is ok.
  struct Ordered;
  static const Ordered ordered[];
  void execute(Request& request);
  static void heap(Agent& agent, const uint32_t* asked, Request& request, Model* model);
  static void allocate(Agent& agent, const uint32_t* asked, Request& request, Model* model);
  static void release(Agent& agent, const uint32_t* asked, Request& request, Model* model);
  static void read(Agent& agent, const uint32_t* asked, Request& request, Model* model);
  static void write(Agent& agent, const uint32_t* asked, Request& request, Model* model);
  static void find(Agent& agent, const uint32_t* asked, Request& request, Model* model);
  static void load(Agent& agent, const uint32_t* asked, Request& request, Model* model);
  static void commit(Agent& agent, const uint32_t* asked, Request& request, Model* model);
  static void unload(Agent& agent, const uint32_t* asked, Request& request, Model* model);
  static void models(Agent& agent, const uint32_t* asked, Request& request, Model* model);
  static void input(Agent& agent, const uint32_t* asked, Request& request, Model* model);
  static void call(Agent& agent, const uint32_t* asked, Request& request, Model* model);
  static void output(Agent& agent, const uint32_t* asked, Request& request, Model* model);
  static void profile(Agent& agent, const uint32_t* asked, Request& request, Model* model);
  static void reset(Agent& agent, const uint32_t* asked, Request& request, Model* model);
  void read(const uint32_t* asked, Answer& answer);
  uint32_t pass(const Model& model, uint32_t position, uint32_t count, const uint8_t* input);
  void end_call(const Model& model);

  // Small members first: instructions reach them with short offsets.
  Board& board_;
  uint16_t session_ = 0, expected_ = 0;
  bool open_ = false;  // a session
  uint8_t ended_ = 0;  // sessions
  uint16_t earlier_[wire::remembered_sessions] = {};
  wire::Status past_[wire::remembered] = {};
  Request last_;         // answered by answer_ as often as it comes
  wire::FrameOf frame_;  // of the call under way
  Answer answer_;
  Guard guard_;
  Link link_;
  Caller caller_;
  Pool pool_;
  Models models_;
  alignas(4) uint8_t frame_memory_[Link::misalignment + Link::frame_bytes];
};

}  // namespace agent
