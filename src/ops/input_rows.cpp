// SPDX-License-Identifier: Apache-2.0
#include "ops/input_rows.hpp"

#include "ir/rows.hpp"
#include "nn/input_rows.hpp"
#include "ops/checks.hpp"
#include "ops/instances.hpp"
#include "ops/storage.hpp"

namespace mote {

namespace {

class InputRows final : public Operator, public WorksInRows {
 public:
  [[nodiscard]] std::string name() const override { return "input_rows"; }
  [[nodiscard]] std::string parameters() const override { return ""; }

  [[nodiscard]] Types infer(Inputs in, const Types& declared) const override {
    return {op::moved_type(op::input_type(in, 0), declared, in[0]->type.shape)};
  }
  [[nodiscard]] Reals reference(Inputs, const Types&, const Reals& x) const override { return {x[0]}; }
  [[nodiscard]] Region needs(size_t, const Region& region, Inputs, const Types&) const override { return region; }
  [[nodiscard]] OperatorPtr rows(const RowStrip&, Inputs, const Types&) const override {
    return std::make_shared<InputRows>(*this);
  }
  [[nodiscard]] Call lower(Inputs in, const Types&) const override {
    const nn::InputRows params{narrow<int32_t>(elements(in[0]->type.shape))};
    return op::for_storage(in[0]->type.dtype, [&]<class T>(T) {
      return make_call(nn::input_rows<T>, op::instance<T>("input_rows"), "nn/input_rows.hpp", "InputRows", params,
                       {input(0), output(0)});
    });
  }
};

}  // namespace

OperatorPtr make_input_rows() { return std::make_shared<InputRows>(); }

}  // namespace mote
