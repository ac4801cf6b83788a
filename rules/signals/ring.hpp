#pragma once

#include <cstddef>
#include <utility>
#include <vector>

namespace rules {

// A queue in one block of memory: a thousand probes each keep a few short ones, and a std::deque begins at half a
// kilobyte.
template <class T>
class Ring {
 public:
  bool empty() const { return begin_ == items_.size(); }
  std::size_t size() const { return items_.size() - begin_; }
  const T& operator[](std::size_t i) const { return items_[begin_ + i]; }
  const T& front() const { return items_[begin_]; }
  const T& back() const { return items_.back(); }
  std::size_t bytes() const { return items_.capacity() * sizeof(T); }  // of memory that it holds
  auto begin() const { return items_.begin() + static_cast<std::ptrdiff_t>(begin_); }
  auto end() const { return items_.end(); }
  void push_back(T item) { items_.push_back(std::move(item)); }
  void pop_front() {
    ++begin_;
    if (begin_ * 2 <= items_.size()) return;
    items_.erase(items_.begin(), items_.begin() + static_cast<std::ptrdiff_t>(begin_));
    begin_ = 0;
  }
  void clear() {
    items_.clear();
    begin_ = 0;
  }

 private:
  std::vector<T> items_;
  std::size_t begin_ = 0;
};

}  // namespace rules
