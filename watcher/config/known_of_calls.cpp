#include <array>

#include "watcher/config/known_libraries.hpp"

namespace watcher {

namespace {

using enum Failed;
using enum rules::Unit;

constexpr std::string_view http_now = "opentelemetry.io/docs/specs/semconv/http/http-metrics";
constexpr std::string_view http_before = "opentelemetry.io/blog/2023/http-conventions-declared-stable";
constexpr std::string_view rpc_now = "opentelemetry.io/docs/specs/semconv/rpc/rpc-metrics";
constexpr std::string_view rpc_before =
    "github.com/open-telemetry/semantic-conventions docs/rpc/rpc-metrics.md of v1.37.0";

// One line for a library and name. Exporters write the names of OpenTelemetry with or without the unit, and with dots
// in quotes where UTF-8 is allowed.
constexpr std::array libraries{
    KnownLibrary{"go-grpc-middleware",
                 "github.com/grpc-ecosystem/go-grpc-middleware providers/prometheus/server_metrics.go",
                 "grpc_server_handled_total", "grpc_code", by_grpc_code, "grpc_server_handling_seconds", seconds, ""},
    KnownLibrary{"java-grpc-prometheus, py-grpc-prometheus",
                 "github.com/grpc-ecosystem/java-grpc-prometheus "
                 "src/main/java/me/dinowernli/grpc/prometheus/ServerMetrics.java",
                 "grpc_server_handled_total", "code", by_grpc_code, "grpc_server_handled_latency_seconds", seconds, ""},
    KnownLibrary{"gRPC's own OpenTelemetry metrics", "github.com/grpc/proposal A66-otel-stats.md",
                 "grpc_server_call_duration_seconds_count", "grpc_status", by_grpc_code,
                 "grpc_server_call_duration_seconds", seconds, ""},
    KnownLibrary{"gRPC with Micrometer",
                 "github.com/micrometer-metrics/micrometer micrometer-core/src/main/java/io/micrometer/core/instrument/"
                 "binder/grpc/MetricCollectingServerInterceptor.java",
                 "grpc_server_processing_duration_seconds_count", "statusCode", by_grpc_code,
                 "grpc_server_processing_duration_seconds", seconds, ""},
    KnownLibrary{"gRPC with Micrometer",
                 "github.com/micrometer-metrics/micrometer micrometer-core/src/main/java/io/micrometer/core/instrument/"
                 "binder/grpc/GrpcObservationDocumentation.java",
                 "grpc_server_seconds_count", "grpc_status_code", by_grpc_code, "grpc_server_seconds", seconds, ""},
    KnownLibrary{"OpenTelemetry, ASP.NET Core", http_now, "http_server_request_duration_seconds_count",
                 "http_response_status_code", by_status, "http_server_request_duration_seconds", seconds, "http_route"},
    KnownLibrary{"OpenTelemetry for JavaScript",
                 "github.com/open-telemetry/opentelemetry-js "
                 "experimental/packages/opentelemetry-exporter-prometheus/src/PrometheusSerializer.ts",
                 "http_server_request_duration_count", "http_response_status_code", by_status,
                 "http_server_request_duration", seconds, "http_route"},
    KnownLibrary{"OpenTelemetry, names in UTF-8", http_now, "{\"http.server.request.duration_count\"}",
                 "http.response.status_code", by_status, "{\"http.server.request.duration\"}", seconds, "http.route"},
    KnownLibrary{"OpenTelemetry, names in UTF-8", http_now, "{\"http.server.request.duration_seconds_count\"}",
                 "http.response.status_code", by_status, "{\"http.server.request.duration_seconds\"}", seconds,
                 "http.route"},
    KnownLibrary{"OpenTelemetry before 1.23", http_before, "http_server_duration_milliseconds_count",
                 "http_status_code", by_status, "http_server_duration_milliseconds", milliseconds,
                 "http_route http_target"},
    KnownLibrary{"OpenTelemetry before 1.23", http_before, "http_server_duration_count", "http_status_code", by_status,
                 "http_server_duration", milliseconds, "http_route http_target"},
    KnownLibrary{"OpenTelemetry before 1.23", http_before, "http_server_duration_seconds_count", "http_status_code",
                 by_status, "http_server_duration_seconds", seconds, "http_route http_target"},
    KnownLibrary{"OpenTelemetry, gRPC", rpc_now, "rpc_server_call_duration_seconds_count", "rpc_response_status_code",
                 by_grpc_code, "rpc_server_call_duration_seconds", seconds, ""},
    KnownLibrary{"OpenTelemetry, gRPC", rpc_now, "{\"rpc.server.call.duration_count\"}", "rpc.response.status_code",
                 by_grpc_code, "{\"rpc.server.call.duration\"}", seconds, ""},
    KnownLibrary{"OpenTelemetry, gRPC before 1.38", rpc_before, "rpc_server_duration_milliseconds_count",
                 "rpc_grpc_status_code", by_grpc_number, "rpc_server_duration_milliseconds", milliseconds, ""},
    KnownLibrary{"OpenTelemetry, gRPC before 1.38", rpc_before, "rpc_server_duration_count", "rpc_grpc_status_code",
                 by_grpc_number, "rpc_server_duration", milliseconds, ""},
};

}  // namespace

std::span<const KnownLibrary> known_of_calls() { return libraries; }

}  // namespace watcher
