// SPDX-License-Identifier: Apache-2.0
// Tensors of an .onnx file: conversion to Mote's own types, with every check that needs no operator.
#pragma once

#include "formats/onnx_view.hpp"

namespace mote::onnx {

// Mote's type for a number in the file's data_type or elem_type. Throws Error when there is none.
[[nodiscard]] DType to_dtype(int32_t type);

// Printable text of a name in the file.
[[nodiscard]] std::string clean_name(std::string name);

// Fails when the message sets fields that the schema does not list; `unknown` are their bytes.
void require_known(const std::string& unknown, std::string_view what);

// Throws Error when the file is damaged or external data is missing; what is merely not supported goes to
// `problem`.
[[nodiscard]] FileTensor read_tensor(const schema::Tensor& message, std::string_view name,
                                     const std::filesystem::path& folder);

}  // namespace mote::onnx
