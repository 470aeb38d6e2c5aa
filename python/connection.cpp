// SPDX-License-Identifier: Apache-2.0
#include "connection.hpp"

#include <pthread.h>
#include <signal.h>

#include "device/connect.hpp"

namespace mote::python {

namespace {

constexpr std::chrono::milliseconds look_every{50};
constexpr std::chrono::milliseconds cancel_again{250};  // a cancel is not answered: it may be lost

// Another stream, whose waits are short: between them `idle` is called.
class PatientTransport final : public Transport {
 public:
  PatientTransport(std::unique_ptr<Transport> stream, std::function<void()> idle)
      : stream_(std::move(stream)), idle_(std::move(idle)) {}
  size_t read(std::byte* to, size_t limit, std::chrono::milliseconds timeout) override {
    const size_t bytes = stream_->read(to, limit, std::min(timeout, look_every));
    if (bytes == 0) idle_();
    return bytes;
  }
  void write(ByteSpan bytes) override { stream_->write(bytes); }
  std::string name() const override { return stream_->name(); }
  std::chrono::steady_clock::time_point now() const override { return stream_->now(); }

 private:
  std::unique_ptr<Transport> stream_;
  std::function<void()> idle_;
};

// A terminal's Ctrl-C goes to all processes of its group: an emulator that is started meanwhile shall not end of
// it.
class ChildrenWithoutInterrupt {
 public:
  ChildrenWithoutInterrupt() {
    sigset_t interrupt;
    sigemptyset(&interrupt);
    sigaddset(&interrupt, SIGINT);
    pthread_sigmask(SIG_BLOCK, &interrupt, &before_);
  }
  ~ChildrenWithoutInterrupt() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  ChildrenWithoutInterrupt(const ChildrenWithoutInterrupt&) = delete;
  ChildrenWithoutInterrupt& operator=(const ChildrenWithoutInterrupt&) = delete;

 private:
  sigset_t before_;
};

}  // namespace

Connection::Connection(const std::string& address, const std::optional<std::string>& key) : address_(address) {
  const nb::gil_scoped_release unlocked;
  const auto owner = key ? std::make_shared<const OwnerKey>(OwnerKey::load(*key)) : nullptr;
  std::unique_ptr<Transport> stream;
  {
    const ChildrenWithoutInterrupt blocked;
    stream = connect(address, owner ? std::optional<Key>(owner->public_key()) : std::nullopt);
  }
  device_ = std::make_unique<Device>(
      std::make_unique<PatientTransport>(std::move(stream), [this] { look_for_signals(); }), LinkTimes{}, owner);
  throw_raised();
}

void Connection::look_for_signals() {
  if (!raised_) {
    const nb::gil_scoped_acquire locked;
    if (PyErr_CheckSignals() != 0) raised_.emplace();
  }
  const auto now = std::chrono::steady_clock::now();
  if (!raised_ || !calling_ || now - cancelled_ < cancel_again) return;
  cancelled_ = now;
  device_->cancel();
}

void Connection::throw_raised() {
  if (!raised_) return;
  const nb::python_error raised = std::move(*raised_);
  raised_.reset();
  throw nb::python_error(raised);
}

void Connection::stop_if_interrupted() {
  look_for_signals();
  if (raised_) fail("{}: interrupted", address_);  // during() throws the handler's own in its place
}

void Connection::close() {
  const nb::gil_scoped_release unlocked;
  const std::lock_guard<std::mutex> alone(mutex_);
  device_.reset();
}

}  // namespace mote::python
