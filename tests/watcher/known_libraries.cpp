#include "watcher/config/known_libraries.hpp"

#include <doctest/doctest.h>

#include <map>
#include <memory>
#include <sstream>

#include "config_files.hpp"
#include "known_libraries_pages.hpp"
#include "probes/parse/prometheus_series.hpp"
#include "probes/parse/prometheus_text.hpp"
#include "rules/signals/measurements.hpp"

namespace {

using rules::Instant;

std::string replaced(std::string text, const std::string& what, const std::string& with) {
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what)) {
    text.replace(at, what.size(), with);
  }
  return text;
}

std::string number(double value) {
  std::ostringstream out;
  out << value;
  return out.str();
}

// The short form, asked of pages that we write.
class Asked {
 public:
  Asked()
      : config_(loaded(config_text("short.toml"))), page_(keep()), measurements_(shapes(), config_.core.signals, {}) {}

  void poll(double second, const std::string& page) {
    page_.begin();
    page_.push(page);
    const auto fault = page_.finish();
    REQUIRE_MESSAGE(!fault, (fault ? fault->what : "") << "\n" << page);
    rules::Poll poll;
    poll.probe = rules::ProbeName("metrics");
    poll.started = at(second);
    poll.ended = at(second);
    poll.up = rules::Up::up;
    poll.readings = page_.take();
    measurements_.observe(poll);
    now_ = at(second);
  }

  std::string verdict(const std::string& condition) const {
    const auto parsed = rules::parse_condition(condition);
    const rules::Judgement out = measurements_.judge(std::get<rules::Condition>(parsed), {}, now_);
    return out.verdict == rules::Verdict::unknown ? std::string(rules::to_string(out.cause)) + ": " + out.detail
                                                  : std::string(rules::to_string(out.verdict));
  }
  std::string taken(const std::string& signal) const {
    const auto all = measurements_.taken();
    const auto found = all.find(rules::SignalName(signal));
    return found == all.end() ? "" : found->second;
  }

