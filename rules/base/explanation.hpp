#pragma once

#include <string>

namespace rules {

// What people say about a rule, a service or a step so that those who are woken by it know what it means and where to
// read on. Plain text, shown and never interpreted.
struct Explanation {
  std::string text;         // whatever they want to be read
  std::string impact;       // what users notice
  std::string runbook;      // an address or a place
  std::string status_page;  // an address

  // What this one leaves out is said by the other.
  Explanation or_else(const Explanation& other) const {
    const auto first = [](const std::string& one, const std::string& two) { return one.empty() ? two : one; };
    return {first(text, other.text), first(impact, other.impact), first(runbook, other.runbook),
            first(status_page, other.status_page)};
  }
  friend bool operator==(const Explanation&, const Explanation&) = default;
};

}  // namespace rules
