#pragma once

#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "rules/base/names.hpp"
#include "rules/incidents/plan.hpp"
#include "rules/incidents/progress.hpp"
#include "rules/incidents/records.hpp"
#include "rules/sustain/span_keeping.hpp"

namespace rules {

// What the engine wants done. The order within a batch matters: a Save that comes before a Perform must be durable
// before the step starts.

// Poll the probe now; one in flight will do.
struct PollNow {
  ProbeName probe;
};

// Read what runs now and answer with a RevisionRead.
struct ReadRevision {
  ServiceName service;
};

// What commands and messages are told about the incident.
struct StepContext {
  ServiceName service;
  IncidentId incident;
  RuleName rule;
  Severity severity = Severity::p1;
  Revision from;
  Revision to;
  std::string schema_from;
  std::string schema_to;
  std::string backup;
  std::string reason;
  std::string from_label{};  // what people call them; empty: nobody knows
  std::string to_label{};
};

// Carry out one step and answer with complete(id, result). Never a wait, sleep or ask: the engine does those itself.
struct Perform {
  StepId id;
  StepSpec step;  // by value: the incident keeps the plan it began with
  StepContext context;
  bool mutating = false;
  // Of a capture: the captures that follow it at once, which may be made side by side with it. Each is commanded when
  // its turn comes, and what came of it then is asked for.
  std::vector<StepSpec> beside{};
  ActionName action{};  // whose step it is
  std::string plan{};   // its fingerprint: whoever has the plan from elsewhere sees whether it is the same
};
inline constexpr std::size_t captures_beside_max = 7;

// Take the host's lock for mutating actions and answer with complete(id, succeeded); failed answers are retried.
// Its step number is `lock_step`. Released by ReleaseHost.
struct LockHost {
  StepId id;
};
struct ReleaseHost {
  IncidentId incident;
};
inline constexpr std::size_t lock_step = static_cast<std::size_t>(-1);

// The person aborted, or the time is up: end the step as softly as its kind allows.
struct CancelStep {
  StepId id;
};

// The stages of an incident that people are told of, and what else they are told.
enum class Stage {
  started,    // a rule fired, an incident opened
  late,       // it waits, is not acted on, or another rule makes it worse: what was told before holds no more
  progress,   // a step ended, a phase began
  ask,        // somebody has to approve
  completed,  // closed, and what was to be done was done
  failed,     // closed, and people are needed
  cleared,    // closed before anything was changed
  blind,      // a rule cannot be observed
  seeing,     // it can be observed again
  fault,      // a measuring path broke, or works again
};
std::string_view to_string(Stage stage);

// A message by which somebody may have heard the same before.
struct SaidBy {
  Stage stage = Stage::fault;
  Severity severity = Severity::p1;
};

// Of a message about what is no incident's: by this name another one says that it is over. Nothing: it has no end.
struct Lasting {
  std::string what{};
  bool is_over = false;
};

// To be told to people through the outbox. `notifier` is set by a notify step; otherwise every notifier whose filters
// match is told. A notify step that has nothing of its own to say has the stage of the message that says the same.
struct Tell {
  Stage stage = Stage::progress;
  std::optional<NotifierName> notifier;
  bool is_news = false;  // to `notifier`, whatever else it is told
  StepContext context;
  std::optional<Outcome> outcome;
  std::string title;                 // one line
  std::string text;                  // a few lines, plain
  Explanation explanation;           // its `text` stands in `text` already
  std::optional<Instant> opened;     // the incident
  std::optional<Duration> expected;  // how long what is begun, or asked for, usually takes; nothing: it is not known
  std::optional<Progress> progress;  // of what is begun; nothing: nothing is, or it is over
  std::vector<Comparison> evidence;
  Instant at;
  std::vector<SaidBy> said_by{};  // who was told one of these has heard of this cause
  Lasting lasting{};              // not kept in the journal: whoever starts anew tells anew what is so
};

// Where an incident stands, for who joins late and for those who are told again.
struct Situation {
  Tell message;               // what is so now; a progress where nobody has to act
  bool needs_people = false;  // nothing goes on before somebody acts, and nobody said that he knows
  bool acknowledged = false;  // nothing does, and somebody said so
  bool goes_well = false;     // it goes on by itself, nothing has failed, and its rules are good
  Instant since;              // it has been so
};

// Durable changes: insert or replace by key.
using Record = std::variant<LedgerRecord, ServiceRecord, FuseRecord, IncidentRecord, StepRecord, SpanRecord, SpansHeld>;
struct Save {
  Record record;
};

// Write (again) the incident's report.md and decision.json.
struct WriteReport {
  IncidentId incident;
};

// A line for the log: a decision with its evidence. event=firing rule=errors value=0.31 ...
struct Note {
  std::string event;
  std::vector<std::pair<std::string, std::string>> fields;
};

using Command =
    std::variant<PollNow, ReadRevision, Perform, LockHost, ReleaseHost, CancelStep, Tell, Save, WriteReport, Note>;

}  // namespace rules
