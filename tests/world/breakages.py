"""Deliberate breakages of the decision core: (file, where, what, instead).

`where` is text that stands once in the file, `what` is a part of it: an expression, or a statement that ends with `;`. It is
replaced by `instead`, an expression of the same type, or a statement (nothing: it is left out). A breakage whose text is no longer
there is an error of the command, not one that is passed over.
"""

GATE = "rules/engine/acting/gate.cpp"
LIMITS = "rules/engine/acting/limits.cpp"
LOCK = "rules/engine/acting/host_lock.cpp"
TROUBLE = "rules/engine/own_trouble.cpp"
PHASES = "rules/engine/incident/phases.cpp"
STEPS = "rules/engine/incident/steps.cpp"
ENDS = "rules/engine/incident/step_ends.cpp"
CLOSING = "rules/engine/incident/closing.cpp"
HELPING = "rules/engine/incident/helping.cpp"
VERIFYING = "rules/engine/incident/verification.cpp"
RESUMING = "rules/engine/incident/resuming.cpp"
LOOKS = "rules/engine/incident/looks.cpp"
TELLING = "rules/engine/incident/telling.cpp"
OPENING = "rules/engine/incident/opening.cpp"
SEEN = "rules/engine/revisions/looks.cpp"
WARMING = "rules/engine/evidence/warming.cpp"
TRACKING = "rules/sustain/tracking.cpp"
TRACKER = "rules/sustain/rule_tracker.cpp"
SPAN = "rules/sustain/span.cpp"
FUSE = "rules/incidents/fuse.cpp"

