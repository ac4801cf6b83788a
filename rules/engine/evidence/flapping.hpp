#pragma once

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "rules/base/names.hpp"
#include "rules/base/seldom.hpp"
#include "rules/engine/effects.hpp"
#include "rules/sustain/rule_spec.hpp"

namespace rules {

// What goes down, or is another process, again and again and is up in between: no rule that asks for a while of being
// down ever fires for that. People are told once, and again only when there was none of it for as long as it counts.
class Flapping {
 public:
  explicit Flapping(Effects& effects) : effects_(effects) {}

  // The probe was up and is down, or another process of it answers than before. True: that is to be told, by tell().
  bool went_down(const ProbeName& probe) { return count({probe, down}); }
  bool restarted(const ProbeName& probe, std::size_t instance) { return count({probe, instance}); }
  // A rule fires: people hear of it.
  void is_known() { times_.clear(); }
  // `rules`: the service's. Nothing is told where one of them asks for just that, nor of another probe while it is
  // known of one: it is the same trouble.
  void tell(const ServiceName& service, const ProbeName& probe, const std::vector<const RuleSpec*>& rules);
  // What is to be told of it now, but for what a person can do.
  struct Found {
    std::string title;
    std::string text;
    std::string rule;  // that would fire for it
    Severity severity = Severity::p1;
  };
  std::optional<Found> take_found() { return found_.take(); }
  // With which severity people heard of it, while it may go on; nullopt: they did not.
  std::optional<Severity> told_as() const;

 private:
  static constexpr std::size_t down = static_cast<std::size_t>(-1);  // beside the numbers of instances
  using Key = std::pair<ProbeName, std::size_t>;
  struct Times {
    std::deque<Instant> at;  // at most times_kept_max
    bool is_told = false;
  };
  bool count(const Key& key);
  bool is_told_of(const Times& times) const;

  Effects& effects_;
  Boxed<Found> found_;
  Severity told_as_ = Severity::p1;
  Seldom<std::map<Key, Times>> times_;  // of what has happened at all
};

}  // namespace rules
