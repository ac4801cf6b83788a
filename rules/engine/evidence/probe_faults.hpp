#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "rules/base/poll.hpp"
#include "rules/engine/effects.hpp"

namespace rules {

// The measuring paths that are broken, and pages of which a part cannot be read: told, and again when they are well.
// What one poll alone could not measure is noise at night: it is told when the next one cannot either, but at once
// where a service might act on what is measured, or the next poll is far. What breaks again soon after that is well
// only when it has been so for a while: a path that comes and goes is told once.
class ProbeFaults {
 public:
  explicit ProbeFaults(Effects& effects) : effects_(effects) {}
  // Whom a broken path concerns: the rules that it measures, and the most severe of them.
  struct Concerns {
    std::string rules{};
    Severity severity = Severity::p1;  // also where it measures no rule
    bool at_once = false;              // people must not wait for the next poll to hear of it
  };
  static constexpr Duration told_within = std::chrono::seconds(30);
  // True: it is broken or well again and people do not know, which is to be told, by tell().
  bool polled(const Poll& poll);
  void tell(const Poll& poll, const Concerns& concerns);
  // As how severe people were told that it is broken; nothing: it is not.
  std::optional<Severity> told_as(const ProbeName& probe) const;
  // Lines of the probe's pages that could not be read in its newest polls.
  std::size_t unread_lines(const ProbeName& probe) const;

 private:
  struct Told {
    std::string what;
    Severity severity = Severity::p1;
    bool is_broken = false;  // people were told so
    Instant well_at{};       // and then that it is well
    std::optional<Instant> well_since{};
    Duration patience{};  // how long it has to be well before that is told
  };
  void note_unread(const Poll& poll);
  void note_well(const Poll& poll);
  void note_missing(const Poll& poll);

  Effects& effects_;
  std::map<ProbeName, Told> told_;
  std::set<std::pair<ProbeName, std::size_t>> untold_;  // with the instance; its newest poll was the first to fail
  std::map<ProbeName, bool> missing_;                   // of which a field could not be measured; whether people know
  std::map<ProbeName, std::map<std::size_t, std::size_t>> unread_;  // by instance; those that have any
};

}  // namespace rules
