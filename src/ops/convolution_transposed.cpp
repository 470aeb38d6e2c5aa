// SPDX-License-Identifier: Apache-2.0
#include "ops/convolution_transposed.hpp"

#include <algorithm>

#include "nn/transpose_conv_4x4.hpp"
#include "nn/transpose_conv_paired.hpp"
#include "nn/transpose_conv_vector.hpp"
#include "ops/convolution_calls.hpp"
#include "ops/convolution_packed.hpp"
#include "ops/convolution_paired.hpp"
#include "ops/convolution_s16.hpp"
#include "ops/convolution_vector.hpp"

namespace mote::convolution {

namespace {

// The taps that meet outputs whose row and column leave these rests, in the order in which they meet the input.
Quantised phase_of(const Quantised& q, int32_t row_rest, int32_t column_rest) {
  const nn::Conv2d& s = q.shape;
  Quantised phase = q;
  phase.shape.kernel_height = nn::phase_taps(s.kernel_height, row_rest, s.stride_height);
  phase.shape.kernel_width = nn::phase_taps(s.kernel_width, column_rest, s.stride_width);
  phase.weights.clear();
  for (int32_t c = 0; c < s.out_channels; ++c) {
    for (int32_t y = phase.shape.kernel_height - 1; y >= 0; --y) {
      for (int32_t x = phase.shape.kernel_width - 1; x >= 0; --x) {
        const int32_t ky = row_rest + y * s.stride_height, kx = column_rest + x * s.stride_width;
        const bool there = ky < s.kernel_height && kx < s.kernel_width;
        const auto tap = static_cast<size_t>((c * s.kernel_height + ky) * s.kernel_width + kx);
        for (size_t k = 0; k < static_cast<size_t>(s.in_channels); ++k) {
          phase.weights.push_back(there ? q.weights[tap * static_cast<size_t>(s.in_channels) + k] : int16_t{0});
        }
      }
    }
  }
  return phase;
}

// Along a dimension in which the input has one element the stride does not matter; as long as the kernel it gives
// each output a phase of its own, with one tap.
Quantised spread(Quantised q) {
  if (q.shape.in_height == 1) q.shape.stride_height = q.shape.kernel_height;
  if (q.shape.in_width == 1) q.shape.stride_width = q.shape.kernel_width;
  return q;
}

// How many products the phases take for each one that meets the input, along one dimension.
double excess(int32_t in, int32_t out, int32_t kernel, int32_t stride, int32_t pad) {
  int64_t all = 0, inside = 0;
  for (int32_t at = pad; at < out + pad; ++at) {
    const int32_t taps = nn::phase_taps(kernel, at % stride, stride);
    all += taps;
    for (int32_t i = 0; i < taps; ++i) inside += at / stride >= i && at / stride - i < in ? 1 : 0;
  }
  return static_cast<double>(all) / static_cast<double>(std::max<int64_t>(inside, 1));
}

// Where windows mostly lie outside the input, the plain kernel, which skips what is outside, is as fast.
bool worthwhile(const nn::Conv2d& s, const Core& core) {
  const double products = excess(s.in_height, s.out_height, s.kernel_height, s.stride_height, s.pad_top) *
                          excess(s.in_width, s.out_width, s.kernel_width, s.stride_width, s.pad_left);
  const bool blocks_filled = s.out_channels >= 3 || core.dsp;
  return blocks_filled && products <= (core.mve ? 8 : core.dsp ? 3 : 1.8);
}

std::vector<Quantised> phases_of(const Quantised& q) {
  std::vector<Quantised> phases;
  for (int32_t row = 0; row < q.shape.stride_height; ++row) {
    for (int32_t column = 0; column < q.shape.stride_width; ++column) phases.push_back(phase_of(q, row, column));
  }
  return phases;
}

// The first phase's taps are the most.
int64_t most_taps(const std::vector<Quantised>& phases) {
  return static_cast<int64_t>(phases[0].weights.size() / phases[0].bias.size());
}

// Weights of all phases behind each other, and where each begins.
template <class T>
struct Packed {
  std::vector<T> weights;
  std::vector<int32_t> scales, begins;

