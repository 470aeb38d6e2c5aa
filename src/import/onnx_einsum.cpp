// SPDX-License-Identifier: Apache-2.0
// Einsum of ONNX: of one tensor a transposition, of two a matrix product between transpositions.
#include <algorithm>

#include "import/onnx_translator.hpp"

namespace mote::onnx {

namespace {

// The letters of the operands' dimensions and of the result's.
struct Equation {
  std::vector<std::string> operands;
  std::string result;
};

bool contains(const std::string& letters, char letter) { return letters.find(letter) != std::string::npos; }

// Without "->" the result has the letters that occur once, in alphabetical order.
std::string implied_result(const std::string& letters) {
  std::string result;
  for (char letter = 'A'; letter <= 'z'; ++letter) {
    if (std::count(letters.begin(), letters.end(), letter) == 1) result += letter;
  }
  return result;
}

Equation parse_equation(std::string text) {
  text.erase(std::remove(text.begin(), text.end(), ' '), text.end());
  const size_t arrow = text.find("->");
  const std::string left = text.substr(0, arrow);
  Equation equation;
  for (size_t begin = 0; begin <= left.size();) {
    const size_t comma = std::min(left.find(',', begin), left.size());
    equation.operands.push_back(left.substr(begin, comma - begin));
    begin = comma + 1;
  }
  std::string letters;
  for (const std::string& operand : equation.operands) letters += operand;
  equation.result = arrow == std::string::npos ? implied_result(letters) : text.substr(arrow + 2);
  for (const std::string& part : equation.operands) {
    for (const char letter : part) {
      require((letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z'),
              "has the equation '{}' with '{}', which is not supported; use one letter a dimension", text, letter);
      require(std::count(part.begin(), part.end(), letter) == 1,
              "takes a diagonal in its equation '{}', which is not supported", text);
    }
  }
  for (const char letter : equation.result) {
    require(contains(letters, letter) && std::count(equation.result.begin(), equation.result.end(), letter) == 1,
            "has the equation '{}', whose result has '{}' twice or from nowhere", text, letter);
  }
  return equation;
}

Permutation places(const std::string& wanted, const std::string& letters) {
  Permutation order;
  for (const char letter : wanted) order.push_back(letters.find(letter));
  return order;
}

void transposition(Translator& t, const Equation& equation) {
  require(equation.result.size() == equation.operands[0].size(),
          "sums over dimensions of one tensor, which is not supported; use ReduceSum");
  t.give_transposed(t.plain(0), places(equation.result, equation.operands[0]));
}

int64_t product_of(const std::string& wanted, const std::string& letters, const Shape& shape) {
  return elements(permuted(shape, places(wanted, letters)));
}

void einsum(Translator& t) {
  const Equation equation = parse_equation(t.node().text("equation", ""));
  require(equation.operands.size() == t.count() && (t.count() == 1 || t.count() == 2),
          "has {} operands; one and two are supported, split the product", t.count());
  for (size_t i = 0; i < t.count(); ++i) {
    require(equation.operands[i].size() == t.shape(i).size(), "names {} dimensions of {}",
            equation.operands[i].size(), to_text(t.shape(i)));
  }
  if (t.count() == 1) return transposition(t, equation);
  const std::string &a = equation.operands[0], &b = equation.operands[1], &result = equation.result;
  const Shape left = t.shape(0), right = t.shape(1);
  std::string batch, rows, columns, summed;
  for (const char letter : a) {
    const bool kept = contains(result, letter);
    require(kept || contains(b, letter), "sums over '{}' of one operand, which is not supported; use ReduceSum",
            letter);
    (!kept ? summed : contains(b, letter) ? batch : rows) += letter;
    require(!contains(b, letter) || left[a.find(letter)] == right[b.find(letter)],
            "has two extents for '{}', {} and {}", letter, to_text(left), to_text(right));
  }
  for (const char letter : b) {
    require(contains(result, letter) || contains(a, letter),
            "sums over '{}' of one operand, which is not supported; use ReduceSum", letter);
    if (!contains(a, letter)) columns += letter;
  }
  Builder& builder = t.builder();
  const auto matrices = [&](size_t input, const std::string& letters, const std::string& first,
                            const std::string& second) {
    const Shape shape = t.shape(input);
    const TensorId id = builder.stored(t.plain(input), places(batch + first + second, letters));
    return builder.with_shape(id, {product_of(batch, letters, shape), product_of(first, letters, shape),
                                   product_of(second, letters, shape)});
  };
  const TensorId id =
      builder.add("BATCH_MATMUL", tflite::schema::BatchMatMulOptionsT{},
                  {matrices(0, a, rows, summed), matrices(1, b, summed, columns)}, {{DType::f32, {}, {}}})[0];
  Shape shape;
  for (const char letter : result) {
    shape.push_back(contains(a, letter) ? left[a.find(letter)] : right[b.find(letter)]);
  }
  t.give(0, {id, layout_of(shape, places(batch + rows + columns, result))});
}

constexpr Translation table[] = {{"Einsum", einsum}};

}  // namespace

std::span<const Translation> einsum_translations() { return table; }

}  // namespace mote::onnx
