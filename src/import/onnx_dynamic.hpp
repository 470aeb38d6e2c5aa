// SPDX-License-Identifier: Apache-2.0
// What ONNX Runtime's dynamic quantisation writes: integer products of activations whose scale depends on data.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "formats/onnx_view.hpp"

namespace mote::onnx {

// DynamicQuantizeLinear, MatMulInteger or ConvInteger, Cast and Mul become one node, which keeps the integer
// operator's name and reads real activations, constant weights, their scales, zero points and bias. Where any of
// them stands alone, it becomes the float operators that define it. `outputs`: of the graph.
[[nodiscard]] std::vector<Node> expand_dynamic(std::vector<Node> nodes,
                                               const std::map<std::string, FileTensor>& initialisers,
                                               const std::set<std::string, std::less<>>& outputs);

}  // namespace mote::onnx
