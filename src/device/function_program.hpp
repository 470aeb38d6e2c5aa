// SPDX-License-Identifier: Apache-2.0
// A C or C++ function as a program for a device, and calls of it.
#pragma once

#include <string>
#include <vector>

#include "device/device.hpp"
#include "device/frame.hpp"
#include "device/function_image.hpp"
#include "device/introspect.hpp"
#include "device/program.hpp"

namespace mote {

struct FunctionOptions {
  FunctionRequest request;
  std::string name;            // serves under it; empty: the function's, without namespaces
  int64_t frame_bytes = 1024;  // the largest call frame that it will get
  int64_t stack_bytes = 0;     // 0: what the calls in it can need at most, where that is known, else 8 KiB
  // ELF file of the firmware that runs on the device: the function may use its symbols, and runs with its rights.
  std::filesystem::path firmware;
};

struct FunctionProgram {
  Program program;
  FunctionSignature signature;
  StackUse stack;       // with static constructors
  Bytes linked;         // ELF file, at addresses of no device
  size_t compiled = 0;  // objects that were not in the cache
};

// Throws Error as build_function().
[[nodiscard]] FunctionProgram compile_function_for_device(const FunctionOptions& options, const Target& target,
                                                          const ObjectCache& cache);

// Throws Error that names the parameter when an argument does not fit, and says how the function is to be loaded
// when its frame is too small; CallError as Device::call().
[[nodiscard]] Returned call_function(Device& device, const DeviceModel& model, const FunctionSignature& signature,
                                     const std::vector<CallArgument>& arguments, CallOptions options = {});

}  // namespace mote
