#pragma once

#include <string>
#include <string_view>

#include "rules/base/cause.hpp"

namespace rules {

// What a probe met instead of what it wanted, by layer.
enum class FaultKind {
  refused,         // connection refused, or the command exited non-zero: evidence
  reset,           // connection reset or closed before the answer was whole: evidence
  timeout,         // no whole answer in time: evidence, unless our own lag was half of it or more
  server_error,    // any 5xx: evidence
  contradiction,   // the answer contradicts an explicit `expect`: evidence
  status,          // 3xx, 401, 403, 404, 429 and other 4xx that nothing was expected of: measuring path
  parse,           // the body does not parse: measuring path
  too_large,       // body or header over the limit: measuring path
  tls,             // a bad certificate or handshake: measuring path
  dns,             // the name does not resolve: measuring path, unless down_on has it
  no_route,        // no route, network unreachable: measuring path, unless down_on has it
  no_descriptors,  // EMFILE and its like: measuring path, always
  not_found,       // the command of an exec probe does not exist or may not run: measuring path
  not_measurable,  // nagios UNKNOWN, a missing /proc file: measuring path
  no_memory,       // more than its share of the memory that targets may make us keep: measuring path, always
  cancelled,       // the watcher stops or reloads: no evidence of anything
};

std::string_view to_string(FaultKind kind);

struct Fault {
  FaultKind kind = FaultKind::cancelled;
  std::string what;  // for people: what was attempted, on what, what happened, what to do; no secrets
};

// What `up` is: evidence that it serves, evidence that it does not, or neither.
enum class Up { up, down, unknown };

std::string_view to_string(Up up);

// Faults that the operator declared to be evidence (`down_on`).
struct DownOn {
  bool dns = false;
  bool no_route = false;
  friend bool operator==(const DownOn&, const DownOn&) = default;
};

// Whose fault it is. A time-out is excused when the watcher's own lag was at least half of it: the caller decides
// that and passes the fault as not_measurable.
Up up_from(FaultKind kind, DownOn down_on);

// The cause that signals of the probe are unknown with after such a fault.
Cause cause_of(FaultKind kind);

}  // namespace rules
