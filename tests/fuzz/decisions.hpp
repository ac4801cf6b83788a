#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

// Takes a fuzzer's bytes as decisions of what is written: each input is something whole, and a byte that is changed
// changes one of them. At its end every decision is the first.
class Decisions {
 public:
  Decisions(const std::uint8_t* data, std::size_t size) : data_(data), size_(size) {}

  bool are_over() const { return at_ == size_; }
  // 0 to count - 1; count is at most 65536.
  std::size_t below(std::size_t count) {
    if (count <= 1) return 0;
    std::size_t chosen = next();
    if (count > 256) chosen = chosen * 256 + next();
    return chosen % count;
  }
  bool one_in(std::size_t count) { return below(count) == count - 1; }
  template <class List>
  const auto& of(const List& list) {
    return list[below(std::size(list))];
  }
  // Bytes of any kind.
  std::string bytes(std::size_t most) {
    std::string out;
    for (std::size_t left = below(most + 1); left > 0; --left) out += static_cast<char>(next());
    return out;
  }

 private:
  std::uint8_t next() { return at_ < size_ ? data_[at_++] : std::uint8_t{0}; }

  const std::uint8_t* data_;
  std::size_t size_;
  std::size_t at_ = 0;
};
