#include <doctest/doctest.h>

#include "cli_support.hpp"

// What `rollback` prints while it goes on, and how it ends.

namespace {

using Replies = std::vector<watcher::ApiReply>;

constexpr const char* one_service = "[service.web]\nidentify = ['cat', 'v']\nrollback = ['true', '{to}']\n";

std::string step(const std::string& section, int number, const std::string& text, const std::string& rest,
                 int attempt = 0) {
  return R"({"rung":0,"section":")" + section + R"(","step":)" + std::to_string(number) + R"(,"attempt":)" +
         std::to_string(attempt) + R"(,"kind":"run","text":")" + text + R"(","started":"t)" + std::to_string(number) +
         R"(",)" + rest + "}";
}

std::string running() { return R"("ended":null,"seconds":null,"status":"started","detail":null)"; }
std::string ended(const std::string& status, const std::string& seconds, const std::string& detail = "") {
  return R"("ended":"t9","seconds":)" + seconds + R"(,"status":")" + status + R"(","detail":")" + detail + "\"";
}

watcher::ApiReply incident(const std::string& phase, const std::vector<std::string>& steps,
                           const std::string& more = R"("outcome":null)") {
  std::string list;
  for (const std::string& one : steps) list += (list.empty() ? "" : ",") + one;
  return json_reply(R"({"id":"i1","phase":")" + phase + R"(","deadline":null,"steps":[)" + list + "]," + more + "}");
}

std::string closed(const std::string& outcome, const std::string& detail) {
  return R"("outcome":")" + outcome + R"(","outcome_detail":")" + detail + "\"";
}

CliRun followed(const CliFolder& folder, Replies looks, bool is_screen = false, std::vector<std::string> more = {}) {
  FakeWatcher watching;
  watching.replies["/api/v1/rollback"] = {json_reply(R"({"accepted":true,"text":"i1 opened","incident":"i1"})")};
  watching.replies["/api/v1/incidents/i1"] = std::move(looks);
  watching.looks_most = 20;
  watching.is_screen = is_screen;
  std::vector<std::string> words{"rollback"};
  words.insert(words.end(), more.begin(), more.end());
  return watching(folder.line(words));
}

// It opens, and its first step runs.
rules::StepRecord open_i1(const watcher::RunOptions& options, rules::IncidentRecord& incident,
                          const std::string& step) {
  incident.id = rules::IncidentId("i1");
  rules::StepRecord one;
  one.id.incident = incident.id;
  one.kind = step.substr(0, step.find(' '));
  one.text = step;
  rules::Answer answer;
  answer.accepted = true;
  answer.text = "i1 opened";
  answer.incident = incident.id;
  options.answered(answer);
  options.looked(incident, {one}, std::nullopt);
  return one;
}

}  // namespace

TEST_CASE("SPEC 4: rollback prints each step once, with what became of it, and the outcome") {
  const CliFolder folder(one_service);
  const std::string pause = step("steps", 0, "http POST /pause", ended("succeeded", "0.25"));
  const std::string backup = step("steps", 1, "run backup", ended("failed", "3.2", "exit code 1\\nand more"));
  const std::string switched = step("steps", 2, "switch v1", ended("succeeded", "62"));
  const std::string told = step("always", 0, "notify team", ended("skipped", "0", "the lock"));
  const Replies looks = {
      incident("acting", {}),
      incident("acting", {step("steps", 0, "http POST /pause", running())}),
      incident("acting", {step("steps", 0, "http POST /pause", running())}),
      incident("acting", {pause, backup, step("steps", 2, "switch v1", running())}),
      incident("verifying", {pause, backup, switched}, R"("deadline":"12:05","outcome":null)"),
      incident("verifying", {pause, backup, switched}, R"("deadline":"12:05","outcome":null)"),
      incident("closed", {pause, backup, switched, told}, closed("recovered", "every rule is good again")),
  };
  const CliRun run = followed(folder, looks);
  CHECK(run.exit_code == 0);
  CHECK(run.out == R"(i1 opened
steps:
  1. http POST /pause ... ok, 0.25s
  2. run backup ... failed, 3s: exit code 1
  3. switch v1 ... ok, 1m2s
verifying what runs now, at most until 12:05
always:
  1. notify team ... skipped, 0s: the lock
outcome: recovered  every rule is good again
report: )" + folder.path() +
                       "/state/incidents/i1/report.md\n");
}

