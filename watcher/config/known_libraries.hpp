#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "rules/signals/signal_spec.hpp"

namespace watcher {

// How a label tells that a request failed for the server's fault.
enum class Failed {
  by_status,          // 503, 5xx, 5
  by_status_or_zero,  // as by_status, and 0 where nobody set one: all went well
  by_status_or_none,  // as by_status, and -1: an exception that nothing turned into an answer
  by_class,           // 5: the first digit of the status alone
  by_status_text,     // "Bad Gateway": Go's http.StatusText, which is empty where nobody set one
  by_class_name,      // server-error
  by_word,            // error, as opposed to succeed
  by_classification,  // failure
  by_grpc_code,       // Internal, or INTERNAL: what is the server's fault by OpenTelemetry's conventions
  by_grpc_number,     // 13
  by_own_counter,     // a counter of failures of its own; the label is that counter's name
};

// The names under which a client library, a framework's middleware or a proxy counts and times requests that it serves.
// What counts requests that the application makes of others, or that are made of the metrics page alone, is not here:
// it says nothing of the deployment.
struct KnownLibrary {
  std::string_view name;    // as the README lists it
  std::string_view source;  // where its names were looked up: a repository and a file in it, or a page
  std::string_view counts;  // a selector of its counter of requests; empty: none
  std::string_view label;   // of that counter, that holds the outcome
  Failed failed = Failed::by_status;
  std::string_view times;  // a selector of its histogram or summary of how long requests took; empty: none
  rules::Unit unit = rules::Unit::seconds;
  std::string_view paths;  // labels that may hold a request's path or route
  int counts_rank = 0;     // higher ones only where the page has none of a lower rank
  int times_rank = 0;
};

// All of them, in the order of the parts.
std::vector<KnownLibrary> known_libraries();

// The parts of the table, each in its own file.
std::span<const KnownLibrary> known_by_hand();     // what people write themselves, and any prefix of it
std::span<const KnownLibrary> known_in_scripts();  // Node.js, Python, Ruby, PHP, Erlang and Elixir
std::span<const KnownLibrary> known_compiled();    // Go, the JVM, .NET, Rust, Swift, Haskell
std::span<const KnownLibrary> known_of_calls();    // gRPC and OpenTelemetry, in every language
std::span<const KnownLibrary> known_proxies();     // proxies, gateways and meshes

// `p50 p75 p90 p95 p99 p999` as a fraction.
std::optional<double> quantile_named(std::string_view word);

// The shares of failed requests under the names of the known libraries, each pair once. `own_paths` are those that we
// ask ourselves; they are left out where a label tells them apart.
std::vector<rules::RatioOf> usual_error_ratios(const std::vector<std::string>& own_paths);
// The same for histograms and summaries of how long requests took.
std::vector<rules::QuantileOf> usual_durations(double quantile, const std::vector<std::string>& own_paths);

}  // namespace watcher
