// SPDX-License-Identifier: Apache-2.0
// The agent: takes requests from the link, carries them out, answers. Docs: SPEC.md, "Device protocol".
#pragma once

#include "call.hpp"
#include "link.hpp"
#include "models.hpp"

namespace agent {

class Agent {
 public:
  explicit Agent(Board& board)
      : board_(board), guard_(board), link_(board, guard_), pool_(board), models_(pool_), caller_(board) {}

  // Does what there is to do, one slice of a call at most. Call it for ever.
  void step();
  bool idle() const { return !caller_.under_way(); }

 private:
  void take(const Request& request);
  void unordered(const Request& request);
  void repeat(const Request& request, uint16_t age);
  void hello(Request request, Answer& answer);
  void authenticate(Request request);
  void begin_session(uint16_t session);
  void welcome(Answer& answer);
  void log(Request request, Answer& answer) const;
  void put_activity(Answer& answer) const;
  void end_session();

  // One each; they fill answer_, whose status is ok. False: the payload has not the form.
  bool execute(Request request);
  void heap();
  bool allocate(Request& request);
  bool release(Request& request);
  bool read(Request& request);
  bool write(Request& request);
  bool find(Request& request);
  bool load(Request& request);
  bool change(Request& request);
  bool describe(Request& request);
  bool input(Request& request);
  bool call(Request& request);
  bool output(Request& request);
  void profile();
  Model* model(uint16_t id);
  template <class F>
  static uint32_t pieces(const Record& record, uint32_t first, uint32_t end, uint32_t position, uint32_t count,
                         F f);
  bool scatter(const Model& model, uint32_t position, const uint8_t* bytes, uint32_t count);
  void gather(const Model& model, uint32_t position, uint32_t count);
  void end_call();

  Board& board_;
  Guard guard_;
  Link link_;
  Pool pool_;
  Models models_;
  Caller caller_;
  uint16_t session_ = 0, expected_ = 0;
  bool open_ = false;  // a session
  uint16_t earlier_[wire::remembered_sessions] = {};
  wire::Status past_[wire::remembered] = {};
  Request last_;  // answered by answer_ as often as it comes
  Answer answer_;
  wire::CallHeader called_;  // the call under way
  wire::FrameOf frame_;
};

}  // namespace agent