TEST_CASE(
    "who follows a rollback is told how far it is where a step begins, and of which step it is where that is not "
    "known") {
  const CliFolder folder(one_service);
  const std::string backup = step("steps", 0, "run backup", ended("succeeded", "3.2"));
  const auto far = [](const std::string& text) { return R"("outcome":null,"progress":{"text":")" + text + "\"}"; };
  const CliRun run =
      followed(folder, {incident("acting", {step("steps", 0, "run backup", running())}, far("step 1 of 2")),
                        incident("acting", {backup, step("steps", 1, "switch v1", running())},
                                 far("5 % done, step 2 of 2, usually 1m more")),
                        incident("acting", {backup, step("steps", 1, "switch v1", running())},
                                 far("9 % done, step 2 of 2, usually 57s more")),
                        incident("verifying", {backup, step("steps", 1, "switch v1", ended("succeeded", "62"))},
                                 far("60 % done, its 2 steps are done, usually 30s more")),
                        incident("closed", {backup, step("steps", 1, "switch v1", ended("succeeded", "62"))},
                                 closed("recovered", "every rule is good again"))});
  CHECK(run.out.find(R"(  1. run backup (step 1 of 2) ... ok, 3s
  2. switch v1 (5 % done, step 2 of 2, usually 1m more) ... ok, 1m2s
verifying what runs now (60 % done, its 2 steps are done, usually 30s more)
outcome: recovered)") != std::string::npos);
}

