#include <array>

#include "watcher/config/known_libraries.hpp"

namespace watcher {

namespace {

using enum Failed;
using enum rules::Unit;

constexpr std::string_view by_hand = "Hand-written counters";
constexpr std::string_view prefixed = "The same under a prefix of the application's own";
constexpr std::string_view naming = "prometheus.io/docs/practices/naming";
constexpr std::string_view any_path = "path route handler uri endpoint endpoint_name url";

// What other rows know by name, and what is asked of others, is no prefix of the application's own.
#define ROLLBACKD_OTHERS                                                                                            \
  ".*(client|outbound|outgoing|egress|upstream|downstream|external|remote|axios|fetch|third_?party|vendor|partner|" \
  "stripe|paypal|twilio|sendgrid|admin|promhttp|prom_ex|symfony|hubble|nginx|haproxy|traefik|envoy|kong|apisix|"    \
  "caddy|istio|linkerd|tyk|skipper|varnish).*"
// Whoever asks says whom: a series with one of these labels counts what is asked of others, whatever its name is. The
// list of words above is for what does not say so.
#define ROLLBACKD_OURS                                                                                              \
  "peer=\"\",peer_service=\"\",upstream=\"\",remote_service=\"\",target_service=\"\",destination=\"\","             \
  "destination_service=\"\",server_address=\"\",net_peer_name=\"\",remote_host=\"\",target_host=\"\",backend=\"\"," \
  "target=\"\",provider=\"\",domain=\"\",url!~\"https?://.*\""
constexpr std::string_view prefixed_counter =
    "{__name__=~\".+_http_requests_total\",__name__!~\"" ROLLBACKD_OTHERS "\"," ROLLBACKD_OURS "}";
constexpr std::string_view prefixed_count =
    "{__name__=~\".+_http_request_duration_seconds_count\",__name__!~\"" ROLLBACKD_OTHERS "\"," ROLLBACKD_OURS "}";
constexpr std::string_view prefixed_times =
    "{__name__=~\".+_http_requests?_duration_seconds\",__name__!~\"" ROLLBACKD_OTHERS "\"," ROLLBACKD_OURS "}";
#undef ROLLBACKD_OURS
#undef ROLLBACKD_OTHERS

// One line for a name, its label and the times that go with it.
constexpr std::array libraries{
    KnownLibrary{by_hand, naming, "http_requests_total", "code", by_status, "http_request_duration_seconds", seconds,
                 any_path},
    KnownLibrary{by_hand, naming, "http_requests_total", "status", by_status, "http_requests_duration_seconds", seconds,
                 any_path},
    KnownLibrary{by_hand, naming, "http_requests_total", "status_code", by_status, "http_response_time_seconds",
                 seconds, any_path},
    KnownLibrary{by_hand, naming, "http_requests_total", "http_status", by_status, "http_request_latency_seconds",
                 seconds, any_path},
    KnownLibrary{by_hand, naming, "http_requests_total", "response_code", by_status, "http_response_duration_seconds",
                 seconds, any_path},
    KnownLibrary{by_hand, naming, "http_requests_total", "statusCode", by_status, "", seconds, any_path},
    KnownLibrary{by_hand, naming, "http_requests_total", "http_status_code", by_status, "", seconds, any_path},
    KnownLibrary{by_hand, naming, "http_requests_total", "StatusCode", by_status, "", seconds, any_path},
    KnownLibrary{by_hand, naming, "http_requests_total", "statuscode", by_status, "", seconds, any_path},
    KnownLibrary{by_hand, naming, "http_requests_total", "httpStatus", by_status, "", seconds, any_path},
    KnownLibrary{by_hand, naming, "http_requests_total", "httpStatusCode", by_status, "", seconds, any_path},
    KnownLibrary{by_hand, naming, "http_requests_total", "http_code", by_status, "", seconds, any_path},
    KnownLibrary{by_hand, naming, "http_requests_total", "status_class", by_status, "", seconds, any_path},
    KnownLibrary{by_hand, naming, "http_requests_total", "code_class", by_status, "", seconds, any_path},
    KnownLibrary{by_hand, naming, "http_request_duration_seconds_count", "statusCode", by_status, "", seconds,
                 any_path},
    KnownLibrary{by_hand, naming, "http_request_duration_seconds_count", "http_status_code", by_status, "", seconds,
                 any_path},
    KnownLibrary{by_hand, naming, "http_request_duration_seconds_count", "status_class", by_status, "", seconds,
                 any_path},
    KnownLibrary{by_hand, naming, "http_server_requests_total", "status", by_status, "", seconds, any_path},
    KnownLibrary{by_hand, naming, "http_request_duration_seconds_count", "status", by_status,
                 "http_request_duration_seconds", seconds, any_path},
    KnownLibrary{by_hand, naming, "http_request_duration_milliseconds_count", "status_code", by_status,
                 "http_request_duration_milliseconds", milliseconds, any_path},
    KnownLibrary{by_hand, naming, "http_request_duration_ms_count", "code", by_status, "http_request_duration_ms",
                 milliseconds, any_path},
    KnownLibrary{by_hand, naming, "http_request_duration_ms_count", "status_code", by_status, "", seconds, any_path},
    KnownLibrary{by_hand, naming, "api_http_requests_total", "status", by_status, "api_http_requests_duration_seconds",
                 seconds, any_path},
    KnownLibrary{by_hand, naming, "app_http_requests_total", "status", by_status, "app_http_request_duration_seconds",
                 seconds, any_path},
    KnownLibrary{prefixed, naming, prefixed_counter, "code", by_status, prefixed_times, seconds, any_path, 2, 2},
    KnownLibrary{prefixed, naming, prefixed_counter, "status", by_status, "", seconds, any_path, 2, 2},
    KnownLibrary{prefixed, naming, prefixed_counter, "status_code", by_status, "", seconds, any_path, 2, 2},
    KnownLibrary{prefixed, naming, prefixed_counter, "statusCode", by_status, "", seconds, any_path, 2, 2},
    KnownLibrary{prefixed, naming, prefixed_counter, "http_status_code", by_status, "", seconds, any_path, 2, 2},
    KnownLibrary{prefixed, naming, prefixed_counter, "StatusCode", by_status, "", seconds, any_path, 2, 2},
    KnownLibrary{prefixed, naming, prefixed_counter, "statuscode", by_status, "", seconds, any_path, 2, 2},
    KnownLibrary{prefixed, naming, prefixed_counter, "httpStatus", by_status, "", seconds, any_path, 2, 2},
    KnownLibrary{prefixed, naming, prefixed_counter, "http_code", by_status, "", seconds, any_path, 2, 2},
    // filegate and labntp, for example, as their documentation asks for it.
    KnownLibrary{prefixed, naming, prefixed_counter, "status_class", by_status, "", seconds, any_path, 2, 2},
    KnownLibrary{prefixed, naming, prefixed_counter, "code_class", by_status, "", seconds, any_path, 2, 2},
    KnownLibrary{prefixed, naming, prefixed_count, "status_code", by_status, "", seconds, any_path, 2, 2},
    KnownLibrary{prefixed, naming, prefixed_count, "code", by_status, "", seconds, any_path, 2, 2},
    KnownLibrary{prefixed, naming, prefixed_count, "status", by_status, "", seconds, any_path, 2, 2},
};

}  // namespace

std::span<const KnownLibrary> known_by_hand() { return libraries; }

}  // namespace watcher
