#include <array>

#include "watcher/config/known_libraries.hpp"

namespace watcher {

namespace {

using enum Failed;
using enum rules::Unit;

// One line for a proxy and name; a second name of the same proxy follows it. Where it sees a request twice, the side of
// the application comes first.
constexpr std::array libraries{
    KnownLibrary{"Istio", "istio.io/latest/docs/reference/config/metrics",
                 "istio_requests_total{reporter=\"destination\"}", "response_code", by_status,
                 "istio_request_duration_milliseconds{reporter=\"destination\"}", milliseconds, ""},
    KnownLibrary{"Istio", "istio.io/latest/docs/reference/config/metrics", "istio_requests_total{reporter=\"source\"}",
                 "response_code", by_status, "istio_request_duration_milliseconds{reporter=\"source\"}", milliseconds,
                 "", 1, 1},
    KnownLibrary{"Linkerd", "github.com/linkerd/website linkerd.io/content/2/reference/proxy-metrics.md",
                 "response_total{direction=\"inbound\"}", "classification", by_classification,
                 "response_latency_ms{direction=\"inbound\"}", milliseconds, ""},
    KnownLibrary{"Dapr", "github.com/dapr/dapr pkg/diagnostics/http_monitoring.go", "dapr_http_server_response_count",
                 "status", by_status, "dapr_http_server_latency", milliseconds, "path"},
    KnownLibrary{"Knative", "knative.dev/docs/serving/observability/metrics/serving-metrics",
                 "revision_app_request_count", "response_code", by_status, "revision_app_request_latencies",
                 milliseconds, ""},
    // Its page counts the gateway's own interface as http_requests_total besides: the functions come before that.
    KnownLibrary{"OpenFaaS", "github.com/openfaas/faas gateway/metrics/metrics.go", "gateway_function_invocation_total",
                 "code", by_status, "gateway_functions_seconds", seconds, "", -4, -4},
    KnownLibrary{"Envoy", "envoyproxy.io/docs/envoy/latest/configuration/http/http_conn_man/stats",
                 "envoy_http_downstream_rq_xx{envoy_http_conn_manager_prefix!=\"admin\"}", "envoy_response_code_class",
                 by_class, "envoy_http_downstream_rq_time{envoy_http_conn_manager_prefix!=\"admin\"}", milliseconds,
                 ""},
    KnownLibrary{"Traefik", "doc.traefik.io/traefik/observability/metrics/overview", "traefik_service_requests_total",
                 "code", by_status, "traefik_service_request_duration_seconds", seconds, ""},
    KnownLibrary{"Traefik", "doc.traefik.io/traefik/observability/metrics/overview",
                 "traefik_entrypoint_requests_total{entrypoint!~\"metrics|traefik\"}", "code", by_status,
                 "traefik_entrypoint_request_duration_seconds{entrypoint!~\"metrics|traefik\"}", seconds, "", 1, 1},
    KnownLibrary{"Caddy", "github.com/caddyserver/caddy modules/caddyhttp/metrics.go",
                 "caddy_http_request_duration_seconds_count{handler!=\"metrics\"}", "code", by_status,
                 "caddy_http_request_duration_seconds{handler!=\"metrics\"}", seconds, ""},
    KnownLibrary{"ingress-nginx", "github.com/kubernetes/ingress-nginx docs/user-guide/monitoring.md",
                 "nginx_ingress_controller_requests", "status", by_status,
                 "nginx_ingress_controller_request_duration_seconds", seconds, ""},
    KnownLibrary{"nginx-module-vts",
                 "github.com/vozlt/nginx-module-vts src/ngx_http_vhost_traffic_status_display_prometheus.h",
                 "nginx_vts_server_requests_total{host!=\"*\"}", "code", by_status,
                 "nginx_vts_server_request_duration_seconds{host!=\"*\"}", seconds, ""},
    KnownLibrary{"nginx-lua-prometheus", "github.com/knyar/nginx-lua-prometheus README.md", "nginx_http_requests_total",
                 "status", by_status, "nginx_http_request_duration_seconds", seconds, ""},
    KnownLibrary{"prometheus-nginxlog-exporter", "github.com/martin-helmich/prometheus-nginxlog-exporter README.adoc",
                 "nginx_http_response_count_total", "status", by_status, "nginx_http_response_time_seconds_hist",
                 seconds, "request_uri"},
    KnownLibrary{"prometheus-nginxlog-exporter", "github.com/martin-helmich/prometheus-nginxlog-exporter README.adoc",
                 "", "", by_status, "nginx_http_response_time_seconds", seconds, "request_uri", 0, 1},
    KnownLibrary{"NGINX Plus", "github.com/nginxinc/nginx-prometheus-exporter README.md",
                 "nginxplus_server_zone_responses", "code", by_status, "", seconds, ""},
    KnownLibrary{"HAProxy", "docs.haproxy.org/2.6/management.html", "haproxy_backend_http_responses_total", "code",
                 by_status, "", seconds, ""},
    KnownLibrary{"HAProxy", "docs.haproxy.org/2.6/management.html", "haproxy_frontend_http_responses_total", "code",
                 by_status, "", seconds, "", 1},
    KnownLibrary{"Kong", "docs.konghq.com/hub/kong-inc/prometheus", "kong_http_requests_total", "code", by_status,
                 "kong_request_latency_ms", milliseconds, ""},
    KnownLibrary{"Kong before 3", "github.com/Kong/kong kong/plugins/prometheus/exporter.lua of 2.8",
                 "kong_http_status", "code", by_status, "kong_latency{type=\"request\"}", milliseconds, ""},
    KnownLibrary{"APISIX", "github.com/apache/apisix apisix/plugins/prometheus/exporter.lua", "apisix_http_status",
                 "code", by_status, "apisix_http_latency{type=\"request\"}", milliseconds, ""},
    KnownLibrary{"Tyk", "github.com/TykTechnologies/tyk-pump pumps/prometheus.go", "tyk_http_status", "code", by_status,
                 "tyk_latency{type=\"total\"}", milliseconds, ""},
    KnownLibrary{"Spring Cloud Gateway",
                 "github.com/spring-cloud/spring-cloud-gateway "
                 "docs/modules/ROOT/pages/spring-cloud-gateway/global-filters.adoc",
                 "spring_cloud_gateway_requests_seconds_count", "httpStatusCode", by_status,
                 "spring_cloud_gateway_requests_seconds", seconds, "path"},
    KnownLibrary{"Skipper", "github.com/zalando/skipper metrics/prometheus.go", "skipper_serve_route_count", "code",
                 by_status, "skipper_serve_route_duration_seconds", seconds, ""},
    KnownLibrary{"Skipper", "github.com/zalando/skipper metrics/prometheus.go",
                 "skipper_serve_route_duration_seconds_count", "code", by_status, "", seconds, ""},
    KnownLibrary{"Skipper", "github.com/zalando/skipper metrics/prometheus.go", "skipper_serve_host_count", "code",
                 by_status, "skipper_serve_host_duration_seconds", seconds, "", 1, 1},
};

}  // namespace

std::span<const KnownLibrary> known_proxies() { return libraries; }

}  // namespace watcher
