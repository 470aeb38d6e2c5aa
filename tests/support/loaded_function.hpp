// SPDX-License-Identifier: Apache-2.0
// A function built as for a device, but for this machine, and called through its frame.
#pragma once

#include <string>

#include "base/temporary_directory.hpp"
#include "device/frame.hpp"
#include "device/function_image.hpp"

namespace mote::test {

// This machine as a target of functions.
[[nodiscard]] Target native_target();

// Text in a file of its own, and a request for a function in it. `file` may be another one of them.
[[nodiscard]] FunctionRequest write_source(const TemporaryDirectory& folder, const std::string& file,
                                           const std::string& text, const std::string& function);

// What read_signature() says to it on rv32imac; the folder's name is left out.
[[nodiscard]] std::string signature_error(const TemporaryDirectory& folder, const FunctionRequest& request);

class LoadedFunction {
 public:
  explicit LoadedFunction(const FunctionRequest& request);
  LoadedFunction(const LoadedFunction&) = delete;
  LoadedFunction& operator=(const LoadedFunction&) = delete;
  ~LoadedFunction();

  [[nodiscard]] const FunctionSignature& signature() const { return image_.signature; }
  void start() const;  // static constructors
  [[nodiscard]] Returned call(const std::vector<CallArgument>& arguments) const;
  [[nodiscard]] void* symbol(const char* name) const;

 private:
  TemporaryDirectory folder_;
  FunctionImage image_;
  void* library_ = nullptr;
};

template <class T>
[[nodiscard]] ArrayValue array_of(Scalar element, std::vector<T> values) {
  return {element, to_bytes(values)};
}

}  // namespace mote::test
