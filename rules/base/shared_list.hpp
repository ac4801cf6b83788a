#pragma once

#include <cstddef>
#include <initializer_list>
#include <memory>
#include <utility>
#include <vector>

namespace rules {

// A list that copies share until one of them is changed, which makes it a list of its own: the configuration is held in
// several places, and its rules are in memory once. Whoever has a list that is not const and goes through it counts as
// changing it.
template <class T>
class SharedList {
 public:
  using value_type = T;
  using iterator = typename std::vector<T>::iterator;
  using const_iterator = typename std::vector<T>::const_iterator;

  SharedList() = default;
  SharedList(std::vector<T> items) : items_(std::make_shared<std::vector<T>>(std::move(items))) {}
  SharedList(std::initializer_list<T> items) : SharedList(std::vector<T>(items)) {}

  operator const std::vector<T>&() const { return all(); }
  const std::vector<T>& all() const {
    static const std::vector<T> none;
    return items_ ? *items_ : none;
  }
  std::size_t size() const { return all().size(); }
  bool empty() const { return all().empty(); }
  const_iterator begin() const { return all().begin(); }
  const_iterator end() const { return all().end(); }
  const T& operator[](std::size_t i) const { return all()[i]; }
  const T& at(std::size_t i) const { return all().at(i); }
  const T& front() const { return all().front(); }
  const T& back() const { return all().back(); }

  // One of them, which stays when the list goes.
  std::shared_ptr<const T> share(std::size_t i) const { return {items_, &(*items_)[i]}; }

  std::vector<T>& own() {
    if (!items_) items_ = std::make_shared<std::vector<T>>();
    if (items_.use_count() > 1) items_ = std::make_shared<std::vector<T>>(*items_);
    return *items_;
  }
  iterator begin() { return own().begin(); }
  iterator end() { return own().end(); }
  T& operator[](std::size_t i) { return own()[i]; }
  T& at(std::size_t i) { return own().at(i); }
  T& front() { return own().front(); }
  T& back() { return own().back(); }
  void push_back(T item) { own().push_back(std::move(item)); }
  void pop_back() { own().pop_back(); }
  void clear() { items_.reset(); }
  template <class Where, class... What>
  iterator insert(Where where, What&&... what) {
    return own().insert(where, std::forward<What>(what)...);
  }
  template <class... Where>
  iterator erase(Where... where) {
    return own().erase(where...);
  }

 private:
  std::shared_ptr<std::vector<T>> items_;  // nullptr: empty
};

}  // namespace rules
