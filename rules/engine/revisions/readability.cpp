#include "rules/engine/revisions/readability.hpp"

#include <utility>

namespace rules {

namespace {

constexpr int failed_max = 2;  // looks in a row that may be an accident, and that are none

// The driver knows best what to do about it.
std::string sentence(const std::string& error) {
  const std::string cause = error.empty() ? "nobody says why" : error;
  const bool says_what_to_do = cause.find("; do ") != std::string::npos;
  return "cannot read what runs: " + cause + (says_what_to_do ? "" : "; do ask by hand what runs, as `identify` does");
}

}  // namespace

void Readability::could_read(const Revision& running) {
  failed_ = 0;
  newest_error_.clear();
  why_not_.clear();
  if (!std::exchange(is_told_, false)) return;
  effects_.note("readable", {{"service", spec_.name.text}, {"revision", running.text}});
  effects_.tell_fault(spec_.name.text + ": what runs can be read again", running.text + " runs.", spec_.name,
                      Severity::p1, {spec_.name.text + " unreadable", true});
}

void Readability::could_not_read(const std::string& error) {
  if (!spec_.has_identity) return;
  ++failed_;
  newest_error_ = error;
  if (failed_ < failed_max) return;
  const bool is_new = why_not_.empty();
  why_not_ = sentence(error);
  if (is_new) effects_.note("unreadable", {{"service", spec_.name.text}, {"why", why_not_}});
  if (std::exchange(is_told_, true)) return;
  effects_.tell_fault(spec_.name.text + ": it cannot be read what runs", why_not_, spec_.name, Severity::p1,
                      {spec_.name.text + " unreadable"});
}

}  // namespace rules
