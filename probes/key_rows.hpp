#pragma once

#include <optional>
#include <type_traits>

#include "probes/key.hpp"

namespace probes {

// Makes the rows of key.hpp. A path of members says where a key's value lies:
// key<Kind::duration, &ProbeConfig::interval>("interval", "How often it is asked.").

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

// A row for the part at the end of the path: key<Kind::duration, &ProbeConfig::interval>("interval", "...").
template <Kind How, auto... Path>
constexpr Key key(std::string_view name, std::string_view doc) {
  using Member = detail::Member<Path...>;
  static_assert(detail::fits<How, typename detail::Carried<typename Member::Part>::type>());
  Key out;
  out.name = name;
  out.kind = How;
  out.doc = doc;
  out.get = [](const void* object) { return detail::to_value(Member::in(object)); };
  out.set = [](void* object, Value value) { detail::from_value(Member::in(object), std::move(value)); };
  return out;
}

// One of `Words`, whose values are those of an enum.
template <const auto& Words, auto... Path>
constexpr Key choice(std::string_view name, std::string_view doc) {
  using Member = detail::Member<Path...>;
  Key out;
  out.name = name;
  out.kind = Kind::choice;
  out.doc = doc;
  out.words = Words;
  out.get = [](const void* object) { return detail::to_word<Words>(Member::in(object)); };
  out.set = [](void* object, Value value) {
    detail::from_word<Words>(Member::in(object), std::get<std::string>(value));
  };
  return out;
}

// Several of `Words`, kept as strings or as values of an enum.
template <const auto& Words, auto... Path>
constexpr Key choices(std::string_view name, std::string_view doc) {
  using Member = detail::Member<Path...>;
  using Element = typename Member::Part::value_type;
  Key out;
  out.name = name;
  out.kind = Kind::choices;
  out.doc = doc;
  out.words = Words;
  if constexpr (std::is_same_v<Element, std::string>) {
    out.get = [](const void* object) { return detail::to_value(Member::in(object)); };
    out.set = [](void* object, Value value) { detail::from_value(Member::in(object), std::move(value)); };
  } else {
    out.get = [](const void* object) -> Value {
      std::vector<std::string> all;
      for (const Element& one : Member::in(object)) all.push_back(std::get<std::string>(detail::to_word<Words>(one)));
      return all;
    };
    out.set = [](void* object, Value value) {
      for (const std::string& word : std::get<std::vector<std::string>>(value))
        detail::from_word<Words>(Member::in(object).emplace_back(), word);
    };
  }
  return out;
}

// A table in the table, whose keys fill an inner struct.
template <auto... Path>
constexpr Key table(std::string_view name, std::span<const Key> keys, std::string_view doc) {
  Key out;
  out.name = name;
  out.kind = Kind::table;
  out.doc = doc;
  out.keys = keys;
  out.inside = [](void* object) -> void* { return &detail::Member<Path...>::in(object); };
  out.look = [](const void* object) -> const void* { return &detail::Member<Path...>::in(object); };
  return out;
}

template <auto... Path>
constexpr Key group(std::span<const Key> keys) {
  Key out = table<Path...>("", keys, "");
  out.kind = Kind::group;
  return out;
}

// Keys that are kept elsewhere but fill the same struct.
template <class Object>
constexpr Key rows(std::span<const Key> keys) {
  Key out;
  out.kind = Kind::group;
  out.keys = keys;
  out.inside = [](void* object) { return object; };
  out.look = [](const void* object) { return object; };
  return out;
}

// An array of tables, each of which fills one struct more.
template <auto... Path>
constexpr Key tables(std::string_view name, std::span<const Key> keys, std::string_view doc) {
  using Member = detail::Member<Path...>;
  Key out;
  out.name = name;
  out.kind = Kind::tables;
  out.doc = doc;
  out.keys = keys;
  out.append = [](void* object) -> void* { return &Member::in(object).emplace_back(); };
  out.each = [](const void* object) {
    std::vector<const void*> all;
    for (const auto& one : Member::in(object)) all.push_back(&one);
    return all;
  };
  return out;
}

// A key of the contract that this version does not have: refused, but not as an unknown name.
constexpr Key later(std::string_view name) {
  Key out;
  out.name = name;
  out.later = true;
  return out;
}

// `what` as an alternative of the variant.
template <class Variant, class What>
constexpr Variety variety(std::string_view word, std::string_view doc, std::span<const Key> keys,
                          void (*settle)(void*, Given&) = nullptr) {
  return {word,
          doc,
          keys,
          settle,
          [](void* variant) -> void* { return &static_cast<Variant*>(variant)->template emplace<What>(); },
          [](const void* variant) -> const void* { return std::get_if<What>(static_cast<const Variant*>(variant)); }};
}

// The same where the keys are of what that alternative keeps apart.
template <class Variant, class What, auto Inner>
constexpr Variety variety(std::string_view word, std::string_view doc, std::span<const Key> keys,
                          void (*settle)(void*, Given&) = nullptr) {
  return {word,
          doc,
          keys,
          settle,
          [](void* variant) -> void* {
            return &detail::within(static_cast<Variant*>(variant)->template emplace<What>().*Inner);
          },
          [](const void* variant) -> const void* {
            const auto* const what = std::get_if<What>(static_cast<const Variant*>(variant));
            return what == nullptr ? nullptr : &detail::within(what->*Inner);
          }};
}
}  // namespace probes
