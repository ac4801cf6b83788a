#pragma once

#include <compare>
#include <cstddef>
#include <functional>
#include <ostream>
#include <string>
#include <utility>

namespace rules {

// A string with one meaning: a RuleName does not convert to a ServiceName.
template <class Meaning>
struct Name {
  std::string text;

  Name() = default;
  explicit Name(std::string t) : text(std::move(t)) {}
  bool empty() const { return text.empty(); }
  friend auto operator<=>(const Name&, const Name&) = default;
  friend std::ostream& operator<<(std::ostream& out, const Name& name) { return out << name.text; }
};

// For what is only looked up by name: where order can matter, containers are ordered.
struct NameHash {
  template <class Meaning>
  std::size_t operator()(const Name<Meaning>& name) const {
    return std::hash<std::string>()(name.text);
  }
};

using ProbeName = Name<struct ProbeNameMeaning>;
using SignalName = Name<struct SignalNameMeaning>;
using RuleName = Name<struct RuleNameMeaning>;
using ServiceName = Name<struct ServiceNameMeaning>;
using ActionName = Name<struct ActionNameMeaning>;
using NotifierName = Name<struct NotifierNameMeaning>;
// An immutable identity of what runs: image ids, commit, configuration hash.
using Revision = Name<struct RevisionMeaning>;
// Sortable by time of opening, safe as a folder's name: 20261121-020304-web-high-error-rate.
using IncidentId = Name<struct IncidentIdMeaning>;

// Whether a revision may be put into an argv: [A-Za-z0-9][A-Za-z0-9._:/@-]{0,199}.
bool is_safe_in_argv(const Revision& revision);

}  // namespace rules
