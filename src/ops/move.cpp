// SPDX-License-Identifier: Apache-2.0
#include "ops/move.hpp"

#include "nn/move.hpp"
#include "ops/move_tflite.hpp"
#include "ops/reshape.hpp"
#include "ops/sampling.hpp"
#include "ops/storage.hpp"

namespace mote::op {

namespace {

constexpr size_t table_rows = 10;  // of nn::Move

struct Loop {
  int64_t extent = 1, stride = 1;
};

std::vector<int64_t> strides_of(const Shape& shape) {
  std::vector<int64_t> strides(shape.size(), 1);
  for (size_t d = shape.size(); d-- > 1;) strides[d - 1] = strides[d] * shape[d];
  return strides;
}

int64_t first_of(const IndexMap& map) {
  const std::vector<int64_t> strides = strides_of(map.from);
  int64_t first = 0;
  for (size_t d = 0; d < strides.size(); ++d) first += map.origin[d] * strides[d];
  return first;
}

// The digits as loops over flat indices, outermost first, neighbours merged where one continues the other.
std::vector<Loop> loops_of(const IndexMap& map) {
  const std::vector<int64_t> strides = strides_of(map.from);
  std::vector<Loop> loops;
  for (const Digit& digit : map.digits) {
    if (digit.extent == 1) continue;
    const Loop loop{digit.extent, digit.in_dim == Digit::nowhere ? 0 : digit.step * strides[digit.in_dim]};
    if (!loops.empty() && loops.back().stride == loop.stride * loop.extent) {
      loops.back() = {loops.back().extent * loop.extent, loop.stride};
    } else {
      loops.push_back(loop);
    }
  }
  return loops;
}

bool stays_in_place(const IndexMap& map) {
  const std::vector<Loop> loops = loops_of(map);
  return first_of(map) == 0 && elements(map.from) == elements(map.to) &&
         (loops.empty() || (loops.size() == 1 && loops[0].stride == 1));
}

class Move final : public Operator {
 public:
  Move(std::string name, std::string parameters, IndexMap map)
      : name_(std::move(name)), parameters_(std::move(parameters)), map_(std::move(map)) {}

  [[nodiscard]] std::string name() const override { return name_; }
  [[nodiscard]] std::string parameters() const override { return parameters_; }

  [[nodiscard]] Types infer(Inputs in, const Types& declared) const override {
    const TensorType& input = one_input(in);
    require(input.shape == map_.from, "internal: made for {}, its input is {}", to_text(map_.from),
            to_text(input.shape));
    require(elements(map_.from) > 0 && elements(map_.to) > 0, "turns {} into {}; neither may be empty",
            to_text(map_.from), to_text(map_.to));
    require(loops_of(map_).size() <= table_rows + 2, "moves more than {} dimensions", table_rows + 2);
    return {moved_type(input, declared, map_.to)};
  }

  [[nodiscard]] Reals reference(Inputs, const Types&, const Reals& x) const override {
    const std::vector<int64_t> strides = strides_of(map_.from);
    std::vector<double> result;
    for (int64_t index = 0; index < elements(map_.to); ++index) {
      int64_t rest = index, place = first_of(map_);
      for (size_t i = map_.digits.size(); i-- > 0;) {
        const Digit& digit = map_.digits[i];
        if (digit.in_dim != Digit::nowhere) place += rest % digit.extent * digit.step * strides[digit.in_dim];
        rest /= digit.extent;
      }
      result.push_back(x[0][static_cast<size_t>(place)]);
    }
    return {result};
  }

  [[nodiscard]] Region needs(size_t, const Region& region, Inputs, const Types&) const override {
    Region needed;
    needed.rank = static_cast<int>(map_.from.size());
    for (size_t d = 0; d < map_.from.size(); ++d) needed.dims[d] = {map_.origin[d], map_.origin[d] + 1};
    size_t begin = 0;
    while (begin < map_.digits.size()) {
      size_t end = begin;
      while (end < map_.digits.size() && map_.digits[end].out_dim == map_.digits[begin].out_dim) ++end;
      widen(needed, region.dims[map_.digits[begin].out_dim], begin, end);
      begin = end;
    }
    return needed;
  }