  void append(const std::vector<T>& more) {
    begins.push_back(narrow<int32_t>(static_cast<int64_t>(weights.size())));
    weights.insert(weights.end(), more.begin(), more.end());
  }
};

template <class Kernel>
Call call_of(Kernel kernel, const char* function, const char* header, const Quantised& q,
             std::vector<Constant> constants) {
  std::vector<Argument> arguments{input(0)};
  for (size_t i = 0; i < constants.size(); ++i) arguments.push_back(constant(i));
  arguments.push_back(output(0));
  arguments.push_back(scratch());
  Call call = make_call(kernel, function, header, "Conv2d", q.shape, arguments);
  call.constants = std::move(constants);
  call.order = Order{2, 1, false};
  call.estimate.own_saves = 0;
  return call;
}

template <class T>
std::vector<Constant> constants_of(DType dtype, const Packed<T>& packed) {
  return {constant_of("weights", dtype, packed.weights), constant_of("scales", DType::i32, packed.scales),
          constant_of("phases", DType::i32, packed.begins)};
}

Call transposed_4x4(const Quantised& q, const std::vector<Folded>& folded, int64_t taps) {
  Packed<int32_t> packed;
  for (const Folded& phase : folded) {
    const Bytes weights = to_bytes(pack_by_four(phase.weights, phase.shift.size()));
    packed.append(to_values<int32_t>(packed_constants(phase, weights, 8).data));
  }
  Call call = call_of(
      nn::transpose_conv_4x4_s8, "transpose_conv_4x4_s8", "nn/transpose_conv_4x4.hpp", q,
      {constant_of("weights", DType::i32, packed.weights), constant_of("phases", DType::i32, packed.begins)});
  call.scratch_bytes = 4 * (align_up(taps, 2) + q.shape.out_channels);
  return call;
}

std::optional<Call> transposed_paired(const Quantised& q, const std::vector<Folded>& folded, int64_t taps) {
  Packed<int16_t> packed;
  for (const Folded& phase : folded) {
    const std::optional<PairedConstants> constants = paired_constants(phase, q.shape.out_zero);
    if (!constants) return std::nullopt;
    packed.append(constants->weights);
    packed.scales.insert(packed.scales.end(), constants->scales.begin(), constants->scales.end());
  }
  Call call = call_of(nn::transpose_conv_paired_s8, "transpose_conv_paired_s8", "nn/transpose_conv_paired.hpp", q,
                      constants_of(DType::i16, packed));
  call.scratch_bytes = 4 * align_up(taps, 2) + taps;
  return call;
}

Call transposed_vector(const Quantised& q, const std::vector<Folded>& folded, int64_t taps) {
  Packed<int8_t> packed;
  for (const Folded& phase : folded) {
    packed.append(vector_weights(phase));
    const std::vector<int32_t> scales = vector_scales(phase);
    packed.scales.insert(packed.scales.end(), scales.begin(), scales.end());
  }
  Call call = call_of(nn::transpose_conv_vector_s8, "transpose_conv_vector_s8", "nn/transpose_conv_vector.hpp", q,
                      constants_of(DType::i8, packed));
  call.scratch_bytes = 2 * taps;
  return call;
}

}  // namespace

std::optional<Call> lower_transposed(const Quantised& layer, const Core& core) {
  const Quantised q = spread(layer);
  if (q.shape.out_channels > UINT16_MAX || !worthwhile(q.shape, core)) return std::nullopt;
  const std::vector<Quantised> phases = phases_of(q);
  std::vector<Folded> folded;
  for (const Quantised& phase : phases) {
    std::optional<Folded> one = fold(phase);
    if (!one) return std::nullopt;
    folded.push_back(*std::move(one));
  }
  const int64_t taps = most_taps(phases);
  std::optional<Call> call;
  if (core.mve) return transposed_vector(q, folded, taps);
  if (core.dsp) call = transposed_paired(q, folded, taps);
  return call ? call : transposed_4x4(q, folded, taps);
}

std::optional<Call> lower_transposed_s16(const Quantised& layer, const std::vector<int32_t>& scales,
                                         const Core& core) {
  const Quantised q = spread(layer);
  if (!worthwhile(q.shape, core)) return std::nullopt;
  const std::vector<Quantised> phases = phases_of(q);
  Packed<int8_t> packed;
  for (const Quantised& phase : phases) {
    const std::vector<int8_t> weights(phase.weights.begin(), phase.weights.end());
    const Constants16 constants = constants_s16(weights, scales, core);
    packed.append(constants.weights);
    packed.scales = constants.scales;
  }
  const int64_t taps = most_taps(phases), even = align_up(taps, 2);
  const std::vector<Constant> constants = constants_of(DType::i8, packed);
  const auto finished = [&](Call call, int64_t scratch_values) {
    call.scratch_bytes = 2 * scratch_values;
    return call;
  };
  if (core.mve) {
    return finished(call_of(nn::transpose_conv_vector_s16, "transpose_conv_vector_s16",
                            "nn/transpose_conv_vector.hpp", q, constants),
                    2 * taps);
  }
  if (core.dsp) {
    return finished(call_of(nn::transpose_conv_paired_s16, "transpose_conv_paired_s16",
                            "nn/transpose_conv_paired.hpp", q, constants),
                    2 * even);
  }
  return finished(
      call_of(nn::transpose_conv_4x4_s16, "transpose_conv_4x4_s16", "nn/transpose_conv_4x4.hpp", q, constants),
      4 * even + 4 * int64_t{q.shape.out_channels});
}

}  // namespace mote::convolution
