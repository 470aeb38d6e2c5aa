// SPDX-License-Identifier: Apache-2.0
// Steps as data: layers that share kernels are records, and one loop runs them, whole or strip after strip.
#pragma once

#include <stdint.h>

#include "nn/fixed.hpp"
#include "nn/strip.hpp"

namespace nn {

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "a field of the parameters is set by its low bytes");

// One layer of a table. `at`: where the kernel's pointers lead in the arena, in the order of its arguments.
template <class Offset, int count>
struct Layer {
  uint8_t kernel;
  uint8_t constants;    // index of the first of its pointers to constants
  uint16_t parameters;  // in bytes from the first layer's
  Offset at[count];
};

// A RowCount in few bytes.
struct FewRows {
  int16_t start;
  uint8_t step, shift;
  uint16_t rows;
};

// Which rows of an input the output's rows [begin, end) read: from low(begin) to low(end) with `reach` more.
struct LayerInput {
  FewRows low;
  int16_t reach;
  uint16_t row_bytes;
  uint8_t pointer;
  int8_t writer;  // so many layers on is the one whose window it is; 0: the tensor is whole
};

// So many layers on is one that reads the window, as that input of its own. 0: there is no window.
struct LayerReader {
  uint8_t layer, input;
};

// What a layer in strips computes. Inputs that it does not have are of no bytes, missing readers are the first
// again.
template <int most_inputs, int most_readers>
struct LayerRows {
  FewRows done;
  uint16_t row_bytes;     // of the output
  uint8_t pointer;        // to the output
  uint8_t field, fields;  // parameters that depend on the strip
  uint8_t parameter_bytes;
  LayerReader readers[most_readers];
  LayerInput inputs[most_inputs];
};

// As mote::StripField: bytes [place, place + bytes) of the parameters are at least 0 and offset + factor *
// quantity.
struct LayerField {
  uint8_t place, bytes;
  uint8_t quantity;  // 0 first output row, 1 output rows, 2 and more: rows of an input
  int8_t factor;
  int16_t offset;
};

MOTE_SHARED int32_t rows_at(const FewRows& count, int32_t x, int32_t more) {
  return RowCount{count.step, count.start + more, count.shift, count.rows}.at(x);
}

// The row with which the layer's window begins in a strip.
template <class Rows>
MOTE_SHARED int32_t first_row(const Rows* layer, int32_t strip) {
  --strip;
  int32_t row = rows_at(layer->done, strip, 0);
  for (const LayerReader& reader : layer->readers) {
    const Rows* const other = layer + reader.layer;
    row = fewer(row, rows_at(other->inputs[reader.input].low, rows_at(other->done, strip, 0), 0));
  }
  return row;
}

// What a layer is called with. Tables has what generated code defines.
template <class Tables>
struct LayerCall {
  uint8_t* pointers[Tables::most_pointers];
  const uint8_t* parameters;
  alignas(4) uint8_t copy[Tables::most_parameter_bytes];
};

// Brings the layer's window forward, moves the pointers to the strip's rows and sets the parameters that depend on
// it, in a copy. False: the strip has nothing to do for this layer.
template <class Tables, class Rows>
MOTE_SHARED bool begin_strip(LayerCall<Tables>& call, const Rows* layer, int32_t strip) {
  MOTE_HAS_EFFECTS;
  constexpr int32_t inputs = sizeof(layer->inputs) / sizeof(LayerInput);
  int32_t quantities[2 + inputs];
  const int32_t begin = rows_at(layer->done, strip - 1, 0), end = rows_at(layer->done, strip, 0);
  const int32_t row_bytes = layer->row_bytes;
  uint8_t* out = call.pointers[layer->pointer];
  int32_t row = begin;
  if (layer->readers[0].layer != 0) {
    const int32_t first = first_row(layer, strip);
    row -= first;
    const int32_t moved = first - first_row(layer, strip - 1);
    if (moved != 0) move_rows(out, out + moved * row_bytes, row * row_bytes);
  }
  call.pointers[layer->pointer] = out + row * row_bytes;
  quantities[0] = begin;
  quantities[1] = end - begin;
  if (begin == end) return false;
  for (int32_t i = 0; i < inputs; ++i) {
    const LayerInput& input = layer->inputs[i];
    int32_t low = rows_at(input.low, begin, 0);
    quantities[2 + i] = rows_at(input.low, end, input.reach) - low;
    if (input.writer != 0) low -= first_row(layer + input.writer, strip);
    call.pointers[input.pointer] += low * input.row_bytes;
  }
  move_rows(call.copy, call.parameters, layer->parameter_bytes);
  call.parameters = call.copy;
  const LayerField* field = Tables::fields + layer->field;
  for (int32_t i = layer->fields; i > 0; --i, ++field) {
    int32_t value = field->offset + field->factor * quantities[field->quantity];
    if (value < 0) value = 0;
    uint8_t* to = call.copy + field->place;
    for (int32_t bytes = field->bytes; bytes > 0; --bytes, value >>= 8) *to++ = static_cast<uint8_t>(value);
  }
  return true;
}

// Runs layers [layer, end), in strips if there are several: `rows` is then the first one's number in the table.
template <class Tables>
MOTE_KERNEL void run_layers(uint8_t* arena, int32_t layer, int32_t end, int32_t strips, int32_t rows) {
  LayerCall<Tables> call;
  for (int32_t strip = 0; strip < strips; ++strip) {
    for (int32_t i = layer; i < end; ++i) {
      const auto& one = Tables::layers[i];
      call.parameters = Tables::parameters() + one.parameters;
      for (int32_t k = 0; k < Tables::most_pointers; ++k) call.pointers[k] = arena + one.at[k];
      if constexpr (Tables::has_strips) {
        if (strips == 1 || begin_strip(call, Tables::rows + rows + i - layer, strip))
          Tables::call(one.kernel, call.parameters, call.pointers, Tables::constants + one.constants);
      } else {
        Tables::call(one.kernel, call.parameters, call.pointers, Tables::constants + one.constants);
      }
      Tables::after(i);
    }
  }
  (void)rows;
}

}  // namespace nn
