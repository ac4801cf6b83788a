#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace watcher {

// Records as JSON texts for the journal. Fields and enumerators go by their names, instants and durations are integer
// nanoseconds, floating-point numbers are strings, because those are exact and can say nan and inf.
// Instantiated for every alternative of rules::Record and for rules::Tell.
template <class T>
std::string encode(const T& record);

// Reads what any version wrote: unknown fields are ignored, missing ones keep their defaults. nullopt: the text is
// not JSON, or a field is of another type than it can be.
template <class T>
std::optional<T> decode(std::string_view text);

// The name that an enumerator is written by.
template <class Enum>
std::string enumerator_name(Enum value);

}  // namespace watcher
