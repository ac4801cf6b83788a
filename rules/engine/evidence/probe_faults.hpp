#pragma once

#include <cstddef>
#include <map>
#include <string>

#include "rules/base/poll.hpp"
#include "rules/engine/effects.hpp"

namespace rules {

// The measuring paths that are broken, and pages of which a part cannot be read: told at once, and again when they are
// well.
class ProbeFaults {
 public:
  explicit ProbeFaults(Effects& effects) : effects_(effects) {}
  void polled(const Poll& poll);
  // Lines of the probe's pages that could not be read in its newest polls.
  std::size_t unread_lines(const ProbeName& probe) const;

 private:
  void note_unread(const Poll& poll);

  Effects& effects_;
  std::map<ProbeName, std::string> told_;
  std::map<ProbeName, std::map<std::size_t, std::size_t>> unread_;  // by instance; those that have any
};

}  // namespace rules
