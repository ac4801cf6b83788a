#include <array>

#include "watcher/config/known_libraries.hpp"

namespace watcher {

namespace {

using enum Failed;
using enum rules::Unit;

// One line for a library and name; a second name of the same library follows it. Libraries that let the application
// choose the prefix stand with the one that their documentation begins with.
constexpr std::array libraries{
    KnownLibrary{"promhttp (Go)",
                 "github.com/prometheus/client_golang examples/middleware/httpmiddleware/httpmiddleware.go",
                 "http_requests_total", "code", by_status, "http_request_duration_seconds", seconds, "handler"},
    KnownLibrary{"promhttp (Go)",
                 "github.com/prometheus/client_golang examples/middleware/httpmiddleware/httpmiddleware.go",
                 "http_request_duration_seconds_count", "code", by_status, "", seconds, "handler"},
    KnownLibrary{"dskit (Go)", "github.com/grafana/dskit middleware/instrument.go", "request_duration_seconds_count",
                 "status_code", by_status, "request_duration_seconds", seconds, "route"},
    KnownLibrary{"dskit (Go)", "github.com/grafana/dskit middleware/instrument.go",
                 "{__name__=~\"(cortex|loki|mimir|pyroscope|tempo)_request_duration_seconds_count\"}", "status_code",
                 by_status, "{__name__=~\"(cortex|loki|mimir|pyroscope|tempo)_request_duration_seconds\"}", seconds,
                 "route"},
    KnownLibrary{"go-http-metrics", "github.com/slok/go-http-metrics metrics/prometheus/prometheus.go",
                 "http_request_duration_seconds_count", "code", by_status, "http_request_duration_seconds", seconds,
                 "handler"},
    KnownLibrary{"go-gin-prometheus", "github.com/zsais/go-gin-prometheus middleware.go", "gin_requests_total", "code",
                 by_status, "gin_request_duration_seconds", seconds, "url"},
    KnownLibrary{"gin-metrics", "github.com/penglongli/gin-metrics ginmetrics/middleware.go", "gin_uri_request_total",
                 "code", by_status, "gin_request_duration", seconds, "uri"},
    KnownLibrary{"echo-contrib", "github.com/labstack/echo-contrib echoprometheus/prometheus.go", "echo_requests_total",
                 "code", by_status, "echo_request_duration_seconds", seconds, "url"},
    KnownLibrary{"chi-prometheus", "github.com/766b/chi-prometheus middleware.go", "chi_requests_total", "code",
                 by_status_text, "chi_request_duration_milliseconds", milliseconds, "path"},
    KnownLibrary{"go-chi/metrics", "github.com/go-chi/metrics collector.go", "http_requests_total", "status", by_status,
                 "http_request_duration_seconds", seconds, "endpoint"},
    KnownLibrary{"fiberprometheus", "github.com/ansrivas/fiberprometheus middleware.go", "http_requests_total",
                 "status_code", by_status, "http_request_duration_seconds", seconds, "path"},
    // Its code is 0 for an answer of which the handler said none.
    KnownLibrary{"go-zero", "github.com/zeromicro/go-zero rest/handler/prometheushandler.go",
                 "http_server_requests_code_total", "code", by_status_or_zero, "http_server_requests_duration_ms",
                 milliseconds, "path"},
    KnownLibrary{"go-zero", "github.com/zeromicro/go-zero zrpc/internal/serverinterceptors/prometheusinterceptor.go",
                 "rpc_server_requests_code_total", "code", by_grpc_number, "rpc_server_requests_duration_ms",
                 milliseconds, ""},
    // Its histogram is named by the application and its exporter.
    KnownLibrary{"Kratos", "github.com/go-kratos/kratos middleware/metrics/metrics.go", "server_requests_code_total",
                 "code", by_status_or_zero, "", seconds, ""},
    KnownLibrary{"GoFr", "github.com/gofr-dev/gofr pkg/gofr/http/middleware/metrics.go", "app_http_response_count",
                 "status", by_status, "app_http_response", seconds, "path"},
    KnownLibrary{"Hertz", "github.com/hertz-contrib/monitor-prometheus tracer_test.go", "hertz_server_throughput",
                 "statusCode", by_status, "hertz_server_latency_us", microseconds, "path"},
    KnownLibrary{"Kitex", "github.com/kitex-contrib/monitor-prometheus tracer.go", "kitex_server_throughput", "status",
                 by_word, "kitex_server_latency_us", microseconds, ""},
    KnownLibrary{"Micrometer (Spring Boot, Quarkus, Micronaut)",
                 "docs.spring.io/spring-boot/reference/actuator/metrics.html", "http_server_requests_seconds_count",
                 "status", by_status, "http_server_requests_seconds", seconds, "uri"},
    KnownLibrary{"Reactor Netty", "projectreactor.io/docs/netty/release/reference/http-server.html",
                 "reactor_netty_http_server_response_time_seconds_count", "status", by_status,
                 "reactor_netty_http_server_response_time_seconds", seconds, "uri"},
    KnownLibrary{"Vert.x", "github.com/vert-x3/vertx-micrometer-metrics src/main/asciidoc/index.adoc",
                 "vertx_http_server_response_time_seconds_count", "code", by_status,
                 "vertx_http_server_response_time_seconds", seconds, "path route"},
    KnownLibrary{"Ktor", "ktor.io/docs/server-metrics-micrometer.html", "ktor_http_server_requests_seconds_count",
                 "status", by_status, "ktor_http_server_requests_seconds", seconds, "route"},
    KnownLibrary{"Jetty", "github.com/prometheus/client_java README.md of 0.16: JettyStatisticsCollector",
                 "jetty_responses_total", "code", by_status, "", seconds, ""},
    KnownLibrary{"http4s",
                 "github.com/http4s/http4s-prometheus-metrics "
                 "prometheus-metrics/src/main/scala/org/http4s/metrics/prometheus/Prometheus.scala",
                 "org_http4s_server_request_count_total", "status", by_status,
                 "org_http4s_server_response_duration_seconds{phase=\"body\"}", seconds, ""},
    KnownLibrary{"tapir", "github.com/softwaremill/tapir doc/server/observability.md", "tapir_request_total", "status",
                 by_status, "tapir_request_duration_seconds{phase=\"body\"}", seconds, "path"},
    KnownLibrary{"prometheus-net",
                 "github.com/prometheus-net/prometheus-net "
                 "Prometheus.AspNetCore/HttpMetrics/HttpRequestCountMiddleware.cs",
                 "http_requests_received_total", "code", by_status, "http_request_duration_seconds", seconds,
                 "endpoint"},
    KnownLibrary{"axum-prometheus", "github.com/Ptrskay3/axum-prometheus README.md", "axum_http_requests_total",
                 "status", by_status, "axum_http_requests_duration_seconds", seconds, "endpoint"},
    KnownLibrary{"actix-web-prom", "github.com/nlopes/actix-web-prom README.md", "api_http_requests_total", "status",
                 by_status, "api_http_requests_duration_seconds", seconds, "endpoint"},
    KnownLibrary{"rocket_prometheus", "github.com/sd2k/rocket_prometheus README.md", "rocket_http_requests_total",
                 "status", by_status, "rocket_http_requests_duration_seconds", seconds, "endpoint"},
    KnownLibrary{"Vapor", "github.com/vapor/vapor Sources/Vapor/Responder/DefaultResponder.swift",
                 "http_requests_total", "status", by_status, "http_request_duration_seconds", seconds, "path"},
    KnownLibrary{"wai-middleware-prometheus",
                 "github.com/fimad/prometheus-haskell "
                 "wai-middleware-prometheus/src/Network/Wai/Middleware/Prometheus.hs",
                 "http_request_duration_seconds_count", "status_code", by_status, "http_request_duration_seconds",
                 seconds, "handler"},
};

}  // namespace

std::span<const KnownLibrary> known_compiled() { return libraries; }

}  // namespace watcher
