#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <utility>

namespace rules {

// What most services and rules never have takes a pointer as long as they have none of it: of a thousand services
// hardly one has an incident, a mark or a pause, and each byte of their state is a kilobyte.

// A container that is nearly always empty. It takes no memory of its own before something is put into it, nor after
// clear(); what is taken out one by one leaves its room. Used like the container.
template <class Container>
class Seldom {
 public:
  using iterator = typename Container::iterator;
  using const_iterator = typename Container::const_iterator;

  Seldom() = default;
  Seldom(Container items) { *this = std::move(items); }
  Seldom(const Seldom& other) : Seldom(other.all()) {}
  Seldom(Seldom&&) noexcept = default;
  Seldom& operator=(const Seldom& other) { return *this = other.all(); }
  Seldom& operator=(Seldom&&) noexcept = default;
  Seldom& operator=(Container items) {
    if (items.empty())
      clear();
    else
      own() = std::move(items);
    return *this;
  }
  ~Seldom() = default;

  const Container& all() const { return items_ ? *items_ : none(); }
  operator const Container&() const { return all(); }
  bool empty() const { return !items_ || items_->empty(); }
  std::size_t size() const { return all().size(); }
  const_iterator begin() const { return all().begin(); }
  const_iterator end() const { return all().end(); }
  iterator begin() { return here().begin(); }
  iterator end() { return here().end(); }
  template <class Key = typename Container::key_type>
  bool contains(const Key& key) const {
    return !empty() && items_->contains(key);
  }
  template <class Key = typename Container::key_type>
  const_iterator find(const Key& key) const {
    return all().find(key);
  }
  template <class Key = typename Container::key_type>
  iterator find(const Key& key) {
    return here().find(key);
  }
  template <class Key = typename Container::key_type>
  iterator lower_bound(const Key& key) {
    return here().lower_bound(key);
  }

  void clear() { items_.reset(); }
  template <class Key = typename Container::key_type>
  auto& operator[](const Key& key) {
    return own()[key];
  }
  template <class Item>
  auto insert(Item&& item) {
    return own().insert(std::forward<Item>(item));
  }
  template <class... What>
  auto emplace(What&&... what) {
    return own().emplace(std::forward<What>(what)...);
  }
  template <class... What>
  auto try_emplace(What&&... what) {
    return own().try_emplace(std::forward<What>(what)...);
  }
  // What an iterator points to, or all that have the key.
  template <class What>
  auto erase(const What& what) {
    using Left = decltype(items_->erase(what));
    return items_ ? items_->erase(what) : Left();
  }
  template <class Matches>
  void erase_if(const Matches& matches) {
    if (items_) std::erase_if(*items_, matches);
  }

 private:
  static Container& none() {
    static Container none;  // stays as it is: several threads may read it
    return none;
  }
  Container& here() { return items_ ? *items_ : none(); }
  Container& own() {
    if (!items_) items_ = std::make_unique<Container>();
    return *items_;
  }

  std::unique_ptr<Container> items_;  // nullptr: empty
};

// The same for a value that is nearly never there. Used like std::optional.
template <class T>
class Boxed {
 public:
  Boxed() = default;
  Boxed(Boxed&&) noexcept = default;
  Boxed& operator=(Boxed&&) noexcept = default;
  Boxed& operator=(std::nullopt_t) {
    reset();
    return *this;
  }
  Boxed& operator=(T value) {
    value_ = std::make_unique<T>(std::move(value));
    return *this;
  }
  Boxed& operator=(std::optional<T> value) {
    reset();
    if (value) *this = std::move(*value);
    return *this;
  }
  ~Boxed() = default;

  explicit operator bool() const { return value_ != nullptr; }
  bool has_value() const { return value_ != nullptr; }
  T& operator*() { return *value_; }
  const T& operator*() const { return *value_; }
  T* operator->() { return value_.get(); }
  const T* operator->() const { return value_.get(); }
  void reset() { value_.reset(); }
  // A copy.
  operator std::optional<T>() const { return value_ ? std::optional<T>(*value_) : std::nullopt; }
  // And nothing is left.
  std::optional<T> take() {
    std::optional<T> out;
    if (value_) out = std::move(*value_);
    reset();
    return out;
  }
  friend bool operator==(const Boxed& one, const T& other) { return one.value_ && *one.value_ == other; }

 private:
  std::unique_ptr<T> value_;  // nullptr: not there
};

// A value that is nearly always as it is made: T(). It takes no memory of its own before somebody asks to change it; a
// copy copies it.
template <class T>
class Spare {
 public:
  Spare() = default;
  Spare(T value) : value_(std::make_unique<T>(std::move(value))) {}
  Spare(const Spare& other) : value_(other.value_ ? std::make_unique<T>(*other.value_) : nullptr) {}
  Spare(Spare&&) noexcept = default;
  Spare& operator=(const Spare& other) {
    if (this != &other) *this = Spare(other);
    return *this;
  }
  Spare& operator=(Spare&&) noexcept = default;
  ~Spare() = default;

  const T& get() const {
    static const T none{};
    return value_ ? *value_ : none;
  }
  operator const T&() const { return get(); }
  const T& operator*() const { return get(); }
  const T* operator->() const { return &get(); }
  // To be changed.
  T& own() {
    if (!value_) value_ = std::make_unique<T>();
    return *value_;
  }
  friend bool operator==(const Spare& one, const Spare& other) { return one.get() == other.get(); }

 private:
  std::unique_ptr<T> value_;  // nullptr: T()
};

}  // namespace rules
