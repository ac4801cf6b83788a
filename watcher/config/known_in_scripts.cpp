#include <array>

#include "watcher/config/known_libraries.hpp"

namespace watcher {

namespace {

using enum Failed;
using enum rules::Unit;

// One line for a library and name; a second name of the same library follows it.
constexpr std::array libraries{
    KnownLibrary{"express-prom-bundle", "github.com/jochen-schweizer/express-prom-bundle README.md",
                 "http_request_duration_seconds_count", "status_code", by_status, "http_request_duration_seconds",
                 seconds, "path"},
    KnownLibrary{"prometheus-api-metrics", "github.com/PayU/prometheus-api-metrics src/metrics-middleware.js",
                 "http_request_duration_seconds_count", "code", by_status, "http_request_duration_seconds", seconds,
                 "route"},
    KnownLibrary{"express-prometheus-middleware", "github.com/joao-fontenele/express-prometheus-middleware README.md",
                 "http_requests_total", "status", by_status, "http_request_duration_seconds", seconds, "route"},
    KnownLibrary{"fastify-metrics", "github.com/SkeLLLa/fastify-metrics README.md",
                 "http_request_duration_seconds_count", "status_code", by_status, "http_request_duration_seconds",
                 seconds, "route"},
    KnownLibrary{"fastify-metrics (summary only)", "github.com/SkeLLLa/fastify-metrics README.md",
                 "http_request_summary_seconds_count", "status_code", by_status, "http_request_summary_seconds",
                 seconds, "route", 1, 1},
    // What is asked of other nodes counts there; codes of 4xx are the caller's fault.
    KnownLibrary{"moleculer", "github.com/moleculerjs/moleculer src/middlewares/metrics.js",
                 "moleculer_request_total{type=\"local\"}",
                 "moleculer_request_error_total{type=\"local\",errorCode!~\"4..\"}", by_own_counter,
                 "moleculer_request_time{type=\"local\"}", milliseconds, ""},
    KnownLibrary{"promster",
                 "github.com/tdeekens/promster packages/metrics/src/create-http-metrics/create-http-metrics.ts",
                 "http_requests_total", "status_code", by_status, "http_request_duration_seconds", seconds, "path"},
    KnownLibrary{"promster",
                 "github.com/tdeekens/promster packages/metrics/src/create-http-metrics/create-http-metrics.ts", "", "",
                 by_status, "http_request_duration_per_percentile_seconds", seconds, "path", 1, 1},
    KnownLibrary{"promster",
                 "github.com/tdeekens/promster packages/metrics/src/create-http-metrics/create-http-metrics.ts", "", "",
                 by_status, "http_request_duration_per_percentile_milliseconds", milliseconds, "path", 1, 1},
    KnownLibrary{"Hono's prometheus middleware",
                 "github.com/honojs/middleware packages/prometheus/src/standardMetrics.ts", "http_requests_total",
                 "status", by_status, "http_request_duration_seconds", seconds, "route"},
    KnownLibrary{"swagger-stats", "swaggerstats.io/guide/prometheus.html", "api_request_total", "code", by_status,
                 "api_request_duration_milliseconds", milliseconds, "path"},
    KnownLibrary{
        "prometheus-fastapi-instrumentator",
        "github.com/trallnag/prometheus-fastapi-instrumentator src/prometheus_fastapi_instrumentator/metrics.py",
        "http_requests_total", "status", by_status, "http_request_duration_highr_seconds", seconds, "handler", 0, -1},
    KnownLibrary{"starlette_exporter", "github.com/stephenhillier/starlette_exporter starlette_exporter/middleware.py",
                 "starlette_requests_total", "status_code", by_status, "starlette_request_duration_seconds", seconds,
                 "path"},
    KnownLibrary{"starlette_exporter", "github.com/stephenhillier/starlette_exporter starlette_exporter/middleware.py",
                 "fastapi_requests_total", "status_code", by_status, "fastapi_request_duration_seconds", seconds,
                 "path"},
    KnownLibrary{"starlette-prometheus", "github.com/perdy/starlette-prometheus starlette_prometheus/middleware.py",
                 "starlette_responses_total", "status_code", by_status, "starlette_requests_processing_time_seconds",
                 seconds, "path_template"},
    KnownLibrary{"fastapi-observability", "github.com/blueswen/fastapi-observability fastapi_app/utils.py",
                 "fastapi_responses_total", "status_code", by_status, "fastapi_requests_duration_seconds", seconds,
                 "path"},
    KnownLibrary{"Litestar", "github.com/litestar-org/litestar litestar/contrib/prometheus/middleware.py",
                 "litestar_requests_total", "status_code", by_status, "litestar_request_duration_seconds", seconds,
                 "path"},
    KnownLibrary{"sanic-prometheus", "github.com/dkruchinin/sanic-prometheus README.rst", "sanic_request_count_total",
                 "http_status", by_status, "sanic_request_latency_sec", seconds, "endpoint"},
    KnownLibrary{"BentoML", "github.com/bentoml/BentoML docs/source/guides/metrics.rst",
                 "bentoml_service_request_total", "http_response_code", by_status,
                 "bentoml_service_request_duration_seconds", seconds, "endpoint"},
    KnownLibrary{"BentoML", "github.com/bentoml/BentoML docs/source/guides/metrics.rst",
                 "bentoml_api_server_request_total", "http_response_code", by_status,
                 "bentoml_api_server_request_duration_seconds", seconds, "endpoint"},
    KnownLibrary{"django-prometheus", "github.com/korfuri/django-prometheus django_prometheus/middleware.py",
                 "django_http_responses_total_by_status_view_method_total{view!=\"prometheus-django-metrics\"}",
                 "status", by_status,
                 "django_http_requests_latency_seconds_by_view_method{view!=\"prometheus-django-metrics\"}", seconds,
                 ""},
    KnownLibrary{"django-prometheus", "github.com/korfuri/django-prometheus django_prometheus/middleware.py",
                 "django_http_responses_total_by_status_total", "status", by_status,
                 "django_http_requests_latency_including_middlewares_seconds", seconds, "", 1, 1},
    KnownLibrary{"prometheus-flask-exporter", "github.com/rycus86/prometheus_flask_exporter README.md",
                 "flask_http_request_duration_seconds_count", "status", by_status,
                 "flask_http_request_duration_seconds", seconds, "path"},
    KnownLibrary{"prometheus-flask-exporter", "github.com/rycus86/prometheus_flask_exporter README.md",
                 "flask_http_request_total", "status", by_status, "", seconds, "", 1},
    KnownLibrary{"prometheus_exporter (Ruby)",
                 "github.com/discourse/prometheus_exporter lib/prometheus_exporter/server/web_collector.rb",
                 "ruby_http_requests_total", "status", by_status_or_none, "ruby_http_request_duration_seconds", seconds,
                 ""},
    KnownLibrary{"yabeda-rails", "github.com/yabeda-rb/yabeda-rails lib/yabeda/rails.rb", "rails_requests_total",
                 "status", by_status, "rails_request_duration_seconds", seconds, ""},
    // An exception that nothing turns into an answer is counted elsewhere, without the requests that went well.
    KnownLibrary{
        "prometheus-client (Ruby, Rack)", "github.com/prometheus/client_ruby lib/prometheus/middleware/collector.rb",
        "http_server_requests_total", "code", by_status, "http_server_request_duration_seconds", seconds, "path"},
    KnownLibrary{"Symfony prometheus-metrics-bundle",
                 "github.com/artprima/prometheus-metrics-bundle Metrics/AppMetrics.php",
                 "symfony_http_requests_total{action=\"all\"}", "symfony_http_5xx_responses_total{action=\"all\"}",
                 by_own_counter, "symfony_request_durations_histogram_seconds{action=\"all\"}", seconds, ""},
    KnownLibrary{"RoadRunner", "github.com/roadrunner-server/prometheus plugin.go", "rr_http_request_total", "status",
                 by_status, "rr_http_request_duration_seconds", seconds, ""},
    // Microseconds by this label alone: appmetrics-prometheus writes milliseconds under the same name.
    KnownLibrary{"prometheus-plugs",
                 "github.com/deadtrickster/prometheus-plugs lib/prometheus/plug_pipeline_instrumenter.ex",
                 "http_request_duration_microseconds_count", "status_class", by_class_name,
                 "http_request_duration_microseconds{status_class=~\".+\"}", microseconds, ""},
    KnownLibrary{"prometheus-cowboy", "github.com/deadtrickster/prometheus-cowboy README.md", "cowboy_requests_total",
                 "status_class", by_class_name, "cowboy_request_duration_seconds", seconds, ""},
    KnownLibrary{"prom_ex (Phoenix)", "github.com/akoutmos/prom_ex lib/prom_ex/plugins/phoenix.ex",
                 "{__name__=~\".+_prom_ex_phoenix_http_requests_total\"}", "status", by_status,
                 "{__name__=~\".+_prom_ex_phoenix_http_request_duration_milliseconds\"}", milliseconds, "path"},
};

}  // namespace

std::span<const KnownLibrary> known_in_scripts() { return libraries; }

}  // namespace watcher
