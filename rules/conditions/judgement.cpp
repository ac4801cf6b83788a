#include "rules/conditions/judgement.hpp"

#include <utility>

namespace rules {

Measured unknown(Cause cause, std::string detail) {
  Measured out;
  out.cause = cause;
  out.detail = std::move(detail);
  return out;
}

std::string_view to_string(Verdict verdict) {
  switch (verdict) {
    case Verdict::good:
      return "good";
    case Verdict::bad:
      return "bad";
    case Verdict::unknown:
      return "unknown";
  }
  return "";
}

}  // namespace rules
