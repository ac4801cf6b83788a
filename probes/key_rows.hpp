#pragma once

#include "probes/key_parts.hpp"

namespace probes {

// Makes the rows of key.hpp. A path of members says where a key's value lies:
// key<Kind::duration, &ProbeConfig::interval>("interval", "How often it is asked.").

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

// `What` as an alternative of the variant. `Inner`: the member in which it keeps what the keys are of, where they are
// not its own.
template <class Variant, class What, auto... Inner>
constexpr Variety variety(std::string_view word, std::string_view doc, std::span<const Key> keys,
                          void (*settle)(void*, Given&) = nullptr) {
  return {word,
          doc,
          keys,
          settle,
          [](void* variant) -> void* {
            return &detail::within(detail::part_of(static_cast<Variant*>(variant)->template emplace<What>(), Inner...));
          },
          [](const void* variant) -> const void* {
            const auto* const what = std::get_if<What>(static_cast<const Variant*>(variant));
            return what == nullptr ? nullptr : &detail::within(detail::part_of(*what, Inner...));
          }};
}
}  // namespace probes
