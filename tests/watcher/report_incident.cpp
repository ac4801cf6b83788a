#include <doctest/doctest.h>
#include <sys/stat.h>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <fstream>
#include <limits>

#include "journal_support.hpp"
#include "rules/incidents/story.hpp"
#include "watcher/report/report.hpp"
#include "watcher/serve/explain.hpp"

using journal_support::contains;
using journal_support::Folder;
using namespace std::chrono_literals;

namespace {

rules::Instant at(double seconds) { return rules::from_unix_seconds(1795226584 + seconds); }

const std::string bad_commit = "4f2a9c1d7e8b6053a1c2d3e4f5061728394a5b6c";
const std::string good_commit = "0b1c2d3e4f5061728394a5b6c7d8e9f001122334";

rules::StepRecord step(std::size_t number, std::string kind, std::string text, double started, double took) {
  rules::StepRecord record;
  record.id = {.incident = rules::IncidentId("20261121-020304-web-high-error-rate"), .step = number};
  record.kind = std::move(kind);
  record.text = std::move(text);
  record.started = at(started);
  record.ended = at(started + took);
  record.status = rules::StepStatus::succeeded;
  return record;
}

rules::LedgerRecord revision(const std::string& name, rules::Standing standing, double appeared, std::string schema) {
  rules::LedgerRecord record;
  record.service = rules::ServiceName("web");
  record.revision = rules::Revision(name);
  record.standing = standing;
  record.appeared = at(appeared);
  record.schema = std::move(schema);
  return record;
}

rules::JoinedRule joined_rule() {
  rules::JoinedRule rule;
  rule.rule = rules::RuleName("high-error-rate");
  rule.joined = at(0);
  rule.bad_ns = rules::Duration(302s).count();
  rule.for_ns = rules::Duration(300s).count();
  rule.samples = 61;
  rule.bad_since = at(-310);
  rules::Comparison rate;
  rate.text = "error_rate > 5%";
  rate.verdict = rules::Verdict::bad;
  rate.threshold = 0.05;
  rate.unit = "%";
  rate.value.value = 0.3125;
  rate.value.count = 1312;
  rate.value.errors = 410;
  rate.value.window = 60s;
  rate.value.detail = "http_requests_total{code=~\"5..\"} over http_requests_total";
  rules::Comparison slow;
  slow.text = "p95 > 3 * baseline(p95)";
  slow.verdict = rules::Verdict::unknown;
  slow.value.cause = rules::Cause::no_baseline;
  slow.left_out = true;
  rule.evidence = {rate, slow};
  return rule;
}

watcher::ReportInput recovered() {
  watcher::ReportInput input;
  rules::IncidentRecord& incident = input.incident;
  incident.id = rules::IncidentId("20261121-020304-web-high-error-rate");
  incident.service = rules::ServiceName("web");
  incident.severity = rules::Severity::p1;
  incident.rules = {joined_rule()};
  incident.opened = at(0);
  incident.closed = at(432);
  incident.outcome = rules::Outcome::recovered;
  incident.outcome_detail = "high-error-rate good for 5m, no other rule bad";
  incident.from = rules::Revision(bad_commit);
  incident.to = rules::Revision(good_commit);
  incident.phase = rules::IncidentPhase::closed;
  incident.ladder = {rules::ActionName("rollback")};
  incident.past_no_return = true;
  incident.switched = true;
  incident.times.deployed = at(-600);
  incident.times.decided = at(0);
  incident.times.recovered = at(75);
  incident.times.bad_ns = rules::Duration(375s).count();
  incident.times.unmeasured_ns = {{"warming_up", rules::Duration(12s).count()}};
  incident.times.counted_until = at(432);
  incident.times.counts_requests = true;
  incident.times.failed = 2410;
  incident.times.requests = 7790;
  incident.timeline = {{at(0), "fired", "high-error-rate: error_rate is 0.3125, more than 0.05"},
                       {at(1), "step_started", "capture compose-logs.txt"},
                       {at(3), "step_started", "switch last-good"},
                       {at(62), "switched", "web runs " + good_commit},
                       {at(62), std::string(rules::story::verifying), "what runs is verified for at most 20m"},
                       {at(432), std::string(rules::story::decided), "recovered: every rule is good again"},
                       {at(432), "closed", "recovered"}};
  auto backup = step(1, "run", "run scripts/backup.sh", 2, 1.25);
  backup.exit_code = 0;
  backup.output = "dumping shop\n1204 rows\ndone\n";
  auto failed = step(0, "capture", "capture compose-logs.txt", 1, 0.35);
  failed.status = rules::StepStatus::failed;
  failed.exit_code = 1;
  failed.detail = "the docker daemon did not answer";
  failed.output = "Cannot connect to the Docker daemon at unix:///var/run/docker.sock.\n";
  auto resume = step(0, "http", "http POST http://127.0.0.1:3001/api/queue/resume-all", 432, 0.02);
  resume.id.section = rules::PlanSection::on_success;
  resume.exit_code = 200;
  input.steps = {failed, backup, step(2, "switch", "switch last-good", 3, 59), resume};
  input.ledger = {revision(good_commit, rules::Standing::good, -86400, "41"),
                  revision(bad_commit, rules::Standing::bad, -600, "42")};
  input.evidence_files = {{"compose-logs.txt", 68}};
  input.notes = {
      "Local changes were stashed: git -C /opt/app stash show stash@{0}\nBack to the branch: git -C /opt/app switch "
      "main"};
  input.watcher_name = "prod-1";
  input.version = "0.1.0";
  return input;
}

std::string read_file(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

// A golden file holds what a person has looked at. To renew them: ROLLBACKD_GOLDEN=write.
void check_golden(const std::string& name, const std::string& text) {
  const std::string path = std::string(SOURCE_DIR) + "/tests/watcher/golden/" + name;
  const char* mode = std::getenv("ROLLBACKD_GOLDEN");
  if (mode != nullptr && std::string(mode) == "write") std::ofstream(path) << text;
  CHECK(read_file(path) == text);
}

}  // namespace

TEST_CASE("the report of an incident that recovered") {
  check_golden("recovered.md", watcher::report_markdown(recovered(), ""));
  check_golden("recovered.json", watcher::decision_json(recovered()));
}

TEST_CASE("the report of an incident that needs people says so first") {
  auto input = recovered();
  input.incident.outcome = rules::Outcome::action_failed;
  input.incident.outcome_detail = "switch last-good: the build failed";
  input.incident.switched = true;
  input.steps[2].status = rules::StepStatus::timed_out;
  input.steps[2].exit_code.reset();
  for (int i = 0; i < 100; ++i) input.steps[2].output += "[" + std::to_string(i) + "/100] compiling\n";
  input.steps[2].output_dropped = 5000;
  input.steps.pop_back();
  input.ledger[1].standing = rules::Standing::suspect;
  input.notes.clear();
  input.evidence_files.clear();
  check_golden("action_failed.md", watcher::report_markdown(input, ""));
}

TEST_CASE("the report of an incident that asks names the commands to answer with") {
  auto input = recovered();
  auto& incident = input.incident;
  incident.outcome.reset();
  incident.closed.reset();
  incident.switched = incident.past_no_return = false;
  incident.phase = rules::IncidentPhase::asking;
  incident.asked = "switch web to 0b1c2d3e4f50?";
  incident.deadline = at(1800);
  incident.timeline.resize(1);
  input.steps.clear();
  input.notes.clear();
  input.evidence_files.clear();
  check_golden("asking.md", watcher::report_markdown(input, ""));
}

TEST_CASE("every outcome has a sentence and a report") {
  for (int i = 0; i <= static_cast<int>(rules::Outcome::cleared); ++i) {
    CAPTURE(i);
    auto input = recovered();
    input.incident.outcome = static_cast<rules::Outcome>(i);
    const std::string report = watcher::report_markdown(input, "");
    CHECK(contains(report, "## What is left to do\n\n- "));
    CHECK(contains(report, "Outcome: **"));
    CHECK_FALSE(contains(report, "\n- \n"));
  }
}

TEST_CASE("the report of an aborted switch says that it completed, and names no command that would be refused") {
  auto input = recovered();
  input.incident.outcome = rules::Outcome::aborted;
  input.incident.aborted = input.incident.switched = true;
  const std::string report = watcher::report_markdown(input, "");
  CHECK(contains(report, "The switch completed: `0b1c2d3e4f50` runs now, and was not verified."));
  CHECK(contains(report, "`rollbackd rollback web --to REVISION`"));
  CHECK_FALSE(contains(report, "`rollbackd rollback web`"));
  input.incident.outcome.reset();
  input.incident.closed.reset();
  input.incident.phase = rules::IncidentPhase::acting;
  input.incident.pending_outcome = rules::Outcome::aborted;
  input.incident.in_flight = true;
  CHECK(contains(watcher::report_markdown(input, ""),
                 "`rollbackd abort --kill " + input.incident.id.text + "` ends that."));
  const std::string next = watcher::next_step(input.incident);
  CHECK(contains(next, "what ends it: rollbackd abort --kill " + input.incident.id.text));
}

TEST_CASE("the report's verification is told by the events that the engine names so, and by no other") {
  using namespace rules::story;
  auto input = recovered();
  input.incident.timeline.clear();
  std::string expected;
  for (const std::string_view event : {settling, verifying, rung_over, next_rung, decided}) {
    input.incident.timeline.push_back({at(1), std::string(event), "about " + std::string(event)});
    expected += "- 02:03:05 " + ("about " + std::string(event)) + "\n";
  }
  input.incident.timeline.push_back({at(1), "step_started", "verify, recover and settle"});
  const std::string report = watcher::report_markdown(input, "");
  const std::size_t begin = report.find("## Verification\n");
  REQUIRE(begin != std::string::npos);
  const std::string section = report.substr(begin, report.find("\n## ", begin) - begin);
  CHECK(contains(section, expected));
  CHECK_FALSE(contains(section, "verify, recover and settle"));
}

TEST_CASE("a report without a look at whether it helped has no verification, and says the lines of a cause once") {
  auto input = recovered();
  input.incident.outcome = rules::Outcome::action_failed;
  input.incident.outcome_detail = "switch last-good: failed\nto have them back: git stash apply 0b1c";
  input.incident.timeline = {{at(1), std::string(rules::story::decided), input.incident.outcome_detail}};
  const std::string report = watcher::report_markdown(input, "");
  CHECK_FALSE(contains(report, "## Verification"));
  CHECK(contains(report, "switch last-good: failed"));
  CHECK_FALSE(contains(report, "to have them back"));
}

TEST_CASE("the lines below the first of a step's detail stand as they are, to be copied") {
  auto input = recovered();
  input.steps[2].detail = "the build failed\nto have them back: git -C /opt/app stash apply 0b1c\n";
  CHECK(contains(watcher::report_markdown(input, ""),
                 "; the build failed\n\n   ```text\n   to have them back: git -C /opt/app stash apply 0b1c\n   ```\n"));
}

TEST_CASE("a rollback by hand has a report without rules") {
  auto input = recovered();
  input.incident.rules.clear();
  input.incident.by_hand = true;
  input.incident.reason = "customers *call*";
  const std::string report = watcher::report_markdown(input, "");
  CHECK(contains(report, "# web: recovered · by hand\n"));
  CHECK(contains(report, "asked for by hand (customers \\*call\\*)"));
  CHECK_FALSE(contains(report, "## Evidence\n"));
}

TEST_CASE("nothing that a target or a command said breaks the report") {
  auto input = recovered();
  const std::string nasty = "a|b `c` ``` <script>alert(1)</script>\n# heading\n| x |\n\x1b[2J\xff";
  input.incident.outcome_detail = nasty;
  input.incident.from = rules::Revision(nasty);
  input.incident.rules[0].evidence[0].value.detail = nasty;
  input.incident.timeline[0].text = nasty;
  input.steps[1].output = "```\n" + nasty + "\n```\n";
  input.steps[1].detail = nasty;
  input.steps[1].text = nasty;
  input.evidence_files = {{nasty, 1}};
  input.notes = {nasty};
  input.ledger[0].schema = nasty;
  const std::string report = watcher::report_markdown(input, "");
  CHECK_FALSE(contains(report, "\x1b"));
  CHECK_FALSE(contains(report, "\xff"));
  CHECK(contains(report, "   ````text\n   ```\n"));
  // Every "# heading" of theirs is inside a code span, escaped, or indented below a fence.
  std::size_t headings = 0;
  for (std::size_t at = report.find("\n# "); at != std::string::npos; at = report.find("\n# ", at + 1)) ++headings;
  CHECK(headings == 1);  // in the fenced block of the note
  const auto decision = boost::json::parse(watcher::decision_json(input));
  CHECK(decision.at("from").at("revision").as_string().size() > 10);
}

TEST_CASE("the decision as JSON bears numbers that JSON does not have") {
  auto input = recovered();
  input.incident.rules[0].evidence[0].value.value = std::numeric_limits<double>::quiet_NaN();
  input.incident.before["p95"] = std::numeric_limits<double>::infinity();
  const auto decision = boost::json::parse(watcher::decision_json(input));
  CHECK(decision.at("rules").at(0).at("comparisons").at(0).at("value").is_null());
  CHECK(decision.at("before").at("p95").is_null());
  CHECK(decision.at("steps").as_array().size() == 4);
}

TEST_CASE("a report is written whole into the incident's folder, for the watcher's eyes only") {
  const Folder folder;
  CHECK(watcher::write_report(folder.path, recovered()) == "");
  const std::string path = folder.path + "/incidents/20261121-020304-web-high-error-rate";
  CHECK(read_file(path + "/report.md") == watcher::report_markdown(recovered(), ""));
  CHECK(read_file(path + "/decision.json") == watcher::decision_json(recovered()));
  CHECK_FALSE(std::filesystem::exists(path + "/report.md.tmp"));
  struct stat status {};
  REQUIRE(::stat((path + "/report.md").c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0600);
}

TEST_CASE("a report that cannot be written says why, and an id that is no folder's name is refused") {
  const Folder folder;
  std::ofstream(folder.path + "/incidents") << "a file";
  CHECK(contains(watcher::write_report(folder.path, recovered()), folder.path + "/incidents"));
  auto input = recovered();
  input.incident.id = rules::IncidentId("../../etc/cron.d/x");
  CHECK(contains(watcher::write_report(folder.path, input), "no folder's name"));
}
