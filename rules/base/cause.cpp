#include "rules/base/cause.hpp"

namespace rules {

std::string_view to_string(Cause cause) {
  switch (cause) {
    case Cause::no_data:
      return "no_data";
    case Cause::stale:
      return "stale";
    case Cause::nan:
      return "nan";
    case Cause::no_traffic:
      return "no_traffic";
    case Cause::too_few_samples:
      return "too_few_samples";
    case Cause::warming_up:
      return "warming_up";
    case Cause::deploying:
      return "deploying";
    case Cause::counter_reset:
      return "counter_reset";
    case Cause::several_instances:
      return "several_instances";
    case Cause::source_error:
      return "source_error";
    case Cause::parse_error:
      return "parse_error";
    case Cause::no_memory:
      return "no_memory";
    case Cause::config_error:
      return "config_error";
    case Cause::no_baseline:
      return "no_baseline";
    case Cause::self_degraded:
      return "self_degraded";
    case Cause::clock_jump:
      return "clock_jump";
    case Cause::undecidable_bucket:
      return "undecidable_bucket";
  }
  return "";
}

}  // namespace rules
