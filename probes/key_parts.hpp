#pragma once

#include <optional>
#include <type_traits>

#include "probes/key.hpp"

namespace probes {

// What the rows of key_rows.hpp are made of: where a value lies in its struct, and how it is carried there and back.

namespace detail {

template <class Owner, class Part>
Owner owner_of(Part Owner::*);
template <class Part>
struct IsOptional : std::false_type {};
template <class Part>
struct IsOptional<std::optional<Part>> : std::true_type {};
template <class Part>
struct IsNames : std::false_type {};
template <class Meaning>
struct IsNames<std::vector<rules::Name<Meaning>>> : std::true_type {};

// What hardly anybody says is kept apart: it is reached through that.
template <class Object>
auto& within(Object& object) {
  if constexpr (requires {
                  object.own();
                  object.get();
                })
    return object.own();
  else if constexpr (requires {
                       object.get();
                       object.operator->();
                     })
    return object.get();
  else
    return object;
}

template <class Object>
auto& part_of(Object& object) {
  return object;
}
template <class Object, class First, class... Rest>
auto& part_of(Object& object, First first, Rest... rest) {
  return part_of(within(object).*first, rest...);
}

// The part at the end of a path of members.
template <auto First, auto... Rest>
struct Member {
  using Owner = decltype(owner_of(First));
  static auto& in(void* object) { return part_of(*static_cast<Owner*>(object), First, Rest...); }
  static const auto& in(const void* object) { return part_of(*static_cast<const Owner*>(object), First, Rest...); }
  using Part = std::remove_cvref_t<decltype(in(static_cast<const void*>(nullptr)))>;
};

template <class Part>
Value to_value(const Part& part) {
  if constexpr (IsOptional<Part>::value) {
    return part ? to_value(*part) : Value();
  } else if constexpr (std::is_integral_v<Part> && !std::is_same_v<Part, bool>) {
    return static_cast<std::int64_t>(part);
  } else if constexpr (IsNames<Part>::value) {
    std::vector<std::string> texts;
    for (const auto& name : part) texts.push_back(name.text);
    return texts;
  } else if constexpr (requires { part.text.size(); }) {
    return part.text;
  } else {
    return part;
  }
}

template <class Part>
void from_value(Part& part, Value value) {
  if constexpr (IsOptional<Part>::value) {
    from_value(part.emplace(), std::move(value));
  } else if constexpr (std::is_integral_v<Part> && !std::is_same_v<Part, bool>) {
    part = static_cast<Part>(std::get<std::int64_t>(value));
  } else if constexpr (IsNames<Part>::value) {
    for (std::string& text : std::get<std::vector<std::string>>(value)) part.emplace_back(std::move(text));
  } else if constexpr (requires { part.text.size(); }) {
    part.text = std::get<std::string>(std::move(value));
  } else {
    part = std::get<Part>(std::move(value));
  }
}

template <const auto& Words, class Part>
Value to_word(const Part& part) {
  if constexpr (IsOptional<Part>::value) {
    return part ? to_word<Words>(*part) : Value();
  } else {
    for (const Word& word : Words) {
      if (static_cast<Part>(word.value) == part) return std::string(word.word);
    }
    return {};
  }
}

template <const auto& Words, class Part>
void from_word(Part& part, const std::string& value) {
  if constexpr (IsOptional<Part>::value) {
    from_word<Words>(part.emplace(), value);
  } else {
    for (const Word& word : Words) {
      if (word.word == value) part = static_cast<Part>(word.value);
    }
  }
}

// What a part is on its way as a Value.
template <class Part>
struct Carried {
  using type = std::conditional_t<std::is_integral_v<Part> && !std::is_same_v<Part, bool>, std::int64_t, Part>;
};
template <class Part>
struct Carried<std::optional<Part>> : Carried<Part> {};
template <class Meaning>
struct Carried<rules::Name<Meaning>> {
  using type = std::string;
};
template <class Meaning>
struct Carried<std::vector<rules::Name<Meaning>>> {
  using type = std::vector<std::string>;
};

template <class Part, class... Types>
constexpr bool one_of = (std::is_same_v<Part, Types> || ...);

template <Kind How>
using Words =
    std::conditional_t<How == Kind::commands, std::vector<std::vector<std::string>>, std::vector<std::string>>;

// Whether a value of that kind can be carried as that: a row that could not is an error of the compiler.
template <Kind How, class Type>
constexpr bool fits() {
  switch (How) {
    case Kind::string:
    case Kind::pattern:
    case Kind::path:
    case Kind::folder:
      return one_of<Type, std::string>;
    case Kind::flag:
      return one_of<Type, bool>;
    case Kind::integer:
    case Kind::size:
      return one_of<Type, std::int64_t>;
    case Kind::number:
    case Kind::share:
      return one_of<Type, double>;
    case Kind::duration:
      return one_of<Type, rules::Duration>;
    case Kind::strings:
    case Kind::argv:
    case Kind::commands:
      return one_of<Type, Words<How>>;
    case Kind::text:
    case Kind::address:
    case Kind::body:
      return one_of<Type, rules::Text>;
    case Kind::addresses:
      return one_of<Type, std::vector<rules::Text>>;
    case Kind::headers:
    case Kind::texts:
      return one_of<Type, std::map<std::string, rules::Text>>;
    case Kind::map:
    case Kind::fields:
    case Kind::object:
      return one_of<Type, std::map<std::string, std::string>>;
    case Kind::checks:
      return one_of<Type, std::map<std::string, std::map<std::string, std::string>>>;
    case Kind::statuses:
      return one_of<Type, std::vector<std::pair<int, int>>>;
    case Kind::condition:
      return one_of<Type, rules::Condition>;
    case Kind::choice:
    case Kind::choices:
    case Kind::table:
    case Kind::tables:
    case Kind::group:
      return false;  // made by functions of their own
  }
  return false;
}

}  // namespace detail

}  // namespace probes
