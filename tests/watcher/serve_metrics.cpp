#include <doctest/doctest.h>
#include <sys/wait.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "serve_support.hpp"
#include "watcher/serve/metrics.hpp"

using namespace serve_test;
using watcher::Metrics;

namespace {

void count_everything(Metrics& metrics) {
  rules::Poll poll;
  poll.probe = rules::ProbeName("up_probe");
  poll.started = at(0);
  poll.ended = at(0.03);
  metrics.observe_poll(poll);
  metrics.observe_loop_lag(std::chrono::milliseconds(3));
  rules::IncidentRecord incident = incident_of_web();
  incident.outcome = rules::Outcome::recovered;
  incident.closed = at(70);
  incident.switched = true;
  metrics.count_incident(incident);
  metrics.count_notification(rules::NotifierName("team"), "delivered");
}

bool has(const std::string& page, const std::string& line) {
  return ("\n" + page).find("\n" + line + "\n") != std::string::npos;
}

}  // namespace

TEST_CASE("metrics show what is so and what happened") {
  Metrics metrics;
  count_everything(metrics);
  const std::string page = metrics.text(view_of_two());
  for (const char* line : {
           "rollbackd_build_info{version=\"" ROLLBACKD_VERSION "\"} 1",
           "rollbackd_probe_up{probe=\"up_probe\"} 1",
           "rollbackd_probe_up{probe=\"down_probe\"} 0",
           "rollbackd_probe_duration_seconds_bucket{probe=\"up_probe\",le=\"0.1\"} 1",
           "rollbackd_probe_duration_seconds_count{probe=\"up_probe\"} 1",
           "rollbackd_signal_value{signal=\"p95\"} 0.21",
           "rollbackd_rule_verdict{rule=\"slow\",verdict=\"bad\"} 1",
           "rollbackd_rule_verdict{rule=\"slow\",verdict=\"good\"} 0",
           "rollbackd_rule_verdict{rule=\"dark\",verdict=\"unknown\"} 1",
           "rollbackd_rule_sustain_ratio{rule=\"slow\"} 1",
           "rollbackd_rule_sustain_ratio{rule=\"dark\"} 0",
           "rollbackd_rule_seconds_to_fire{rule=\"slow\"} 180",
           "rollbackd_rule_unknown_seconds_total{rule=\"slow\",cause=\"stale\"} 7",
           "rollbackd_rule_blind{rule=\"dark\"} 1",
           "rollbackd_service_state{service=\"web\",state=\"armed\"} 1",
           "rollbackd_service_state{service=\"web\",state=\"incident\"} 0",
           "rollbackd_rollback_ready{service=\"web\"} 1",
           "rollbackd_rollback_ready{service=\"worker\"} 0",
           "rollbackd_driver_ready{service=\"web\",driver=\"compose\"} 0",
           "rollbackd_driver_ready{service=\"web\",driver=\"http\"} 1",
           "rollbackd_rollbacks_total{outcome=\"recovered\",service=\"web\"} 1",
           "rollbackd_incidents_total{outcome=\"recovered\",service=\"web\"} 1",
           "rollbackd_incidents_total{outcome=\"action_failed\",service=\"worker\"} 0",
           "rollbackd_action_duration_seconds_bucket{service=\"web\",le=\"60\"} 1",
           "rollbackd_action_duration_seconds_bucket{service=\"web\",le=\"15\"} 0",
           "rollbackd_loop_lag_seconds 0.003",
           "rollbackd_notifications_total{notifier=\"team\",outcome=\"delivered\"} 1",
           "rollbackd_config_last_reload_successful 1",
       }) {
    CAPTURE(line);
    CHECK_MESSAGE(has(page, line), page);
  }
}

TEST_CASE("what is unknown has no series") {
  Metrics metrics;
  const std::string page = metrics.text(view_of_two());
  CHECK(page.find("rollbackd_probe_up{probe=\"unknown_probe\"}") == std::string::npos);
  CHECK(page.find("rollbackd_signal_value{signal=\"quiet\"}") == std::string::npos);
  CHECK(page.find("rollbackd_rule_seconds_to_fire{rule=\"dark\"}") == std::string::npos);
}

TEST_CASE("a probe that a reload removed leaves the page") {
  Metrics metrics;
  count_everything(metrics);
  rules::EngineView view = view_of_two();
  view.probes.clear();
  CHECK(metrics.text(view).find("up_probe") == std::string::npos);
}

TEST_CASE("a reload that failed is seen until one succeeds") {
  Metrics metrics;
  metrics.set_reload_successful(false);
  CHECK(has(metrics.text({}), "rollbackd_config_last_reload_successful 0"));
  metrics.set_reload_successful(true);
  CHECK(has(metrics.text({}), "rollbackd_config_last_reload_successful 1"));
}

TEST_CASE("an incident that is open, or in which nothing was switched, is no rollback") {
  Metrics metrics;
  rules::IncidentRecord incident = incident_of_web();
  metrics.count_incident(incident);
  CHECK(has(metrics.text(view_of_two()), "rollbackd_incidents_total{outcome=\"cleared\",service=\"web\"} 0"));
  incident.outcome = rules::Outcome::cleared;
  incident.closed = at(10);
  metrics.count_incident(incident);
  const std::string page = metrics.text(view_of_two());
  CHECK(has(page, "rollbackd_incidents_total{outcome=\"cleared\",service=\"web\"} 1"));
  CHECK(has(page, "rollbackd_rollbacks_total{outcome=\"cleared\",service=\"web\"} 0"));
}

TEST_CASE("promtool finds nothing wrong with the metrics") {
  if (std::system("command -v promtool >/dev/null") != 0) {
    MESSAGE("promtool is not installed: package prometheus");
    return;
  }
  Metrics metrics;
  count_everything(metrics);
  const auto file = std::filesystem::temp_directory_path() / ("rollbackd_metrics_" + std::to_string(::getpid()));
  std::ofstream(file) << metrics.text(view_of_two());
  const std::string command = "promtool check metrics < " + file.string() + " 2>&1";
  std::FILE* output = popen(command.c_str(), "r");
  REQUIRE(output != nullptr);
  std::string said;
  for (int c = std::fgetc(output); c != EOF; c = std::fgetc(output)) said += static_cast<char>(c);
  const int status = pclose(output);
  std::filesystem::remove(file);
  CHECK(WIFEXITED(status));
  CHECK_MESSAGE(WEXITSTATUS(status) == 0, said);
  CHECK(said.empty());
}
