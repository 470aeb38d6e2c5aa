// SPDX-License-Identifier: Apache-2.0
#include "import/onnx_layout.hpp"

#include <algorithm>
#include <numeric>

namespace mote::onnx {

namespace {

// Joins factors of one dimension that are neighbours in memory, too.
Layout simplified(const Layout& layout) {
  std::vector<size_t> place(layout.order.size());  // of each factor in memory
  for (size_t i = 0; i < layout.order.size(); ++i) place[layout.order[i]] = i;
  Layout result;
  std::vector<std::pair<size_t, size_t>> kept;  // place in memory, new number
  size_t number = 0;
  for (const std::vector<int64_t>& dim : layout.dims) {
    result.dims.emplace_back();
    for (size_t i = 0; i < dim.size(); ++i, ++number) {
      if (i > 0 && place[number] == place[number - 1] + 1) {
        result.dims.back().back() *= dim[i];
      } else {
        result.dims.back().push_back(dim[i]);
        kept.emplace_back(place[number], kept.size());
      }
    }
  }
  std::sort(kept.begin(), kept.end());
  for (const auto& [unused, factor] : kept) result.order.push_back(factor);
  return result;
}

bool stored_in(const Layout& layout, const Permutation& order) {
  return simplified(layout) == layout_of(shape_of(layout), order);
}

}  // namespace

Permutation identity(size_t rank) {
  Permutation order(rank);
  std::iota(order.begin(), order.end(), size_t{0});
  return order;
}

Permutation channels_last(size_t rank) {
  Permutation order = identity(rank);
  if (rank > 2) std::rotate(order.begin() + 1, order.begin() + 2, order.end());
  return order;
}

Shape permuted(const Shape& shape, const Permutation& order) {
  Shape result;
  for (const size_t dim : order) result.push_back(shape.at(dim));
  return result;
}

Layout layout_of(const Shape& shape, const Permutation& order) {
  Layout layout;
  std::vector<size_t> number(shape.size());  // of each dimension's factor
  size_t count = 0;
  for (size_t d = 0; d < shape.size(); ++d) {
    number[d] = count;
    layout.dims.emplace_back();
    if (shape[d] == 1) continue;
    layout.dims.back().push_back(shape[d]);
    ++count;
  }
  for (const size_t dim : order) {
    if (shape.at(dim) != 1) layout.order.push_back(number[dim]);
  }
  return layout;
}

Shape shape_of(const Layout& layout) {
  Shape shape;
  for (const std::vector<int64_t>& dim : layout.dims) shape.push_back(elements(dim));
  return shape;
}

std::vector<int64_t> factors(const Layout& layout) {
  std::vector<int64_t> all;
  for (const std::vector<int64_t>& dim : layout.dims) all.insert(all.end(), dim.begin(), dim.end());
  return all;
}

Shape stored_factors(const Layout& layout) { return permuted(factors(layout), layout.order); }

Layout transposed(const Layout& layout, const Permutation& order) {
  std::vector<size_t> first(layout.dims.size());  // number of each dimension's first factor
  for (size_t d = 1; d < first.size(); ++d) first[d] = first[d - 1] + layout.dims[d - 1].size();
  Layout result;
  std::vector<size_t> renamed(layout.order.size());
  size_t number = 0;
  for (const size_t dim : order) {
    result.dims.push_back(layout.dims.at(dim));
    for (size_t i = 0; i < layout.dims[dim].size(); ++i) renamed[first[dim] + i] = number++;
  }
  for (const size_t factor : layout.order) result.order.push_back(renamed[factor]);
  return result;
}

std::optional<Layout> reshaped(const Layout& layout, const Shape& shape) {
  const std::vector<int64_t> old = factors(layout);
  std::vector<std::vector<size_t>> pieces(old.size());  // numbers of the new factors that an old one becomes
  Layout result;
  size_t number = 0, from = 0;
  int64_t left = old.empty() ? 1 : old[0];  // of factor `from`
  for (const int64_t extent : shape) {
    result.dims.emplace_back();
    for (int64_t rest = extent; rest != 1;) {
      if (from == old.size()) return std::nullopt;
      const int64_t piece = left != 0 && rest % left == 0 ? left : rest;
      if (piece == 0 || left % piece != 0) return std::nullopt;
      result.dims.back().push_back(piece);
      pieces[from].push_back(number++);
      rest /= piece;
      left /= piece;
      if (left == 1 && ++from < old.size()) left = old[from];
    }
  }
  if (from != old.size()) return std::nullopt;
  for (const size_t factor : layout.order) {
    result.order.insert(result.order.end(), pieces[factor].begin(), pieces[factor].end());
  }
  return simplified(result);
}

std::optional<Permutation> stored_order(const Layout& layout, const Shape& stored) {
  const size_t rank = layout.dims.size();
  std::vector<Permutation> usual;
  for (const Permutation& order : {identity(rank), channels_last(rank)}) {
    if (stored_in(layout, order)) usual.push_back(order);
  }
  for (const Permutation& order : usual) {
    if (permuted(shape_of(layout), order) == stored) return order;
  }
  if (!usual.empty()) return usual[0];
  const Layout simple = simplified(layout);
  std::vector<size_t> dim_of;  // of each factor
  Permutation order, units;
  for (size_t d = 0; d < rank; ++d) {
    if (simple.dims[d].size() > 1) return std::nullopt;
    if (simple.dims[d].empty()) {
      units.push_back(d);
    } else {
      dim_of.push_back(d);
    }
  }
  order = units;
  for (const size_t factor : simple.order) order.push_back(dim_of[factor]);
  return order;
}

}  // namespace mote::onnx
