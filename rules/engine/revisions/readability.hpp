#pragma once

#include <string>

#include "rules/engine/effects.hpp"
#include "rules/incidents/service_spec.hpp"

namespace rules {

// Whether what runs can be read (SPEC 2.18). One look may fail; what two in a row cannot read is told once, and told
// again only after it could be read, however often we start meanwhile.
class Readability {
 public:
  Readability(const ServiceSpec& spec, Effects& effects) : spec_(spec), effects_(effects) {}

  // A look, and what came of it.
  void could_read(const Revision& running);
  void could_not_read(const std::string& error);

  // Whether people know that it cannot be read.
  bool is_told() const { return is_told_; }
  void restore(bool is_told) { is_told_ = is_told; }

  // "cannot read what runs: CAUSE; do ..."; empty: it can be read, as far as is known.
  const std::string& why_not() const { return why_not_; }
  // One look failed, the next has to say more.
  bool is_in_doubt() const { return failed_ == 1; }
  // Why the newest look failed, as its driver said it; empty: it did not.
  const std::string& newest_error() const { return newest_error_; }

 private:
  const ServiceSpec& spec_;
  Effects& effects_;
  int failed_ = 0;  // looks in a row
  std::string newest_error_;
  std::string why_not_;
  bool is_told_ = false;
};

}  // namespace rules
