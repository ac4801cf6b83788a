#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "rules/base/explanation.hpp"
#include "rules/base/names.hpp"
#include "rules/base/time.hpp"
#include "rules/conditions/condition.hpp"

namespace rules {

// A string that may be secret: where it came from a file or the environment, nothing prints it.
struct Text {
  std::string value;
  bool secret = false;
  std::string origin{};  // how the configuration wrote it, without the secret: { env = "NAME" }; empty: as `value`
  friend bool operator==(const Text&, const Text&) = default;
};

// What a response must look like. Empty: 2xx.
struct Expectation {
  std::vector<std::pair<int, int>> status;  // inclusive ranges
  std::map<std::string, std::string> json;  // JSON pointer -> value as JSON text
  std::string body;                         // RE2, found anywhere; empty: not asked
  friend bool operator==(const Expectation&, const Expectation&) = default;
};

struct RunStep {
  std::vector<std::string> argv;
};  // {to} and {from} expand
struct HttpStep {
  std::string method = "POST";
  Text url;
  std::map<std::string, Text> headers;
  Text body;
  std::string content_type;
  Expectation expect;
};
struct NotifyStep {
  NotifierName notifier;
  Explanation explanation{};  // goes before the rule's and the service's
};
struct CaptureStep {
  std::string file;
  std::vector<std::string> argv;
};  // output goes to evidence/FILE
enum class SwitchTargetKind { last_good, revision, at_backup };
struct SwitchStep {
  SwitchTargetKind kind = SwitchTargetKind::last_good;
  Revision revision;
};
struct WaitStep {
  Condition until;
  Duration hold{};
};  // `until` must be true for `hold` without a break
struct SleepStep {
  Duration length{};
};
struct AskStep {
  std::string question;
};

enum class OnFailure { abort, proceed };  // proceed is written "continue"

struct StepSpec {
  std::variant<RunStep, HttpStep, NotifyStep, CaptureStep, SwitchStep, WaitStep, SleepStep, AskStep> what;
  std::string dir;   // default the service's
  std::string user;  // run as; empty: the watcher's own
  std::map<std::string, Text> env;
  std::string stdin_file;                   // empty: closed
  std::string stdout_file;                  // empty: captured
  Duration timeout{};                       // filled in by the configuration: http 10s, capture 10s, run 5m, switch 30m
  int retry = 0;                            // further attempts after a failure
  bool idempotent = false;                  // may be run again when it was in flight at a crash
  OnFailure on_failure = OnFailure::abort;  // filled in: SPEC 3
  std::string shown{};                      // as it is told, where a known secret stands in it; empty: as it is
  bool uses_backup = false;                 // reads ROLLBACKD_BACKUP: without a backup it is not begun
};

std::string_view kind_of(const StepSpec& step);  // "run", "http", ...
// Not notify, capture or sleep (nor ask and wait, which change nothing): its start is the point of no return.
bool is_mutating(const StepSpec& step);
// For people and the journal, without secrets: run scripts/backup.sh, switch last-good.
std::string describe(const StepSpec& step);

struct VerifySpec {
  std::optional<Condition> when;    // besides that the fired rules are good
  std::optional<Duration> hold;     // `for`; default min(for of the rules, 5m)
  std::optional<Duration> timeout;  // default start_deadline + window_max + 2 x for
};

// Looked at when the incident is over: it decides nothing, people are told.
struct LaterSpec {
  Duration after{};
  std::optional<Condition> when;  // what has to be so; none: people are reminded
  std::string text;               // what a person does until then
  NotifierName notify;            // empty: whoever is told of the incident's end
};

struct ActionSpec {
  ActionName name;
  bool implied = false;                     // the file does not define it: what a rule without `respond` does
  std::vector<std::string> undoes{"code"};  // code | schema | data
  VerifySpec verify;
  std::optional<Duration> settle;  // default min(for, 5m)
  std::vector<StepSpec> steps;
  std::vector<StepSpec> on_success;
  std::vector<StepSpec> on_failure;
  std::vector<StepSpec> always;
  std::vector<LaterSpec> later;

  const SwitchStep* switch_step() const;       // nullptr: it does not switch
  bool switches() const;                       // has a switch step
  bool switches_from(std::size_t step) const;  // at this step or later
  bool mutates() const;                        // has any mutating step
  bool may_restart() const;  // its steps may bring a new instance: a command or a switch, not an HTTP call
  bool uses_backup() const;  // one of its steps does
  std::vector<std::string> loses() const;  // what it undoes besides code: schema, data
  std::string fingerprint() const;         // equal plans only; an incident does not go on with another one
};

}  // namespace rules
