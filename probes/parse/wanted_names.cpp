#include "probes/parse/wanted_names.hpp"

#include <algorithm>
#include <utility>

namespace probes {

namespace {

constexpr std::string_view name_label = "__name__";
constexpr std::string_view start_time_name = "process_start_time_seconds";

std::size_t slot(std::string_view name, std::size_t slots) {
  const auto byte = [name](std::size_t at) -> std::size_t { return static_cast<unsigned char>(name[at]); };
  return (name.size() * 67 + byte(name.size() - 1) * 29 + byte(name.size() / 2)) % slots;
}

// Whether the name stands in the text, and not as a part of a longer one.
bool names(std::string_view text, std::string_view name) {
  const auto is_of_name = [text](std::size_t at) {
    const char c = text[at];
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == ':';
  };
  for (std::size_t at = text.find(name); at != text.npos; at = text.find(name, at + 1)) {
    const std::size_t end = at + name.size();
    if ((at == 0 || !is_of_name(at - 1)) && (end == text.size() || !is_of_name(end))) return true;
  }
  return false;
}

bool any_matches(const std::vector<rules::Selector>& selectors, const rules::SeriesKey& key) {
  return std::any_of(selectors.begin(), selectors.end(),
                     [&key](const rules::Selector& selector) { return selector.matches_labels(key); });
}

bool matches_name(const rules::Selector& pattern, std::string_view name) {
  return std::all_of(pattern.matchers.begin(), pattern.matchers.end(), [name](const rules::Matcher& matcher) {
    return matcher.label() != name_label || matcher.matches(name);
  });
}

}  // namespace

WantedNames::WantedNames(std::vector<rules::Selector> keep) {
  rules::Selector start_time;
  start_time.name = start_time_name;
  keep.push_back(std::move(start_time));
  for (rules::Selector& selector : keep) {
    const std::string name = selector.name;
    if (name.empty()) {
      patterns_.push_back(std::move(selector));
      continue;
    }
    possible_[slot(name, slots)] = true;
    selectors_[name].push_back(std::move(selector));
  }
}

bool WantedNames::is_named_in(std::string_view text) const {
  return std::any_of(selectors_.begin(), selectors_.end(), [text](const auto& one) { return names(text, one.first); });
}

bool WantedNames::is_named_after_number(std::string_view text) const {
  // Where a number ends that goes on with a letter of another's name, as `e`, nobody can tell.
  constexpr std::string_view of_numbers = "0123456789.+-eE";
  for (std::size_t at = 0; at < text.size() && of_numbers.find(text[at]) != of_numbers.npos;) {
    if (is_named_in(text.substr(++at))) return true;
  }
  return false;
}

bool WantedNames::is_glued_in(std::string_view text, bool (*holds)(std::string_view)) const {
  for (const auto& [name, selectors] : selectors_) {
    for (std::size_t at = text.find(name, 1); at != text.npos; at = text.find(name, at + 1)) {
      const char before = text[at - 1];
      if (before != ' ' && before != '\t' && holds(text.substr(at))) return true;
    }
  }
  return false;
}

bool WantedNames::may_want(std::string_view name) const {
  return find(name) != nullptr ||
         std::any_of(patterns_.begin(), patterns_.end(),
                     [name](const rules::Selector& pattern) { return matches_name(pattern, name); });
}

bool WantedNames::wants(const rules::SeriesKey& key) const {
  const Selectors* const selectors = find(key.name);
  return (selectors != nullptr && any_matches(*selectors, key)) || any_matches(patterns_, key);
}

// nullptr: nobody names it.
const WantedNames::Selectors* WantedNames::find(std::string_view name) const {
  if (!possible_[slot(name, slots)]) return nullptr;
  const auto found = selectors_.find(name);
  return found == selectors_.end() ? nullptr : &found->second;
}

}  // namespace probes
