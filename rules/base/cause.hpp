#pragma once

#include <string_view>

namespace rules {

// Why something is unknown. The spelling in status, metrics and reports is the enumerator's.
enum class Cause {
  no_data,             // nothing has been measured yet
  stale,               // the newest sample is older than its probe's max_gap
  nan,                 // the number is NaN, infinite, or came of a division by zero
  no_traffic,          // the denominator did not move
  too_few_samples,     // fewer than min_count requests, and not enough errors to be sure
  warming_up,          // the revision, the instance or the watcher is new
  deploying,           // a deployment is under way
  counter_reset,       // the process restarted, the window is not filled again yet
  several_instances,   // one address answers for several processes in turn
  source_error,        // the measuring path failed: DNS, no route, certificate, ...
  parse_error,         // what came back is not what the probe can read
  no_memory,           // the probe holds more than its share of the memory that targets may make us keep
  config_error,        // the reference names nothing, or several series
  no_baseline,         // too little was seen of the last good revision
  self_degraded,       // the watcher itself cannot vouch for its measurements
  clock_jump,          // wall and monotonic clock parted
  undecidable_bucket,  // the quantile lies in the +Inf bucket, the threshold beyond the last bound
};

std::string_view to_string(Cause cause);

}  // namespace rules
