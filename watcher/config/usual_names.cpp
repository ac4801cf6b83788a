#include "watcher/config/metric_names.hpp"

#include <array>
#include <cassert>
#include <string>

namespace watcher {

namespace {

struct CounterName {
  std::string_view metric;
  std::string_view label;  // that holds the status
};

// One metric name stands once for each label that libraries put the status into: the label's presence decides.
constexpr std::array<CounterName, 37> counters{{
    {"http_requests_total", "code"},         // Go promhttp, Rust, many hand-written
    {"http_requests_total", "status"},       // prometheus-fastapi-instrumentator, actix
    {"http_requests_total", "status_code"},  // prom-client examples, ASP.NET
    {"http_requests_total", "http_status"},
    {"http_requests_total", "response_code"},
    {"http_server_requests_seconds_count", "status"},  // Spring Boot, Quarkus, Micronaut (Micrometer)
    {"http_server_requests_total", "code"},            // Ruby client's collector
    {"http_server_requests_total", "status"},
    {"http_server_request_duration_seconds_count", "http_response_status_code"},  // OpenTelemetry
    {"http_server_duration_seconds_count", "http_status_code"},
    {"http_server_duration_milliseconds_count", "http_status_code"},  // OpenTelemetry before 1.23
    {"http_request_duration_seconds_count", "status_code"},           // express-prom-bundle, prom-client
    {"http_request_duration_seconds_count", "code"},                  // prometheus-net
    {"http_request_duration_seconds_count", "status"},
    {"http_requests_received_total", "code"},     // prometheus-net
    {"flask_http_request_total", "status"},       // prometheus-flask-exporter
    {"starlette_requests_total", "status_code"},  // starlette_exporter
    {"fastapi_requests_total", "status_code"},
    {"fastapi_responses_total", "status_code"},
    {"django_http_responses_total_by_status_total", "status"},  // django-prometheus
    {"gin_requests_total", "code"},
    {"gin_requests_total", "status"},
    {"echo_requests_total", "code"},
    {"rails_requests_total", "status"},  // yabeda-rails
    {"actix_web_requests_total", "status"},
    {"api_http_requests_total", "code"},
    {"app_http_requests_total", "status"},
    {"request_duration_seconds_count", "status_code"},  // weaveworks/common
    {"traefik_service_requests_total", "code"},
    {"traefik_entrypoint_requests_total", "code"},
    {"caddy_http_request_duration_seconds_count", "code"},
    {"nginx_http_requests_total", "status"},
    {"nginx_http_response_count_total", "status"},  // prometheus-nginxlog-exporter
    {"nginx_ingress_controller_requests", "status"},
    {"haproxy_frontend_http_responses_total", "code"},
    {"haproxy_backend_http_responses_total", "code"},
    {"envoy_http_downstream_rq_xx", "envoy_response_code_class"},
}};

constexpr std::array<std::string_view, 23> durations{
    "http_request_duration_highr_seconds",  // prometheus-fastapi-instrumentator: the one with enough buckets
    "http_request_duration_seconds",
    "http_requests_duration_seconds",
    "http_server_requests_seconds",
    "http_server_request_duration_seconds",
    "http_server_duration_seconds",
    "flask_http_request_duration_seconds",
    "starlette_request_duration_seconds",
    "fastapi_requests_duration_seconds",
    "django_http_requests_latency_seconds_by_view_method",
    "django_http_requests_latency_including_middlewares_seconds",
    "gin_request_duration_seconds",
    "echo_request_duration_seconds",
    "rails_request_duration_seconds",
    "http_response_time_seconds",
    "http_request_latency_seconds",
    "request_duration_seconds",
    "traefik_service_request_duration_seconds",
    "traefik_entrypoint_request_duration_seconds",
    "caddy_http_request_duration_seconds",
    "nginx_http_response_time_seconds",
    "nginx_ingress_controller_request_duration_seconds",
    "http_response_duration_seconds",
};

struct QuantileName {
  std::string_view word;
  double quantile;
};

constexpr std::array<QuantileName, 6> quantiles{
    {{"p50", 0.5}, {"p75", 0.75}, {"p90", 0.9}, {"p95", 0.95}, {"p99", 0.99}, {"p999", 0.999}}};

rules::Selector select(std::string_view metric, std::string_view label, rules::MatchKind kind, std::string_view value) {
  rules::Parsed<rules::Matcher> matcher = rules::Matcher::make(std::string(label), kind, std::string(value));
  assert(std::holds_alternative<rules::Matcher>(matcher));
  rules::Selector out;
  out.name = std::string(metric);
  out.matchers.push_back(std::get<rules::Matcher>(std::move(matcher)));
  return out;
}

}  // namespace

std::optional<double> quantile_named(std::string_view word) {
  for (const QuantileName& known : quantiles) {
    if (known.word == word) return known.quantile;
  }
  return std::nullopt;
}

std::vector<rules::RatioOf> usual_error_ratios() {
  std::vector<rules::RatioOf> out;
  out.reserve(counters.size());
  for (const CounterName& counter : counters) {
    // Envoy's class is the first digit alone; others say 503 or 5xx.
    const std::string_view failed = counter.label == "envoy_response_code_class" ? "5" : "5..";
    out.push_back({select(counter.metric, counter.label, rules::MatchKind::regex, failed),
                   select(counter.metric, counter.label, rules::MatchKind::not_equal, "")});
  }
  return out;
}

std::vector<rules::QuantileOf> usual_durations(double quantile) {
  std::vector<rules::QuantileOf> out;
  out.reserve(durations.size());
  for (const std::string_view family : durations) {
    rules::Selector selector;
    selector.name = std::string(family);
    out.push_back({quantile, std::move(selector)});
  }
  return out;
}

}  // namespace watcher
