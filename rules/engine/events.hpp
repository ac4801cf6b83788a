#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "rules/base/driver_readiness.hpp"
#include "rules/base/names.hpp"
#include "rules/base/poll.hpp"
#include "rules/base/time.hpp"
#include "rules/incidents/records.hpp"

namespace rules {

// What happens outside and is told to the engine.

// A look at what runs (every 10 s, and again before a switch and after one).
struct RevisionRead {
  ServiceName service;
  Instant started;
  Instant ended;
  std::optional<Revision> revision;  // none: could not be read, or instances disagree
  std::string error;                 // for people, when there is none
  bool instances_differ = false;     // there is none because the driver saw instances run different ones
  bool instance_absent = false;      // the driver saw that no instance runs (between stop and start)
  std::string schema{};              // printed by the service's schema command; empty: none
  std::string by{};                  // how it was found, for people: the command
  std::string stopped{};             // who runs it says that somebody stopped it, for people; empty: nobody did
  std::string label{};               // what people call the revision, where the driver knows: a tag; never an identity
  std::string unfinished{};          // what is in place is not what runs, and what to do, for people; empty: it is
  // Our own switch to this one was broken off where nobody can tell any more what runs; to do it again finishes it.
  std::optional<Revision> broken_off{};
};

enum class MarkKind { begin, end, mark };

// `rollbackd deploy begin|end|mark`.
// A mark that names no revision speaks of the one that a look after it sees to run, if that appeared at most this long
// before it, and else of the one that appears next.
inline constexpr Duration mark_late_max = std::chrono::minutes(2);

struct DeployMark {
  ServiceName service;
  Instant at;
  MarkKind kind = MarkKind::mark;
  std::optional<Revision> revision;
  std::optional<RollbackPolicy> policy;
  std::string schema;
  std::string backup;
};

// What a name (a tag, a branch) in a plan means now.
struct NamedRevision {
  std::string name;
  Revision revision;    // empty: none, or nobody can say which
  std::string why_not;  // for people, when there is none
};

// Whether switching could be done now: a driver's `ready`.
struct ReadinessRead {
  ServiceName service;
  Instant at;
  bool ready = false;
  std::string reason;
  std::vector<NamedRevision> names{};  // of the plans' switches
  std::string by_hand{};               // why a plan that no rule responds with could not be begun; empty: all could
  // Revisions with the same content, of those that are known and those that plans name; each group has two at least.
  std::vector<std::vector<Revision>> alike{};
  // Where it has several, the fastest first: the first that could is what a rollback goes by.
  std::vector<DriverReadiness> drivers{};
};

// Wall and monotonic clock parted by more than 2 s, noticed at `at`.
struct ClockJump {
  Instant at;
  Duration by{};
};

// The watcher cannot vouch for itself (disk reserve used up, loop lag, damaged journal). An empty reason: again well.
struct SelfDegraded {
  Instant at;
  std::string reason;
  bool ask_instead_of_act = false;  // the disk's reserve is gone
  bool observe_only = false;        // a damaged database was set aside; until accept-state
};

using Event = std::variant<Poll, RevisionRead, DeployMark, ReadinessRead, ClockJump, SelfDegraded>;

// What became of a step that was commanded.
struct StepResult {
  // skipped: its intent could not be written, so it was not begun and may be commanded again.
  StepStatus status = StepStatus::failed;
  std::optional<int> exit_code;
  std::string detail;
  std::string output;
  std::int64_t output_dropped = 0;
  bool nothing_begun = false;  // it failed before its own command began: nothing was changed
  bool unseen = false;         // nobody saw how it ended: what runs now says what became of it
};

// What a person asks for. Each is answered at once.
struct Approve {
  IncidentId incident;
  std::string by;
};
struct Abort {
  IncidentId incident;
  std::string by;
  bool kill = false;  // a step that changes what runs is ended too, and not seen out
};
// Somebody knows of it: people are not reminded any more.
struct Acknowledge {
  IncidentId incident;
  std::string by;
};
struct Pause {
  std::optional<ServiceName> service;
  Duration length{};
  std::string reason;
};
struct Resume {
  std::optional<ServiceName> service;
};
struct FuseReset {
  ServiceName service;
};
struct RollbackByHand {
  ServiceName service;
  std::optional<Revision> to;
  std::optional<ActionName> action;
  std::string reason;
  std::string by;
  bool force = false;             // also to a quarantined revision
  bool yes = false;               // also with an action that loses data
  std::vector<Revision> alike{};  // known ones with the same content as `to`
  std::string backup{};           // another one than was made before what runs came
};
struct Declare {
  ServiceName service;
  Revision revision;
  Standing standing = Standing::good;
  bool exists = false;            // its driver knows it: it may be one that never ran
  std::vector<Revision> alike{};  // known ones with the same content
};                                // deploy good|bad
struct AcceptState {};
using Request =
    std::variant<Approve, Abort, Acknowledge, Pause, Resume, FuseReset, RollbackByHand, Declare, AcceptState>;

struct Answer {
  bool accepted = false;
  std::string text;     // for people: what happens now, or why not and what to do
  IncidentId incident;  // of a rollback by hand
};

}  // namespace rules
