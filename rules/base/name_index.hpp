#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
#include <vector>

namespace rules {

// The numbers of names, in the order in which they were added. It can be asked for one and not be gone through, so
// that nothing can come to depend on how it is ordered inside. The texts must outlive it, where they are.
class NameIndex {
 public:
  void clear() {
    newest_ = 0;
    names_.clear();
    slots_.clear();
  }
  // One that it does not know yet.
  void add(std::string_view name) {
    names_.push_back(name);
    if (2 * names_.size() > slots_.size()) {
      slots_.assign(slots_.empty() ? 16 : 2 * slots_.size(), nobody);
      for (std::size_t number = 0; number < names_.size(); ++number) put(number);
    } else {
      put(names_.size() - 1);
    }
  }
  std::optional<std::size_t> find(std::string_view name) const {
    if (slots_.empty()) return std::nullopt;
    if (names_[newest_] == name) return newest_;
    for (std::size_t slot = first_slot(name); slots_[slot] != nobody; slot = next_slot(slot)) {
      if (names_[slots_[slot]] == name) return newest_ = slots_[slot];
    }
    return std::nullopt;
  }

 private:
  using Number = std::uint32_t;
  static constexpr Number nobody = ~Number{};

  std::size_t first_slot(std::string_view name) const {
    return std::hash<std::string_view>()(name) & (slots_.size() - 1);
  }
  std::size_t next_slot(std::size_t slot) const { return (slot + 1) & (slots_.size() - 1); }
  void put(std::size_t number) {
    std::size_t slot = first_slot(names_[number]);
    while (slots_[slot] != nobody) slot = next_slot(slot);
    slots_[slot] = static_cast<Number>(number);
  }

  mutable std::size_t newest_ = 0;  // found last: what a poll is about is asked for several times in a row
  std::vector<std::string_view> names_;
  std::vector<Number> slots_;  // a power of two, at least half of them free
};

}  // namespace rules
