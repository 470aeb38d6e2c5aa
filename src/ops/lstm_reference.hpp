// SPDX-License-Identifier: Apache-2.0
// The LSTM's mathematics in double, with every option.
#pragma once

#include "ops/lstm.hpp"
