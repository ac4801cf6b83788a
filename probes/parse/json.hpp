#pragma once

#include <cstddef>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "rules/base/fault.hpp"

namespace probes {

inline constexpr std::size_t json_room_any = std::numeric_limits<std::size_t>::max();
inline constexpr std::size_t json_depth_max = 64;  // nesting; bounds what a hostile body can make us recurse

// A JSON body that was parsed once, to be asked by JSON pointers ("/queue/waiting").
class JsonBody {
 public:
  // FaultKind::parse with the place when the text is not JSON; no_memory when its values take more than `room` bytes:
  // a few bytes of text may stand for many times as much.
  static std::variant<JsonBody, rules::Fault> parse(std::string_view text, std::size_t room = json_room_any);
  ~JsonBody();
  JsonBody(JsonBody&&) noexcept;
  JsonBody& operator=(JsonBody&&) noexcept;

  // The number there; true and false are 1 and 0. nullopt: nothing is there, or no number.
  std::optional<double> number(std::string_view pointer) const;
  // A string there as it is, anything else as JSON text. nullopt: nothing is there, or null.
  std::optional<std::string> text(std::string_view pointer) const;
  // Whether the value there equals the JSON text by value: 1 equals 1.0, the order of keys does not matter.
  bool equals(std::string_view pointer, std::string_view json_text) const;

 private:
  struct Value;
  explicit JsonBody(std::unique_ptr<Value> value);
  std::unique_ptr<Value> value_;
};

// Whether the text is a JSON pointer: empty, or begins with a slash, with ~0 and ~1 as its only escapes.
bool is_json_pointer(std::string_view text);
// Whether the text is one JSON value.
bool is_json(std::string_view text);

}  // namespace probes
