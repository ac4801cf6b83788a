#pragma once

#include <map>
#include <string>

#include "rules/base/poll.hpp"
#include "rules/engine/effects.hpp"

namespace rules {

// The measuring paths that are broken: told at once, and again when they work.
class ProbeFaults {
 public:
  explicit ProbeFaults(Effects& effects) : effects_(effects) {}
  void polled(const Poll& poll);

 private:
  Effects& effects_;
  std::map<ProbeName, std::string> told_;
};

}  // namespace rules