TEST_CASE("a step that is tried again and one that could not be begun at first are told apart") {
  const CliFolder folder(one_service);
  std::string later = step("steps", 1, "switch v1", ended("succeeded", "2"));
  later.replace(later.find("\"t1\""), 4, "\"t5\"");
  const CliRun run =
      followed(folder, {incident("closed",
                                 {step("steps", 0, "run a", ended("failed", "1", "exit code 1")),
                                  step("steps", 0, "run a", ended("timed_out", "9"), 1),
                                  step("steps", 1, "switch v1", ended("skipped", "0", "no room")), later},
                                 closed("action_failed", "no"))});
  CHECK(run.exit_code == 1);
  CHECK(run.out.find(R"(  1. run a ... failed, 1s: exit code 1
  1. run a (attempt 2) ... failed: its time was over, 9s
  2. switch v1 ... skipped, 0s: no room
  2. switch v1 ... ok, 2s
outcome: action_failed  no
)") != std::string::npos);
}

TEST_CASE("SPEC 2.22: who follows a rollback is told what it waits for, once, and who must answer") {
  const CliFolder folder(one_service);
  const std::string held = R"("waiting_for":"a deployment","outcome":null)";
  const std::string asks = R"("asked":"schema too?","outcome":null)";
  const std::string question =
      R"({"rung":0,"section":"steps","step":0,"attempt":0,"kind":"ask","text":"ask","started":"t0","ended":null})";
  const CliRun run = followed(
      folder, {incident("held", {}, held), incident("held", {}, held), incident("asking", {question}, asks),
               incident("asking", {question}, asks), incident("closed", {}, closed("aborted", "by a person"))});
  CHECK(run.exit_code == 1);
  CHECK(run.out.find(R"(i1 opened
waiting: a deployment
a person has to decide: schema too?
  rollbackd approve i1   or   rollbackd abort i1
outcome: aborted  by a person
)") == 0);
}

TEST_CASE("the exit code of rollback tells the outcome, also in JSON") {
  const CliFolder folder(one_service);
  for (const auto& [outcome, exit_code] :
       std::map<std::string, int>{{"recovered", 0}, {"not_recovered", 1}, {"unverifiable", 1}, {"no_target", 1}}) {
    const Replies looks = {incident("acting", {}), incident("closed", {}, closed(outcome, "why"))};
    CHECK(followed(folder, looks).exit_code == exit_code);
    const CliRun json = followed(folder, looks, false, {"--json"});
    CHECK(json.exit_code == exit_code);
    CHECK(json.out == looks.back().body + "\n");
  }
  FakeWatcher begins;
  begins.replies["/api/v1/rollback"] = {json_reply(R"({"accepted":true,"text":"i1 opened","incident":"i1"})")};
  CHECK(begins(folder.line({"rollback", "--no-wait"})).exit_code == 0);
  const CliRun lost = begins(folder.line({"rollback"}));  // and no watcher answers any more
  CHECK(lost.exit_code == 3);
  CHECK(lost.err.find("rollbackd incidents i1") != std::string::npos);
}

TEST_CASE("how long a step runs is rewritten on a terminal, and never in a pipe") {
  const CliFolder folder(one_service);
  const std::string runs = step("steps", 0, "switch v1", running());
  const Replies looks = {
      incident("acting", {runs}), incident("acting", {runs}), incident("acting", {runs}),
      incident("closed", {step("steps", 0, "switch v1", ended("succeeded", "1"))}, closed("recovered", ""))};
  CHECK(followed(folder, looks).out.find('\x1b') == std::string::npos);
  const CliRun screen = followed(folder, looks, true);
  CHECK(screen.out.find("rollbackd abort i1\n") != std::string::npos);
  CHECK(screen.out.find("  1. switch v1 ... \x1b[Krunning, 0s\x1b[11D") != std::string::npos);
  CHECK(screen.out.find("\x1b[Krunning, 1s\x1b[11D\x1b[Kok, 1s\n") != std::string::npos);
}

TEST_CASE("SPEC 4: without a watcher the steps and the outcome are printed by the process that does them") {
  const CliFolder folder(one_service);
  FakeWatcher nobody;
  nobody.while_running = [](const watcher::RunOptions& options) {
    rules::IncidentRecord incident;
    rules::StepRecord one = open_i1(options, incident, "switch v1");
    one.ended = one.started + std::chrono::seconds(4);
    one.status = rules::StepStatus::succeeded;
    incident.closed = one.ended;
    incident.outcome = rules::Outcome::recovered;
    incident.outcome_detail = "good";
    options.looked(incident, {one}, std::nullopt);
  };
  const CliRun run = nobody(folder.line({"rollback"}));
  CHECK(run.exit_code == 0);
  CHECK(run.out == "i1 opened\nsteps:\n  1. switch v1 ... ok, 4s\noutcome: recovered  good\nreport: " + folder.path() +
                       "/state/incidents/i1/report.md\n");
  const CliRun json = nobody(folder.line({"rollback", "--json"}));
  CHECK(json.out.find(R"("outcome":"recovered")") != std::string::npos);
  CHECK(json.out.find("opened\n") == std::string::npos);
  nobody.run_returns = 1;
  nobody.while_running = [](const watcher::RunOptions& options) {
    rules::Answer refused;
    refused.text = "no good revision is known";
    options.answered(refused);
  };
  const CliRun refused = nobody(folder.line({"rollback"}));
  CHECK(refused.exit_code == 1);
  CHECK(refused.err.find("rollbackd: no good revision is known\n") != std::string::npos);
  CHECK(refused.out.empty());
}

TEST_CASE("SPEC 4: a rollback without a watcher that is stopped says that it is open and what goes on with it") {
  const CliFolder folder(one_service);
  FakeWatcher nobody;
  nobody.run_returns = 1;
  nobody.while_running = [](const watcher::RunOptions& options) {
    rules::IncidentRecord incident;
    rules::StepRecord one = open_i1(options, incident, "run ./drain");
    options.stopping(true);
    one.ended = one.started + std::chrono::seconds(4);
    one.status = rules::StepStatus::succeeded;
    options.looked(incident, {one}, std::nullopt);
  };
  const CliRun run = nobody(folder.line({"rollback"}));
  CHECK(run.exit_code == 1);
  CHECK(run.out == "i1 opened\nsteps:\n  1. run ./drain ... \n  1. run ./drain ... ok, 4s\n");
  CHECK(run.err.find("stopping: the step that runs ends first, nothing more is begun\n") != std::string::npos);
  CHECK(run.err.find("the next start goes on with incident i1: rollbackd run, or again rollbackd rollback\n") !=
        std::string::npos);
  nobody.while_running = [](const watcher::RunOptions& options) { options.stopping(false); };
  CHECK(nobody(folder.line({"rollback"})).err.find("rollbackd: nothing was begun\n") != std::string::npos);
}
