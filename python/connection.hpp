// SPDX-License-Identifier: Apache-2.0
// A device's link for Python: one request at a time whatever the threads do, no interpreter lock meanwhile, and
// Ctrl-C ends a call on the device before it ends the caller's wait.
#pragma once

#include <mutex>
#include <optional>

#include "bindings.hpp"
#include "device/device.hpp"

namespace mote::python {

class Connection {
 public:
  // `key`: the file of the device's owner; none: the device is open.
  Connection(const std::string& address, const std::optional<std::string>& key);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Runs f(device) without the interpreter lock. Where a signal's handler has raised something meanwhile, that is
  // thrown once f has come to its end.
  template <class F>
  auto during(F f) {
    const nb::gil_scoped_release unlocked;
    const std::lock_guard<std::mutex> alone(mutex_);
    require(device_ != nullptr, "{}: the connection is closed", address_);
    raised_.reset();
    try {
      if constexpr (std::is_void_v<decltype(f(*device_))>) {
        f(*device_);
        throw_raised();
      } else {
        auto result = f(*device_);
        throw_raised();
        return result;
      }
    } catch (...) {
      throw_raised();
      throw;
    }
  }

  // Within during(): f(device) is a call, which Ctrl-C cancels.
  template <class F>
  auto calling(F f) {
    stop_if_interrupted();
    const Calling call(*this);
    return f(*device_);
  }
  // Within during(): throws when a handler has raised something.
  void stop_if_interrupted();

  void close();
  [[nodiscard]] bool is_open() const { return device_ != nullptr; }
  uint32_t log_position = 0;

 private:
  struct Calling {
    explicit Calling(Connection& connection) : connection_(connection) {
      connection_.calling_ = true;
      connection_.cancelled_ = {};
    }
    ~Calling() { connection_.calling_ = false; }
    Calling(const Calling&) = delete;
    Calling& operator=(const Calling&) = delete;
    Connection& connection_;
  };
  void look_for_signals();
  void throw_raised();

  std::string address_;
  std::mutex mutex_;
  std::unique_ptr<Device> device_;
  bool calling_ = false;
  std::optional<nb::python_error> raised_;
  std::chrono::steady_clock::time_point cancelled_{};
};

// `deadline`: seconds, 0: the device's own.
[[nodiscard]] CallOptions call_options(double deadline, bool paint_stack);

}  // namespace mote::python