 private:
  static Instant at(double second) { return Instant(std::chrono::hours(480'000)) + rules::from_seconds(second); }
  std::vector<rules::ProbeShape> shapes() const {
    rules::ProbeShape shape;
    shape.name = rules::ProbeName("metrics");
    return {shape};
  }
  std::vector<rules::Selector> keep() const {
    for (const probes::ProbeConfig& probe : config_.probes) {
      if (const auto* page = std::get_if<probes::PrometheusProbe>(&probe.what)) return page->keep;
    }
    return {};
  }

  watcher::Config config_;
  probes::PrometheusText page_;
  rules::Measurements measurements_;
  Instant now_;
};

// How many requests a page counts, and how they went.
struct Traffic {
  double ok = 0;
  double failed = 0;
  double slow = 0;  // of the ok ones, 4 seconds instead of half a second
};

// The lines of one series of times: buckets at 1, 3 and 5 seconds, or quantiles.
std::string times(const LibraryPage& library, const std::string& path, double all, double slow) {
  const std::string line = replaced(library.times, "$P", path);
  std::string out;
  if (line.find("$Q") == std::string::npos) {
    for (const double bound : {1.0, 3.0, 5.0}) {
      out += replaced(line, "$L", number(bound * library.unit)) + " " + number(bound < 4 ? all - slow : all) + "\n";
    }
    return out + replaced(line, "$L", "+Inf") + " " + number(all) + "\n";
  }
  for (const double quantile : {0.5, 0.9, 0.99}) {
    const double value = slow > (1 - quantile) * all ? 4 : 0.5;
    out += replaced(line, "$Q", number(quantile)) + " " + number(value * library.unit) + "\n";
  }
  std::string count = replaced(replaced(line, "quantile=\"$Q\",", ""), ",quantile=\"$Q\"", "");
  count.insert(count.find('{'), "_count");
  return out + count + " " + number(all) + "\n";
}

std::string page_of(const LibraryPage& library, const Traffic& traffic, double own) {
  const auto requests = [&library](const std::string& outcome, const std::string& path, double count) {
    return replaced(replaced(library.requests, "$S", outcome), "$P", path) + " " + number(count) + "\n";
  };
  const bool by_path = library.requests.find("$P") != std::string::npos;
  std::string out = "# a page of " + library.name + "\n";
  // A counter of its own for errors counts besides.
  const bool own_counter = library.requests.find("_$S") != std::string::npos;
  out += requests(library.ok, "/users", traffic.ok + (own_counter ? traffic.failed : 0));
  out += requests(library.failed, "/users", traffic.failed);
  if (by_path) out += requests(library.ok, "/api/health", own) + requests(library.ok, "/metrics", own);
  if (library.times.empty()) return out;
  out += times(library, "/users", traffic.ok, traffic.slow);
  if (library.times.find("$P") == std::string::npos) return out;
  return out + times(library, "/api/health", own, 0) + times(library, "/metrics", own, 0);
}

// A minute of the traffic, 5 seconds at a time, while we ask fifty times as often as everybody else.
Asked asked(const LibraryPage& library, const Traffic& each) {
  Asked out;
  for (int i = 0; i <= 12; ++i) {
    out.poll(i * 5, page_of(library, {i * each.ok, i * each.failed, i * each.slow}, i * 50 * each.ok));
  }
  return out;
}

// What the page's line of this is, once it is told what `check --online` says is taken.
bool is_taken(const std::string& taken, const std::string& series) {
  const auto selector = rules::parse_selector(taken);
  const auto key = probes::parse_series(series);
  REQUIRE_MESSAGE(std::holds_alternative<rules::Selector>(selector), "taken: \"" << taken << "\" of " << series);
  REQUIRE(std::holds_alternative<rules::SeriesKey>(key));
  return std::get<rules::Selector>(selector).matches(std::get<rules::SeriesKey>(key));
}

}  // namespace

TEST_CASE("SPEC 3: the short form finds errors and times of every known library, in their own units") {
  for (const LibraryPage& library : all_pages()) {
    CAPTURE(library.name);
    CAPTURE(library.requests);
    const Asked well = asked(library, {100, 1, 1});
    const std::string ok = replaced(replaced(library.requests, "$S", library.ok), "$P", "/users");
    CHECK(is_taken(well.taken("error_rate"), ok));
    CHECK(well.verdict("error_rate > 5%") == "good");
    const Asked failing = asked(library, {100, 20, 1});
    CHECK(failing.verdict("error_rate > 5%") == "bad");
    if (library.times.empty()) {
      CHECK(well.taken("p95") == "");
      continue;
    }
    CAPTURE(library.times);
    const std::string times = replaced(replaced(library.times, "$P", "/users"), "_bucket", "");
    CHECK(is_taken(well.taken("p95"), times));
    CHECK(well.verdict("p95 > 3000ms") == "good");
    const Asked slow = asked(library, {100, 1, 10});
    CHECK(slow.verdict("p95 > 3000ms") == "bad");
    CHECK(slow.verdict("p95 > 5000ms") == "good");
  }
}

TEST_CASE("what counts the scrape alone, or what the application asks of others, is not taken") {
  Asked page;
  for (int i = 0; i <= 12; ++i) {
    const std::string count = number(i * 100);
    page.poll(i * 5, "promhttp_metric_handler_requests_total{code=\"500\"} " + count +
                         "\nhttp_client_requests_seconds_count{status=\"500\"} " + count +
                         "\ngrpc_client_handled_total{grpc_code=\"Internal\"} " + count +
                         "\nrpc_client_requests_code_total{code=\"13\"} " + count +
                         "\nclient_requests_code_total{code=\"500\"} " + count +
                         "\nkitex_client_throughput{status=\"error\"} " + count +
                         "\ndapr_http_client_completed_count{status=\"500\"} " + count +
                         "\nrpc_client_call_duration_seconds_count{rpc_response_status_code=\"INTERNAL\"} " + count +
                         "\nhttp_requests_total{status=\"success\"} " + count +
                         "\nresponse_total{direction=\"outbound\",classification=\"failure\"} " + count +
                         "\nenvoy_http_downstream_rq_xx{envoy_response_code_class=\"5\",envoy_http_conn_manager_prefix="
                         "\"admin\"} " +
                         count + "\ntraefik_entrypoint_requests_total{code=\"500\",entrypoint=\"traefik\"} " + count +
                         "\n");
  }
  CHECK(page.taken("error_rate") == "");
  CHECK(page.verdict("error_rate > 5%").find("no_data") == 0);
}

TEST_CASE("a metric with a prefix of the application's own is taken only where there is none without") {
  Asked page;
  for (int i = 0; i <= 12; ++i) {
    const std::string count = number(i * 100);
    page.poll(i * 5, "shop_http_requests_total{code=\"500\"} " + count +
                         "\nshop_http_client_requests_total{code=\"500\"} " + count +
                         "\nshop_client_http_requests_total{code=\"500\"} " + count +
                         "\nrr_http_request_total{status=\"200\"} " + number(i * 10) + "\n");
  }
  CHECK(page.taken("error_rate") == "rr_http_request_total{status=~\"[1-5]..|[1-5]\"}");
  CHECK(page.verdict("error_rate > 5%") == "good");
}

TEST_CASE("a proxy's family is never taken before the application's own, however busy the proxy is") {
  const std::string own[] = {"http_requests_total{status=\"200\",path=\"/a\"} ",
                             "shop_http_requests_total{code=\"200\"} ",
                             "http_server_requests_seconds_count{status=\"200\",uri=\"/a\"} "};
  const std::string proxy[] = {
      "nginx_http_requests_total{status=\"500\"} ", "nginx_ingress_controller_requests{status=\"500\"} ",
      "haproxy_backend_http_responses_total{code=\"5xx\"} ", "traefik_service_requests_total{code=\"500\"} ",
      "istio_requests_total{reporter=\"destination\",response_code=\"500\"} "};
  for (const std::string& served : own) {
    for (const std::string& passed : proxy) {
      CAPTURE(served);
      CAPTURE(passed);
      Asked both;
      Asked alone;
      for (int i = 0; i <= 12; ++i) {
        both.poll(i * 5, served + number(i * 10) + "\n" + passed + number(i * 1000) + "\n");
        alone.poll(i * 5, passed + number(i * 1000) + "\n");
      }
      CHECK(both.verdict("error_rate > 5%") == "good");
      CHECK(alone.verdict("error_rate > 5%") == "bad");
    }
  }
}

TEST_CASE(
    "what says whom it asks, and one of several families under prefixes, is not taken for the application's own") {
  std::map<std::string, std::unique_ptr<Asked>> others;
  for (const char* whom :
       {"target=\"ledger\"", "provider=\"ledger\"", "domain=\"ledger.example\"", "url=\"https://ledger.example/v1\""})
    others.emplace(whom, std::make_unique<Asked>());
  Asked asks;
  Asked several;
  Asked one;
  for (int i = 0; i <= 12; ++i) {
    const std::string count = number(i * 100);
    const std::string ours = "shop_http_requests_total{code=\"200\"} " + count + "\n";
    const std::string asked = "ledger_http_requests_total{code=\"500\",";
    for (const auto& [whom, each] : others) each->poll(i * 5, asked + whom + "} " + count + "\n");
    asks.poll(i * 5, "ledger_http_requests_total{code=\"500\",peer=\"ledger\"} " + count +
                         "\nledger_http_requests_total{code=\"500\",upstream=\"ledger\"} " + count + "\n");
    several.poll(i * 5, ours + "ledger_http_requests_total{code=\"500\"} " + count + "\n");
    one.poll(i * 5, ours + "ledger_http_requests_total{code=\"500\",peer_service=\"ledger\"} " + count + "\n");
  }
  for (const auto& other : others) CHECK_MESSAGE(other.second->taken("error_rate") == "", other.first);
  CHECK(asks.taken("error_rate") == "");
  CHECK(several.taken("error_rate") == "");
  CHECK(several.verdict("error_rate > 5%").find("no_data") == 0);
  CHECK(one.verdict("error_rate > 5%") == "good");
}

TEST_CASE("of two histograms of a library the one with the finer buckets is taken") {
  Asked page;
  for (int i = 0; i <= 12; ++i) {
    const std::string count = number(i * 100);
    page.poll(i * 5,
              "http_request_duration_seconds_bucket{handler=\"/a\",method=\"GET\",le=\"1.0\"} 0\n"
              "http_request_duration_seconds_bucket{handler=\"/a\",method=\"GET\",le=\"+Inf\"} " +
                  count + "\nhttp_request_duration_highr_seconds_bucket{le=\"2.5\"} 0\n" +
                  "http_request_duration_highr_seconds_bucket{le=\"3.0\"} 0\n" +
                  "http_request_duration_highr_seconds_bucket{le=\"3.5\"} " + count +
                  "\nhttp_request_duration_highr_seconds_bucket{le=\"+Inf\"} " + count + "\n");
  }
  CHECK(page.verdict("p95 > 3000ms") == "bad");
  CHECK(page.verdict("p95 > 3500ms") == "good");
}

TEST_CASE("aggregates of a page are not counted besides what they add up") {
  Asked page;
  for (int i = 0; i <= 12; ++i) {
    page.poll(i * 5, "nginx_vts_server_requests_total{host=\"a\",code=\"2xx\"} " + number(i * 90) +
                         "\nnginx_vts_server_requests_total{host=\"a\",code=\"5xx\"} " + number(i * 10) +
                         "\nnginx_vts_server_requests_total{host=\"a\",code=\"total\"} " + number(i * 100) +
                         "\nnginx_vts_server_requests_total{host=\"*\",code=\"2xx\"} " + number(i * 90) +
                         "\nnginx_vts_server_requests_total{host=\"*\",code=\"5xx\"} " + number(i * 10) + "\n");
  }
  CHECK(page.verdict("error_rate > 9.9%") == "bad");
  CHECK(page.verdict("error_rate > 10%") == "good");
}

TEST_CASE("milliseconds under a name that says microseconds are not taken for microseconds") {
  Asked page;
  for (int i = 0; i <= 12; ++i) {  // as appmetrics-prometheus writes it
    const std::string count = number(i * 100);
    page.poll(i * 5, "http_requests_total{code=\"200\", handler=\"/a\", method=\"get\"} " + count +
                         "\nhttp_request_duration_microseconds{handler=\"/a\",quantile=\"0.5\"} 4000" +
                         "\nhttp_request_duration_microseconds{handler=\"/a\",quantile=\"0.99\"} 4000" +
                         "\nhttp_request_duration_microseconds_count{handler=\"/a\"} " + count + "\n");
  }
  CHECK(page.taken("p95") == "");
  CHECK(page.verdict("p95 > 3000ms").find("no_data") == 0);
  CHECK(page.verdict("error_rate > 5%") == "good");
}
