#include "rules/base/fault.hpp"

namespace rules {

std::string_view to_string(FaultKind kind) {
  switch (kind) {
    case FaultKind::refused:
      return "refused";
    case FaultKind::reset:
      return "reset";
    case FaultKind::timeout:
      return "timeout";
    case FaultKind::server_error:
      return "server_error";
    case FaultKind::contradiction:
      return "contradiction";
    case FaultKind::status:
      return "status";
    case FaultKind::parse:
      return "parse";
    case FaultKind::too_large:
      return "too_large";
    case FaultKind::tls:
      return "tls";
    case FaultKind::dns:
      return "dns";
    case FaultKind::no_route:
      return "no_route";
    case FaultKind::no_descriptors:
      return "no_descriptors";
    case FaultKind::not_found:
      return "not_found";
    case FaultKind::not_measurable:
      return "not_measurable";
    case FaultKind::no_memory:
      return "no_memory";
    case FaultKind::cancelled:
      return "cancelled";
  }
  return "";
}

std::string_view to_string(Up up) {
  switch (up) {
    case Up::up:
      return "up";
    case Up::down:
      return "down";
    case Up::unknown:
      return "unknown";
  }
  return "";
}

Up up_from(FaultKind kind, DownOn down_on) {
  switch (kind) {
    case FaultKind::refused:
    case FaultKind::reset:
    case FaultKind::timeout:
    case FaultKind::server_error:
    case FaultKind::contradiction:
      return Up::down;
    case FaultKind::dns:
      return down_on.dns ? Up::down : Up::unknown;
    case FaultKind::no_route:
      return down_on.no_route ? Up::down : Up::unknown;
    case FaultKind::status:
    case FaultKind::parse:
    case FaultKind::too_large:
    case FaultKind::tls:
    case FaultKind::no_descriptors:
    case FaultKind::not_found:
    case FaultKind::not_measurable:
    case FaultKind::no_memory:
    case FaultKind::cancelled:
      return Up::unknown;
  }
  return Up::unknown;
}

Cause cause_of(FaultKind kind) {
  switch (kind) {
    case FaultKind::parse:
    case FaultKind::too_large:
      return Cause::parse_error;
    case FaultKind::not_found:
      return Cause::config_error;
    case FaultKind::no_descriptors:
      return Cause::self_degraded;
    case FaultKind::no_memory:
      return Cause::no_memory;
    case FaultKind::cancelled:
      return Cause::no_data;
    case FaultKind::refused:
    case FaultKind::reset:
    case FaultKind::timeout:
    case FaultKind::server_error:
    case FaultKind::contradiction:
    case FaultKind::status:
    case FaultKind::tls:
    case FaultKind::dns:
    case FaultKind::no_route:
    case FaultKind::not_measurable:
      return Cause::source_error;
  }
  return Cause::source_error;
}

}  // namespace rules
