// SPDX-License-Identifier: Apache-2.0
#include "plan/strip_calls.hpp"

#include <algorithm>
#include <charconv>
#include <map>

namespace mote {

namespace {

// One strip with something to do.
struct Strip {
  int64_t begin = 0, end = 0;
  std::vector<Region::Range> in;
  size_t kind = 0;
};

std::optional<int64_t> whole_number(const std::string& text) {
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() ? std::optional(value) : std::nullopt;
}

class Maker {
 public:
  Maker(const Graph& graph, const Core& core, const Task& task, const RowTask& rows)
      : core_(core),
        node_(graph.nodes[task.node]),
        rows_(rows),
        in_(inputs_of(graph, node_)),
        out_(output_types(graph, node_)) {}

  std::optional<StripCalls> make(const nn::RowCount& done, int64_t strips) {
    StripCalls result;
    for (int32_t s = 0; s < strips; ++s) {
      const int32_t begin = done.at(s - 1), end = done.at(s);
      result.kind_of_strip.push_back(no_kind);
      if (begin == end) continue;
      const RowStrip rows = strip_of(rows_, in_, begin, end);
      const std::optional<size_t> kind = kind_of(rows);
      if (!kind) return std::nullopt;
      result.kind_of_strip.back() = *kind;
      strips_.push_back({begin, end, rows.in, *kind});
    }
    if (calls_.empty() || !alike()) return std::nullopt;
    for (size_t field = 0; field < calls_[0].fields.size(); ++field) {
      const auto differs = [&](const Call& call) {
        return call.fields[field].text != calls_[0].fields[field].text;
      };
      if (std::none_of(calls_.begin(), calls_.end(), differs)) continue;
      const std::optional<StripField> form = fit(field);
      if (!form) return std::nullopt;
      result.fields.push_back(*form);
    }
    for (const Call& call : calls_) {
      StripStep::Kind kind{{}, call.run};
      for (const StripField& field : result.fields) kind.values.push_back(call.fields[field.field].text);
      result.kinds.push_back(std::move(kind));
      calls_[0].scratch_bytes = std::max(calls_[0].scratch_bytes, call.scratch_bytes);
    }
    result.call = std::move(calls_[0]);
    return result;
  }

 private:
  std::optional<size_t> kind_of(const RowStrip& strip) {
    const OperatorPtr op = operator_of_rows(*node_.op, strip, in_, out_);
    if (op == nullptr) return std::nullopt;
    std::string key = op->parameters();
    for (const Region::Range& range : strip.in) key += fmt::format(" {}", range.high - range.low);
    key += fmt::format(" -> {}", strip.out.high - strip.out.low);
    const auto [known, fresh] = kinds_.try_emplace(std::move(key), calls_.size());
    if (!fresh) return known->second;
    std::vector<Tensor> cut(in_.size());
    std::vector<const Tensor*> in = in_;
    for (const RowInput& input : rows_.inputs) {
      if (input.whole) continue;
      cut[input.input] = {in_[input.input]->name, in_[input.input]->type, {}};
      const Region::Range& range = strip.in[input.input];
      cut[input.input].type.shape[1] = range.high - range.low;
      in[input.input] = &cut[input.input];
    }
    Types out = out_;
    if (!rows_.folds) out[0].shape[1] = strip.out.high - strip.out.low;
    calls_.push_back(lower_node(node_, *op, core_, in, op->infer(in, out)));
    return calls_.size() - 1;
  }

  // One kernel, its constants and its arguments serve all strips.
  [[nodiscard]] bool alike() const {
    const Call& first = calls_[0];
    return std::all_of(calls_.begin(), calls_.end(), [&](const Call& call) {
      return call.kernel == first.kernel && call.params == first.params &&
             std::equal(call.constants.begin(), call.constants.end(), first.constants.begin(),
                        first.constants.end(),
                        [](const Constant& a, const Constant& b) { return a.data == b.data; }) &&
             std::equal(
                 call.arguments.begin(), call.arguments.end(), first.arguments.begin(), first.arguments.end(),
                 [](const Argument& a, const Argument& b) { return a.kind == b.kind && a.index == b.index; });
    });
  }

  [[nodiscard]] std::optional<StripField> fit(size_t field) const {
    std::vector<int64_t> values;
    for (const Strip& strip : strips_) {
      const std::optional<int64_t> value = whole_number(calls_[strip.kind].fields[field].text);
      if (!value) return std::nullopt;
      values.push_back(*value);
    }
    std::vector<StripField> forms{{field, StripField::Of::out_rows, 0, 1, 0}};
    for (const RowInput& input : rows_.inputs) {
      if (!input.whole) forms.push_back({field, StripField::Of::in_rows, input.input, 1, 0});
    }
    forms.push_back({field, StripField::Of::first_row, 0, 1, 0});
    for (StripField form : forms) {
      for (const int64_t factor : factors(form, values)) {
        form.factor = factor;
        form.offset = 0;
        form.offset = values[0] - factor * quantity(form, strips_[0]);
        if (suits(form, values)) return form;
      }
    }
    return std::nullopt;
  }

  static int64_t quantity(const StripField& form, const Strip& strip) {
    switch (form.of) {
      case StripField::Of::out_rows: return strip.end - strip.begin;
      case StripField::Of::in_rows: return strip.in[form.input].high - strip.in[form.input].low;
      case StripField::Of::first_row: return strip.begin;
    }
    fail("internal: unknown quantity");
  }

  // By the first two strips that differ; and one that brings the value to 0 at once.
  [[nodiscard]] std::vector<int64_t> factors(const StripField& form, const std::vector<int64_t>& values) const {
    for (size_t i = 1; i < strips_.size(); ++i) {
      const int64_t step = quantity(form, strips_[i]) - quantity(form, strips_[0]);
      if (step != 0) return {(values[i] - values[0]) / step, -values[0]};
    }
    return {};
  }

  [[nodiscard]] bool suits(const StripField& form, const std::vector<int64_t>& values) const {
    for (size_t i = 0; i < strips_.size(); ++i) {
      if (field_value(form, strips_[i].begin, strips_[i].end, strips_[i].in) != values[i]) return false;
    }
    return true;
  }

  const Core& core_;
  const Node& node_;
  const RowTask& rows_;
  std::vector<const Tensor*> in_;
  Types out_;
  std::map<std::string, size_t> kinds_;
  std::vector<Call> calls_;  // one a kind
  std::vector<Strip> strips_;
};

}  // namespace

std::optional<StripCalls> strip_calls(const Graph& graph, const Core& core, const Task& task, const RowTask& rows,
                                      const nn::RowCount& done, int64_t strips) {
  return Maker(graph, core, task, rows).make(done, strips);
}

int64_t field_value(const StripField& field, int64_t begin, int64_t end, const std::vector<Region::Range>& in) {
  const int64_t quantity = field.of == StripField::Of::out_rows  ? end - begin
                           : field.of == StripField::Of::in_rows ? in[field.input].high - in[field.input].low
                                                                 : begin;
  return std::max<int64_t>(field.offset + field.factor * quantity, 0);
}

}  // namespace mote