BREAKAGES = [
    # May it act?
    (GATE, "if (view.moved_on) {", "view.moved_on", "false"),
    (GATE, "past_no_return && view.all_cleared", "view.all_cleared", "false"),
    (GATE, "if (view.deploying) return", "view.deploying", "false"),
    (GATE, "if (view.paused_until) return", "view.paused_until", "false"),
    (GATE, "if (view.cooling_until)\n", "view.cooling_until", "false"),
    (GATE, "if (!view.armed) return", "!view.armed", "false"),
    (GATE, "if (forbidden && !by_hand)", "forbidden && !by_hand", "false"),
    (GATE, "if (view.blown.empty()) return", "view.blown.empty()", "true"),
    (GATE, "if (view.own_trouble.empty()) return", "view.own_trouble.empty()", "true"),
    (GATE, "if (mode_allowed(view, begun ? is_uncleared : gives_reason, view.cap_once_well) == Mode::ask) {",
     "mode_allowed(view, begun ? is_uncleared : gives_reason, view.cap_once_well) == Mode::ask", "false"),
    (TROUBLE, "case Severity::p2:\n      return Mode::ask;", "return Mode::ask;", "return Mode::act;"),
    (TROUBLE, "case Severity::p3:\n      return Mode::notify;", "return Mode::notify;", "return Mode::act;"),
    (TROUBLE, "return asks_because().empty() ?", "asks_because().empty()", "true"),
    (TROUBLE, "Mode::observe : configured_;", "configured_", "Mode::act"),
    (TROUBLE, "return std::any_of(now_.begin(), now_.end(), observes) ?",
     "std::any_of(now_.begin(), now_.end(), observes)", "false"),
    # How much has been done already?
    (LIMITS, "const Instant until = *mutation_ended_ + spec_.cooldown;", "spec_.cooldown", "Duration::zero()"),
    (LIMITS, "  count(by_hand ? FuseUse::by_hand : FuseUse::mutated, from, incident);",
     "count(by_hand ? FuseUse::by_hand : FuseUse::mutated, from, incident);", ""),
    (LIMITS, "  mutation_ended_ = effects_.now();", "mutation_ended_ = effects_.now();", ""),
    (LIMITS, "  mutation_ended_ = record.mutation_ended;", "mutation_ended_ = record.mutation_ended;", ""),
    (LIMITS, "  paused_until_ = record.paused_until;", "paused_until_ = record.paused_until;", ""),
    (LIMITS, "  record.paused_until = paused_until_;", "record.paused_until = paused_until_;", ""),
    (LIMITS, "  record.mutation_ended = mutation_ended_;", "record.mutation_ended = mutation_ended_;", ""),
    (SEEN, "    ++left->switches_away;", "++left->switches_away;", ""),
    (FUSE, "from->switches_away >= limits.switches_per_revision", "from->switches_away >= limits.switches_per_revision",
     "false"),
    (FUSE, "if (count(service, false, hour, now) >= limits.mutations_per_hour) {",
     "count(service, false, hour, now) >= limits.mutations_per_hour", "false"),
    (FUSE, "if (switches && count(service, true, day, now) >= limits.switches_per_day) {",
     "switches && count(service, true, day, now) >= limits.switches_per_day", "false"),
    # Where to?
    ("rules/engine/acting/target.cpp", "if (revisions.was_rolled_back() && !incident.by_hand) {",
     "revisions.was_rolled_back() && !incident.by_hand", "false"),
    ("rules/incidents/ledger.cpp", "record.standing != Standing::good) continue;", "record.standing != Standing::good", "false"),
    (SEEN, "  rolled_back_here_ = record.rolled_back_here;", "rolled_back_here_ = record.rolled_back_here;", ""),
    (SEEN, "  record.rolled_back_here = rolled_back_here_;", "record.rolled_back_here = rolled_back_here_;", ""),
    (SEEN, "  deploying_since_ = record.deploying_since;", "deploying_since_ = record.deploying_since;", ""),
    (SEEN, "  record->standing = standing;\n  if", "record->standing = standing;", ""),
    (CLOSING, "judge_left(record_.from, Standing::bad)", "Standing::bad", "Standing::good"),
    # One at a time on the host.
    (LOCK, "if (result.status == StepStatus::succeeded) {", "result.status == StepStatus::succeeded", "true"),
    (LOCK, "  effects_.emit(ReleaseHost{owner});", "effects_.emit(ReleaseHost{owner});", ""),
    (LOCK, "lock_step, refusals_}});\n  return false;", "return false;", "return true;"),
    (STEPS, "if (!lock_.have(cursor())) return false;", "!lock_.have(cursor())", "false"),
    (RESUMING, "if (at_work != step_.id) return", "at_work != step_.id", "true"),
    # Steps.
    (STEPS, "  in_.effects.save(step_);\n  story(\"step_started\"", "in_.effects.save(step_);", ""),
    (STEPS, "  record_.in_flight = true;", "record_.in_flight = true;", ""),
    (STEPS, "  record_.past_no_return = true;", "record_.past_no_return = true;", ""),
    (LOOKS, "return *running == record_.from ? Look::go", "*running == record_.from", "true"),
    (LOOKS, "*running == record_.from && step_at_cursor().idempotent", "step_at_cursor().idempotent", "true"),
    (RESUMING, "if (bears_repetition && !is_switch) {", "bears_repetition", "true"),
    (ENDS, "finish(refused ? Outcome::aborted : Outcome::action_failed, why);", "Outcome::action_failed", "Outcome::recovered"),
    (ENDS, "const bool goes_on = !in_steps || step.on_failure == OnFailure::proceed;", "!in_steps", "false"),
    (TELLING, "  out.to = record_.to;", "out.to = record_.to;", ""),
    # How it ends.
    (CLOSING, "const bool makes_good = is_failure(outcome) && record_.past_no_return;", "record_.past_no_return", "false"),
    (CLOSING, "if (outcome == Outcome::recovered) return begin_finishing(PlanSection::on_success);",
     "return begin_finishing(PlanSection::on_success);", "return close();"),
    (CLOSING, "if (!began || record_.phase == IncidentPhase::telling) return close();",
     "!began || record_.phase == IncidentPhase::telling", "true"),
    (PHASES, "case PlanSection::on_failure:\n      begin_finishing(PlanSection::always);",
     "begin_finishing(PlanSection::always);", "close();"),
    (PHASES, "if (!all_cleared()) return false;", "!all_cleared()", "true"),
    (PHASES, "if (ask_then() == AskThen::close) return", "ask_then() == AskThen::close", "false"),
    (CLOSING, "  lock_.release();\n}", "lock_.release();", ""),
    (HELPING, "  record_.deadline = now() + limit;", "record_.deadline = now() + limit;", ""),
    (HELPING, "  record_.deadline = now() + settle;", "record_.deadline = now() + settle;", ""),
    (VERIFYING, "if (!runs_target()) return false;", "!runs_target()", "false"),
    (VERIFYING, "    if (rule->is(Verdict::bad)) return {Outcome::not_recovered, \"rule \"", "rule->is(Verdict::bad)", "false"),
    # What people hear.
    (PHASES, "      tell(Stage::progress, \"held\", \"waits: \" + answer.why);",
     "tell(Stage::progress, \"held\", \"waits: \" + answer.why);", ""),
    (PHASES, "return story(\"telling\", why);\n", "return story(\"telling\", why);", "return;"),
    (TELLING, "message.at = now();\n  in_.effects.emit(std::move(message));\n  in_.effects.emit(WriteReport", "in_.effects.emit(std::move(message));", ""),
    (OPENING, "  tell(Stage::started, \"fired\",", "Stage::started", "Stage::progress"),
    # What was measured.
    (TRACKING, "if (when.verdict != Verdict::unknown && when.until <= now) {",
     "when.verdict != Verdict::unknown && when.until <= now", "false"),
    (TRACKING, "if (span.observed() < sustain ||", "span.observed() < sustain", "false"),
    (TRACKING, "when = {judgement.verdict, judgement.valid_until};", "judgement.verdict",
     "judgement.verdict == Verdict::unknown ? Verdict::bad : judgement.verdict"),
    (TRACKING, "void Tracking::forget() {\n  span.clear();", "span.clear();", ""),
    (TRACKER, "if (was_confirming && !now.firing && confirmed && fresh == Fresh::sample) now.fire();", "confirmed", "true"),
    (TRACKER, "if (was_confirming && !now.firing && confirmed && fresh == Fresh::sample) now.fire();", "!now.firing", "false"),
    (TRACKER, "return now - record.saved_at <= downtime_max;", "now - record.saved_at <= downtime_max", "true"),
    (SPAN, "const double least = quorum_ * static_cast<double>(observed.count());", "quorum_", "0.3"),
    (SPAN, "const Instant edge = now - stretch_max_;", "stretch_max_", "20 * stretch_max_"),
    (WARMING, "return now < entry.second.until && probes.contains(entry.first); });", "now < entry.second.until", "true"),
]
