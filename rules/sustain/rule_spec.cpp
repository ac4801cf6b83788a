#include "rules/sustain/rule_spec.hpp"

namespace rules {

std::string_view to_string(Severity severity) {
  switch (severity) {
    case Severity::p0:
      return "P0";
    case Severity::p1:
      return "P1";
    case Severity::p2:
      return "P2";
    case Severity::p3:
      return "P3";
  }
  return "";
}

std::string_view to_string(Mode mode) {
  switch (mode) {
    case Mode::observe:
      return "observe";
    case Mode::notify:
      return "notify";
    case Mode::ask:
      return "ask";
    case Mode::act:
      return "act";
  }
  return "";
}

}  // namespace rules
