// SPDX-License-Identifier: Apache-2.0
// The deepest chain of calls: strongly connected parts of the graph first (Tarjan 1972), then the longest path.
#include <algorithm>
#include <set>

#include "base/error.hpp"
#include "emulate/call_graph.hpp"

namespace mote {
namespace {

class BoundFinder {
 public:
  explicit BoundFinder(const std::vector<Function>& functions)
      : functions_(functions),
        order_(functions.size(), unseen),
        low_(functions.size()),
        group_(functions.size(), unseen) {}

  // Bytes below the stack pointer at the entry of `function`.
  int64_t bound(size_t function) {
    visit(function);
    return group_bytes_[group_[function]];
  }

 private:
  static constexpr size_t unseen = static_cast<size_t>(-1);

  void visit(size_t index) {
    order_[index] = low_[index] = next_++;
    stack_.push_back(index);
    for (const CallEdge& edge : functions_[index].edges) {
      if (order_[edge.target] == unseen) {
        visit(edge.target);
        low_[index] = std::min(low_[index], low_[edge.target]);
      } else if (group_[edge.target] == unseen) {
        low_[index] = std::min(low_[index], order_[edge.target]);
      }
    }
    if (low_[index] == order_[index]) close_group(index);
  }

  void close_group(size_t root) {
    const auto begin = std::find(stack_.begin(), stack_.end(), root);
    const std::vector<size_t> members(begin, stack_.end());
    stack_.erase(begin, stack_.end());
    const size_t group = group_bytes_.size();
    for (const size_t member : members) group_[member] = group;
    group_bytes_.push_back(group_bound(members, group));
  }

  // Functions that jump into each other are bounded by all their frames together; calls among them are recursion.
  int64_t group_bound(const std::vector<size_t>& members, size_t group) const {
    int64_t frames = 0, below = 0, instead = 0;
    for (const size_t member : members) {
      const Function& function = functions_[member];
      require(function.problem.empty(), "the stack has no bound: {} is called, and {}", function.name,
              function.problem);
      frames += function.frame_bytes;
      for (const CallEdge& edge : function.edges) {
        const bool inside = group_[edge.target] == group;
        require(!inside || edge.kind != EdgeKind::call, "the stack has no bound: {} and {} call each other",
                function.name, functions_[edge.target].name);
        if (inside) continue;
        int64_t& most = edge.kind == EdgeKind::tail_call && members.size() == 1 ? instead : below;
        most = std::max(most, group_bytes_[group_[edge.target]]);
      }
    }
    return std::max(frames + below, instead);
  }

  const std::vector<Function>& functions_;
  std::vector<size_t> order_, low_, group_, stack_;
  std::vector<int64_t> group_bytes_;
  size_t next_ = 0;
};

// The longest way to one function, from wherever it is called.
class WayFinder {
 public:
  WayFinder(const std::vector<Function>& functions, size_t to)
      : functions_(functions), to_(to), bound_(BoundFinder(functions).bound(to)) {}

  std::optional<int64_t> from(size_t index) {
    if (index == to_) return bound_;
    const auto [known, is_new] = known_.try_emplace(index, std::nullopt);
    if (!is_new) return known->second;
    std::optional<int64_t> most;
    for (const CallEdge& edge : functions_[index].edges) {
      const std::optional<int64_t> below = from(edge.target);
      const int64_t frame = edge.kind == EdgeKind::tail_call ? 0 : functions_[index].frame_bytes;
      if (below) most = std::max(most.value_or(0), frame + *below);
    }
    return known_[index] = most;
  }

 private:
  const std::vector<Function>& functions_;
  size_t to_;
  int64_t bound_;
  std::map<size_t, std::optional<int64_t>> known_;  // nullopt: no way, or under way
};

size_t index_of(const std::vector<Function>& functions, std::string_view name) {
  const auto found = std::find_if(functions.begin(), functions.end(),
                                  [name](const Function& function) { return function.name == name; });
  require(found != functions.end(), "the program has no function {}", name);
  return static_cast<size_t>(found - functions.begin());
}

}  // namespace

int64_t stack_bound(const std::vector<Function>& functions, std::string_view entry) {
  return BoundFinder(functions).bound(index_of(functions, entry));
}

std::optional<int64_t> stack_bound_through(const std::vector<Function>& functions, std::string_view entry,
                                           size_t via) {
  return WayFinder(functions, via).from(index_of(functions, entry));
}

std::vector<size_t> reachable(const std::vector<Function>& functions, size_t entry) {
  std::set<size_t> found{entry};
  for (std::vector<size_t> open{entry}; !open.empty();) {
    const Function& function = functions.at(open.back());
    open.pop_back();
    for (const CallEdge& edge : function.edges) {
      if (found.insert(edge.target).second) open.push_back(edge.target);
    }
  }
  return {found.begin(), found.end()};
}

}  // namespace mote
