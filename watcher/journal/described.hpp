#pragma once

#include <boost/describe/enum_from_string.hpp>
#include <boost/describe/enum_to_string.hpp>
#include <boost/describe/members.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <boost/mp11/algorithm.hpp>
#include <charconv>
#include <iterator>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "rules/base/names.hpp"
#include "rules/base/time.hpp"

// What BOOST_DESCRIBE has told of, as JSON and back: see codec.hpp for how each kind of value is written.
namespace watcher::described {

namespace json = boost::json;
namespace describe = boost::describe;

template <class T>
concept Described = std::is_class_v<T> && describe::has_describe_members<T>::value;

template <class T>
using Fields = describe::describe_members<T, describe::mod_public>;

// One overload a kind of value, for both directions; `read` says whether the value could be what it should.

inline json::value write(bool value) { return value; }
inline bool read(const json::value& from, bool& to) {
  if (!from.is_bool()) return false;
  to = from.get_bool();
  return true;
}

template <class Integer>
requires(std::is_integral_v<Integer> && !std::is_same_v<Integer, bool>) json::value write(Integer value) {
  return value;
}
template <class Integer>
requires(std::is_integral_v<Integer> && !std::is_same_v<Integer, bool>) bool read(const json::value& from,
                                                                                  Integer& to) {
  boost::system::error_code error;
  const auto number = from.to_number<Integer>(error);
  if (error) return false;
  to = number;
  return true;
}

inline json::value write(double value) {
  char text[32];
  const auto end = std::to_chars(std::begin(text), std::end(text), value).ptr;
  return json::string(std::begin(text), end);
}
inline bool read(const json::value& from, double& to) {
  if (!from.is_string()) return false;
  const json::string& text = from.get_string();
  const char* end = text.data() + text.size();
  const auto result = std::from_chars(text.data(), end, to);
  return result.ec == std::errc() && result.ptr == end;
}

inline json::value write(const std::string& value) { return json::string(value); }
inline bool read(const json::value& from, std::string& to) {
  if (!from.is_string()) return false;
  to.assign(from.get_string().data(), from.get_string().size());
  return true;
}

template <class Meaning>
json::value write(const rules::Name<Meaning>& name) {
  return write(name.text);
}
template <class Meaning>
bool read(const json::value& from, rules::Name<Meaning>& to) {
  return read(from, to.text);
}

inline json::value write(rules::Duration value) { return std::int64_t{value.count()}; }
inline bool read(const json::value& from, rules::Duration& to) {
  std::int64_t count = 0;
  if (!read(from, count)) return false;
  to = rules::Duration(count);
  return true;
}

inline json::value write(rules::Instant value) { return write(value.time_since_epoch()); }
inline bool read(const json::value& from, rules::Instant& to) {
  rules::Duration since_epoch{};
  if (!read(from, since_epoch)) return false;
  to = rules::Instant(since_epoch);
  return true;
}

template <class Enum>
requires std::is_enum_v<Enum> json::value write(Enum value) {
  return json::string(describe::enum_to_string(value, ""));
}
template <class Enum>
requires std::is_enum_v<Enum>
bool read(const json::value& from, Enum& to) {
  return from.is_string() && describe::enum_from_string(std::string(from.get_string()).c_str(), to);
}

template <class T>
json::value write(const std::optional<T>& value);
template <class T>
bool read(const json::value& from, std::optional<T>& to);
template <class T>
json::value write(const std::vector<T>& values);
template <class T>
bool read(const json::value& from, std::vector<T>& to);
template <class T>
json::value write(const std::map<std::string, T>& values);
template <class T>
bool read(const json::value& from, std::map<std::string, T>& to);
template <Described T>
json::value write(const T& record);
template <Described T>
bool read(const json::value& from, T& to);

template <class T>
json::value write(const std::optional<T>& value) {
  if (!value) return nullptr;
  return write(*value);
}
template <class T>
bool read(const json::value& from, std::optional<T>& to) {
  to.reset();
  return from.is_null() || read(from, to.emplace());
}

template <class T>
json::value write(const std::vector<T>& values) {
  json::array array;
  array.reserve(values.size());
  for (const T& value : values) array.push_back(write(value));
  return array;
}
template <class T>
bool read(const json::value& from, std::vector<T>& to) {
  if (!from.is_array()) return false;
  to.clear();
  for (const json::value& element : from.get_array()) {
    if (!read(element, to.emplace_back())) return false;
  }
  return true;
}

template <class T>
json::value write(const std::map<std::string, T>& values) {
  json::object object;
  for (const auto& [key, value] : values) object.emplace(key, write(value));
  return object;
}
template <class T>
bool read(const json::value& from, std::map<std::string, T>& to) {
  if (!from.is_object()) return false;
  to.clear();
  for (const auto& member : from.get_object()) {
    if (!read(member.value(), to[std::string(member.key())])) return false;
  }
  return true;
}

template <Described T>
json::value write(const T& record) {
  json::object object;
  boost::mp11::mp_for_each<Fields<T>>([&](auto field) { object.emplace(field.name, write(record.*field.pointer)); });
  return object;
}
template <Described T>
bool read(const json::value& from, T& to) {
  if (!from.is_object()) return false;
  bool readable = true;
  boost::mp11::mp_for_each<Fields<T>>([&](auto field) {
    const json::value* found = from.get_object().if_contains(field.name);
    if (found != nullptr) readable = read(*found, to.*field.pointer) && readable;
  });
  return readable;
}

// The text of a record.
template <class T>
std::string text_of(const T& record) {
  return json::serialize(write(record));
}

// nullopt: it is not JSON, or a field is of another type than it can be.
template <class T>
std::optional<T> record_in(std::string_view text) {
  json::parse_options options;
  options.allow_invalid_utf8 = true;  // a command's output is bytes
  boost::system::error_code error;
  const json::value parsed = json::parse(json::string_view(text.data(), text.size()), error, {}, options);
  T record;
  if (error || !read(parsed, record)) return std::nullopt;
  return record;
}

}  // namespace watcher::described