  void to_tflite(tflite::NodeWriter& file, Inputs in, const Types&) const override {
    write_move(file, map_, in[0]->type);
  }
  [[nodiscard]] std::optional<IntegerForm> integer_form(DType, Inputs, const Types&) const override {
    return IntegerForm::shared();
  }

  [[nodiscard]] Call lower(Inputs in, const Types& out) const override {
    std::vector<Constant> constants;
    const Argument data = data_argument(in, 0, constants);
    std::vector<Loop> loops = loops_of(map_);
    while (loops.size() < 2) loops.insert(loops.begin(), Loop{1, 0});
    const Loop run = loops.back();
    const Loop rows = loops[loops.size() - 2];
    loops.resize(loops.size() - 2);
    std::vector<int32_t> table;
    for (const Loop& loop : loops) {
      table.push_back(narrow<int32_t>(loop.extent));
      table.push_back(narrow<int32_t>(loop.stride));
    }
    const auto small = [](int64_t value) { return narrow<int32_t>(value); };
    const nn::Move params{small(first_of(map_)), small(std::ssize(loops)), small(rows.extent),
                          small(rows.stride),    small(run.extent),        small(run.stride)};
    constants.push_back({"strides", DType::i32, to_bytes(table), false});
    const auto call_of = [&](auto kernel, const char* suffix) {
      return make_call(kernel, std::string("move") + suffix, "nn/move.hpp", "Move", params,
                       {data, constant(constants.size() - 1), output(0)});
    };
    Call call = call_for_storage(out[0].dtype, call_of, nn::move_s8, nn::move_s16, nn::move_s32, nn::move_s64,
                                 nn::move_f32);
    call.constants = std::move(constants);
    call.order = element_by_element(out[0]);
    return call;
  }

 private:
  // Adds what the range of one output dimension needs, whose digits are [begin, end).
  void widen(Region& needed, const Region::Range& range, size_t begin, size_t end) const {
    int64_t low = range.low, high = range.high - 1, below = 1;
    for (size_t i = begin; i < end; ++i) below *= map_.digits[i].extent;
    for (size_t i = begin; i < end; ++i) {
      const Digit& digit = map_.digits[i];
      below /= digit.extent;
      const int64_t from = low / below, to = high / below;
      if (digit.in_dim != Digit::nowhere) {
        needed.dims[digit.in_dim].low += std::min(digit.step * from, digit.step * to);
        needed.dims[digit.in_dim].high += std::max(digit.step * from, digit.step * to);
      }
      low = from == to ? low % below : 0;  // the range crosses a boundary: the digits behind take every value
      high = from == to ? high % below : below - 1;
    }
  }

  std::string name_, parameters_;
  IndexMap map_;
};

}  // namespace

void IndexMap::append(std::vector<Digit> counted_by) {
  to.push_back(1);
  for (Digit& digit : counted_by) {
    digit.out_dim = to.size() - 1;
    to.back() *= digit.extent;
    digits.push_back(digit);
  }
}

void IndexMap::take(size_t in_dim, int64_t begin, int64_t extent, int64_t step) {
  origin[in_dim] = begin;
  append({{0, extent, in_dim, step}});
}

OperatorPtr make_move(std::string name, std::string parameters, IndexMap map) {
  if (stays_in_place(map)) return make_reshape(map.to);
  return std::make_shared<Move>(std::move(name), std::move(parameters), std::move(map));
}

OperatorPtr make_copy(const Shape& shape) {
  IndexMap map(shape);
  for (size_t d = 0; d < shape.size(); ++d) map.take_all(d);
  return std::make_shared<Move>("copy", "", std::move(map));
}

TensorType random_movable(std::mt19937& random, Shape shape) {
  const DType dtypes[] = {DType::i8,  DType::i8,  DType::i8,  DType::u8,
                          DType::i16, DType::f32, DType::i32, DType::i64};
  const DType dtype = dtypes[random_integer(random, 0, std::ssize(dtypes) - 1)];
  if (dtype == DType::i32 || dtype == DType::i64) return {dtype, std::move(shape), {}};
  return random_type(random, dtype, std::move(shape));
}

Sample move_sample(OperatorPtr op, const TensorType& in, Shape out) {
  Sample sample{std::move(op), {variable(in)}, {reshaped(in, std::move(out))}, 0.0};
  if (in.dtype != DType::f32) sample.tolerance = 1e-9;  // the reference goes through real numbers
  return sample;
}

}  // namespace mote::op
