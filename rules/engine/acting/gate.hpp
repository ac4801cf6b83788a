#pragma once

#include <optional>
#include <string>
#include <vector>

#include "rules/engine/acting/dependence.hpp"
#include "rules/engine/acting/target.hpp"
#include "rules/incidents/plan.hpp"
#include "rules/incidents/records.hpp"
#include "rules/incidents/service_spec.hpp"
#include "rules/sustain/rule_spec.hpp"

namespace rules {

// Who approved when nobody answered and ask.then is act.
inline constexpr std::string_view approved_by_nobody = "ask.then = \"act\"";
// Why nothing is done where no rule may do more.
inline constexpr std::string_view only_telling = "nothing but telling is allowed";
inline constexpr std::string_view mark_forbids = "its deploy mark forbids rolling it back";
inline constexpr std::string_view mark_asks = "its deploy mark says ask";

bool is_approved_by_person(const IncidentRecord& incident);

enum class GateKind {
  go,     // the rung may begin
  ask,    // a person has to approve it
  hold,   // not now: it is looked at again
  tell,   // nothing but telling is allowed
  close,  // the incident ends
};

// May the rung begin to change things, and if not, why.
struct Gate {
  GateKind kind = GateKind::go;
  std::string why{};                   // for people
  std::optional<Instant> until{};      // of a hold
  Outcome outcome = Outcome::cleared;  // of a close
  bool in_trouble = false;  // of an ask: for no other reason than our own trouble, or that of what it depends on
};

// A joined rule that is still configured, as the gate sees it.
struct GateRule {
  const RuleSpec* spec = nullptr;
  bool firing = false;
  bool cleared = false;
  bool preexisting = false;  // bad before what runs came
  Verdict verdict = Verdict::unknown;
};

// All that the gate looks at. Plain data: it is filled in by the incident, and a test can fill it in by hand.
// Why people are asked who has it instead.
inline constexpr std::string_view not_started_again = "nobody has started it again: ";
inline constexpr std::string_view lock_is_missing = "the host's lock cannot be had: ";

struct GateView {
  Instant now;
  const IncidentRecord& incident;
  const ServiceSpec& service;
  // The rules that joined, and whether all of those are good again.
  std::vector<GateRule> rules{};
  bool all_cleared = false;
  std::string unseen{};  // none of its rules can be measured, since when and why
  std::string left{};    // which of its rules the configuration has no longer
  // What runs.
  Revision running{};
  bool moved_on = false;  // another revision than it is about, or than its target, runs by somebody else's doing
  bool armed = false;
  std::string unreadable{};            // why it cannot be read, for people; empty: it can
  bool unattributed = false;           // and no look saw it run when what it fired on was measured
  const LedgerRecord* from = nullptr;  // what ran when it opened; nullptr: not known
  // The rung at the cursor; nullptr: none is left.
  const ActionSpec* action = nullptr;
  bool rung_began = false;  // its first mutating step was begun
  // No rule was seen bad since a restart of ours, which is waited for until then.
  std::optional<Instant> judged_again_by{};
  Target target{};          // of its switch, if it has one
  std::string no_backup{};  // why it cannot be begun without a backup, for people; empty: it can
  const LedgerRecord* target_record = nullptr;
  bool first_schema = false;  // of no other revision than what runs was a schema ever known
  // What holds it back.
  std::string blown{};              // the fuse, for people
  bool acted_unidentified = false;  // SPEC 2.18
  std::string stopped{};            // who stopped what ran, for people; empty: nobody
  bool deploying = false;
  std::optional<Instant> absent_until{};  // what ran has stopped, and what comes after it is waited for until then
  std::optional<Instant> deploying_ends{};
  std::optional<Instant> paused_until{};
  std::optional<Instant> cooling_until{};
  std::string neighbour{};       // another service in trouble at the same time
  std::string soon_neighbour{};  // another that will be if it stays as bad as it is
  std::optional<Instant> soon_neighbour_fires{};
  Trouble dependency{};                             // of what it depends on
  bool dependency_recurs = false;                   // it came and went for long
  std::optional<Instant> dependency_measured_by{};  // since its rules went bad
  bool fires_anew = false;  // what its rules fired on does not count any more, and they did not fire since
  // Ourselves.
  Mode cap = Mode::act;
  Mode cap_once_well = Mode::act;
  std::string own_trouble{};
  // The host's lock.
  std::optional<IncidentId> lock_owner{};  // another incident of ours
  std::string lock_holder{};
  std::optional<Instant> lock_retry_at{};
  std::optional<Instant> lock_patience_ends{};
  bool lock_given_up = false;
};

// Asked when an incident opens, whenever something changes while it waits, and again right before its first mutating
// step (SPEC 2.16 to 2.25). Pure.
Gate gate(const GateView& view);
// The deploy's word right before its switch, which may have been said while the plan ran: none, or to ask, or to end.
std::optional<Gate> gate_mark(const GateView& view);
// What ends an incident while nothing has been changed yet: a part of the above.
std::optional<Gate> gate_end(const GateView& view);

}  // namespace rules
