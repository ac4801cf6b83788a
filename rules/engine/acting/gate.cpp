#include "rules/engine/acting/gate.hpp"

#include <algorithm>

#include "rules/engine/acting/limits.hpp"
#include "rules/engine/own_trouble.hpp"
#include "rules/engine/told.hpp"

namespace rules {

namespace {

constexpr std::string_view until_bad = "until its rules are seen bad again or clear";

using Counts = bool (*)(const GateView&, const GateRule&);  // which joined rules count

bool is_uncleared(const GateView&, const GateRule& rule) { return !rule.cleared; }

// It fires and is seen to be bad at this moment: what was bad before a wait is not enough (SPEC 2.25). Where a person
// said yes it only must not be good.
bool gives_reason(const GateView& view, const GateRule& rule) {
  if (!rule.firing) return false;
  if (rule.verdict == Verdict::bad) return true;
  return rule.verdict == Verdict::unknown && is_approved_by_person(view.incident);
}

bool is_uncleared_news(const GateView& view, const GateRule& rule) {
  return is_uncleared(view, rule) && !rule.preexisting;
}

bool gives_new_reason(const GateView& view, const GateRule& rule) {
  return gives_reason(view, rule) && !rule.preexisting;
}

// The most that any joined rule whose response has this action, and that counts, may do.
Mode mode_allowed(const GateView& view, Counts counts, Mode cap) {
  if (view.incident.by_hand) return Mode::act;
  Mode most = Mode::observe;
  for (const GateRule& rule : view.rules) {
    if (!counts(view, rule)) continue;
    const std::vector<ActionName>& respond = rule.spec->respond;
    const bool responds = std::find(respond.begin(), respond.end(), view.action->name) != respond.end();
    const Mode mode = mode_of(*rule.spec, cap);
    most = std::max(most, responds ? mode : std::min(mode, Mode::notify));
  }
  return most;
}

std::optional<Gate> gate_target(const GateView& view) {
  const bool by_hand = view.incident.by_hand;
  if (!view.no_backup.empty()) return Gate{GateKind::close, view.no_backup, {}, Outcome::no_target};
  if (view.action->switches()) {
    const bool forbidden = view.from != nullptr && view.from->policy == RollbackPolicy::forbidden;
    if (forbidden && !by_hand) return Gate{GateKind::tell, std::string(mark_forbids)};
    // That there is no target may be so only because nobody knows what runs.
    const bool reads = view.unreadable.empty();
    if (!view.target.revision && !reads) return Gate{GateKind::close, view.unreadable, {}, Outcome::unverifiable};
    if (!view.target.revision) return Gate{GateKind::close, view.target.why_not, {}, Outcome::no_target};
  }
  if (by_hand) return std::nullopt;
  if (view.acted_unidentified && !view.incident.past_no_return) {
    return Gate{GateKind::close, std::string(acted_unidentified_text), {}, Outcome::fused};
  }
  if (view.blown.empty()) return std::nullopt;
  return Gate{GateKind::close, view.blown, {}, Outcome::fused};
}

// What fired before a restart of ours may be good since: the next rung is not begun before that was seen again. Where
// it never is, what still counts as firing is reason enough, as it is without a restart.
std::optional<Gate> gate_unjudged(const GateView& view) {
  if (!view.judged_again_by) return std::nullopt;
  if (view.now < *view.judged_again_by) {
    return Gate{GateKind::hold, "until its rules are judged again after a restart of rollbackd", view.judged_again_by};
  }
  const bool fires = std::any_of(view.rules.begin(), view.rules.end(), [](const GateRule& one) { return one.firing; });
  if (fires) return std::nullopt;
  return Gate{GateKind::tell, "its rules were not seen bad since a restart of rollbackd"};
}

// Whoever said yes after it had stopped waits for nothing that comes after it.
bool knows_of_absence(const GateView& view) {
  return is_approved_by_person(view.incident) && view.incident.approved_absent;
}

Gate gate_absent(const GateView& view) {
  std::string why = "what ran has stopped, and what comes after it is waited for";
  if (view.absent_until) {
    why += ", until " + told(*view.absent_until) + " at most; `rollbackd rollback " + view.service.name.text +
           "` waits for nothing";
  }
  return {GateKind::hold, std::move(why), view.absent_until};
}

std::optional<Gate> gate_hold(const GateView& view) {
  if (view.deploying && view.deploying_ends) {
    return Gate{GateKind::hold,
                "a deployment is under way, which `rollbackd deploy end --service " + view.service.name.text +
                    "` ends, or time at " + told(*view.deploying_ends),
                view.deploying_ends};
  }
  // Whoever acts by hand sees that nothing runs.
  if (view.incident.by_hand) return std::nullopt;
  if (view.deploying && !knows_of_absence(view)) return gate_absent(view);
  if (view.paused_until) return Gate{GateKind::hold, "paused until " + told(*view.paused_until), view.paused_until};
  const bool fires = mode_allowed(view, gives_reason, view.cap) >= Mode::ask;
  if (view.incident.past_no_return && view.fires_anew && !fires) return Gate{GateKind::hold, std::string(until_bad)};
  if (view.incident.past_no_return) return gate_unjudged(view);
  if (view.cooling_until)
    return Gate{GateKind::hold,
                "cooldown until " + told(*view.cooling_until) + ", " + told(view.service.cooldown) +
                    " after what was done last, which `rollbackd fuse reset " + view.service.name.text + "` ends",
                view.cooling_until};
  if (!fires) return Gate{GateKind::hold, std::string(until_bad) + (view.unseen.empty() ? "" : ": " + view.unseen)};
  return std::nullopt;
}

// SPEC 2.19. Rules without an unless_max say that nothing else explains them. What goes on for longer than all others
// wait for is decided by a person: which of the two is to blame cannot be told.
std::optional<Gate> gate_dependency(const GateView& view) {
  const Counts waits_not = [](const GateView& in, const GateRule& rule) {
    return gives_reason(in, rule) && rule.spec->unless_max == Duration::zero();
  };
  if (mode_allowed(view, waits_not, view.cap) >= Mode::ask) return std::nullopt;
  const std::string& what = view.dependency.what;
  if (what.empty()) {
    const bool may_be = view.dependency_measured_by && view.now < *view.dependency_measured_by;
    if (may_be) return Gate{GateKind::hold, "what it depends on is measured first", view.dependency_measured_by};
    if (!view.dependency_recurs) return std::nullopt;
    return Gate{GateKind::ask, "what it depends on is in trouble again and again"};
  }
  if (view.dependency.has_limit) return Gate{GateKind::hold, what};
  Duration most{};
  for (const GateRule& rule : view.rules) most = std::max(most, rule.spec->unless_max);
  const Instant ends = view.incident.opened + most;
  if (view.now < ends) return Gate{GateKind::hold, what, ends};
  return Gate{GateKind::ask, what, {}, {}, true};
}

// Nobody is needed for what another's trouble explains, whether or not something could be done about it.
std::optional<Gate> gate_explained(const GateView& view) {
  std::optional<Gate> waits = gate_dependency(view);
  if (waits && waits->kind == GateKind::hold) return waits;
  const bool fires = mode_allowed(view, gives_reason, view.cap) >= Mode::ask;
  return view.fires_anew && !fires ? std::optional(Gate{GateKind::hold, std::string(until_bad)}) : std::nullopt;
}

std::string why_schema_asks(const GateView& view) {
  if (view.from == nullptr || view.target_record == nullptr) return "";
  const std::string& from = view.from->schema;
  const std::string& to = view.target_record->schema;
  const std::vector<std::string>& undoes = view.action->undoes;
  // That schemas are told of from now on is no change of them.
  if (to.empty() && view.first_schema) return "";
  if (std::find(undoes.begin(), undoes.end(), "schema") != undoes.end()) return "";
  for (const LedgerRecord* one : {view.from, view.target_record}) {
    const bool is_clear = one->schema_other.empty() || one->schema_other == one->schema;
    if (from == to && !is_clear) {
      return "the schema of " + one->revision.text + " is " + one->schema + ", and " + one->schema_other +
             " by what was read of it";
    }
  }
  if (from == to) return "";
  return "the schema changes from " + (from.empty() ? "unknown" : from) + " to " + (to.empty() ? "unknown" : to);
}

// Why a person has to approve it; empty when nobody has to, but for our own trouble.
std::string why_ask(const GateView& view) {
  const bool begun = view.incident.past_no_return;
  if (mode_allowed(view, begun ? is_uncleared : gives_reason, view.cap_once_well) == Mode::ask) {
    const bool is_said =
        view.cap_once_well == Mode::ask || std::any_of(view.rules.begin(), view.rules.end(),
                                                       [](const GateRule& one) { return one.spec->mode == Mode::ask; });
    return is_said ? "its mode is ask" : "it is P2, of which people are asked";
  }
  if (!view.incident.asked.empty()) return view.incident.asked;
  if (!view.stopped.empty()) return std::string(not_started_again) + view.stopped;
  if (!view.armed && !view.unreadable.empty()) return view.unreadable;
  if (!view.armed) return "the service is disarmed: what runs has been verified";
  if (!view.neighbour.empty()) return "service " + view.neighbour + " is in trouble at the same time";
  if (view.lock_patience_ends && *view.lock_patience_ends <= view.now) {
    return std::string(lock_is_missing) + view.lock_holder;
  }
  if (!view.action->switches()) return "";
  if (mode_allowed(view, begun ? is_uncleared_news : gives_new_reason, view.cap_once_well) < Mode::act) {
    return "its rules were bad before this revision came";
  }
  if (view.from != nullptr && view.from->policy == RollbackPolicy::ask) return std::string(mark_asks);
  return why_schema_asks(view);
}

// Who approved did not know of a mark that asks since.
bool mark_asks_now(const GateView& view) {
  if (view.from == nullptr || view.from->policy != RollbackPolicy::ask) return false;
  return view.incident.approved_by.empty() || !view.incident.approved_mark;
}

// Only while the rung has changed nothing: what has begun is not asked again whether it may, only whether it can.
std::optional<Gate> gate_begin(const GateView& view) {
  if (mode_allowed(view, is_uncleared, view.cap) < Mode::ask) {
    return Gate{GateKind::tell, std::string(only_telling)};
  }
  if (!view.action->mutates()) return std::nullopt;
  if (std::optional<Gate> end = gate_target(view)) {
    std::optional<Gate> waits = view.incident.by_hand ? std::nullopt : gate_explained(view);
    return waits ? waits : end;
  }
  if (std::optional<Gate> hold = gate_hold(view)) return hold;
  const bool approved_by_time = view.incident.approved_by == approved_by_nobody && view.cap >= Mode::act;
  if (view.incident.by_hand) return std::nullopt;
  if (is_approved_by_person(view.incident) || approved_by_time) {
    const bool asks = view.action->switches() && mark_asks_now(view);
    return asks ? std::optional(Gate{GateKind::ask, std::string(mark_asks)}) : std::nullopt;
  }
  if (std::optional<Gate> waits = gate_dependency(view)) return waits;
  std::string why = why_ask(view);
  if (!why.empty()) return Gate{GateKind::ask, std::move(why)};
  if (view.unattributed && view.action->switches()) {
    const std::string cause = view.unreadable.empty() ? "no look saw what is said to run" : view.unreadable;
    return Gate{GateKind::ask, cause, {}, {}, true};
  }
  if (!view.soon_neighbour.empty()) {
    return Gate{GateKind::hold, "service " + view.soon_neighbour + " is bad as well, and may be in the same trouble",
                view.soon_neighbour_fires};
  }
  if (view.own_trouble.empty()) return std::nullopt;
  return Gate{GateKind::ask, "rollbackd is in trouble itself: " + view.own_trouble, {}, {}, true};
}

Gate gate_lock(const GateView& view) {
  if (view.lock_owner) {
    return {GateKind::hold, "incident " + view.lock_owner->text + " acts on this host", view.lock_patience_ends};
  }
  if (view.rung_began && view.lock_given_up) {
    return {GateKind::close, "the host's lock cannot be had: " + view.lock_holder, {}, Outcome::action_failed};
  }
  if (view.lock_retry_at && view.now < *view.lock_retry_at) {
    return {GateKind::hold, "the host's lock: " + view.lock_holder, view.lock_retry_at};
  }
  return {};
}

}  // namespace

bool is_approved_by_person(const IncidentRecord& incident) {
  return !incident.approved_by.empty() && incident.approved_by != approved_by_nobody;
}

std::optional<Gate> gate_end(const GateView& view) {
  if (view.moved_on) {
    return Gate{GateKind::close, "revision " + view.running.text + " runs now", {}, Outcome::superseded};
  }
  if (!view.incident.past_no_return && view.all_cleared && !view.left.empty()) {
    return Gate{GateKind::close, view.left, {}, Outcome::aborted};
  }
  if (!view.incident.past_no_return && view.all_cleared) {
    return Gate{GateKind::close, "the rules cleared before anything was changed", {}, Outcome::cleared};
  }
  return std::nullopt;
}

std::optional<Gate> gate_mark(const GateView& view) {
  if (view.incident.by_hand || view.from == nullptr) return std::nullopt;
  if (view.from->policy == RollbackPolicy::forbidden) {
    const std::string why = std::string(mark_forbids) + ", which was said before the switch began";
    return Gate{GateKind::close, why, {}, Outcome::aborted};
  }
  return mark_asks_now(view) ? std::optional(Gate{GateKind::ask, std::string(mark_asks)}) : std::nullopt;
}

Gate gate(const GateView& view) {
  if (std::optional<Gate> end = gate_end(view)) return *end;
  if (view.action == nullptr) return {GateKind::tell, "no action is left to be taken"};
  if (!view.rung_began) {
    if (std::optional<Gate> no = gate_begin(view)) return *no;
  }
  return view.action->mutates() ? gate_lock(view) : Gate{};
}

}  // namespace rules
