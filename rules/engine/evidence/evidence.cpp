#include "rules/engine/evidence/evidence.hpp"

#include <algorithm>
#include <utility>

// From measurements to what each rule's tracker is told. A poll costs what the rules of its probe cost: the others are
// looked at when they are due, and all of them when what was measured counts differently than before.

namespace rules {

namespace {

// A rule that is only tried out says nothing of others either.
bool troubles_others(const RuleSpec& rule) { return rule.severity != Severity::p3 && rule.mode != Mode::observe; }

}  // namespace

WatchedRule* Evidence::find(const RuleName& rule) {
  const auto found = owned_.find(rule);
  return found == owned_.end() ? nullptr : found->second.rule.get();
}

const WatchedRule* Evidence::find(const RuleName& rule) const {
  const auto found = owned_.find(rule);
  return found == owned_.end() ? nullptr : found->second.rule.get();
}

std::vector<WatchedRule*> Evidence::firing() {
  std::vector<WatchedRule*> out;
  for (const std::size_t which : firing_) out.push_back(rules_[which]);
  return out;
}

void Evidence::polled(const Poll& poll, std::optional<std::size_t> number) {
  see_stale();
  note_health(poll);
  warming_.polled(poll);  // what that changes are the rules of this probe, which are looked at anyway
  if (!number) return look_again();
  const Up before = uptime_.of(*number);
  saw_up(*number);
  if (last_known_.is_needed()) remember_values();
  note_stop(poll, before);
  if (before == Up::up && uptime_.of(*number) == Up::down) note_flapping(poll.probe, flapping_.went_down(poll.probe));
  note_restarts(poll);
  if (counts_differently()) return look_at_all(&poll.probe);
  for (const std::size_t which : watched_[*number].rules) look_at(which, &poll.probe);
}

void Evidence::remember_values() {
  for (const Condition::Reference& one : last_known_.references()) last_known_.note(one, measure(one), now());
}

void Evidence::refilled(std::size_t number) { saw_up(number); }

void Evidence::saw_up(std::size_t probe) {
  const ProbeName& name = *watched_[probe].name;
  uptime_.saw(probe, measuring_.measurements.up(name, now()), measuring_.measurements.up_until(name, now()));
}

// Of several instances one may still be known to be down.
void Evidence::see_stale() {
  for (const std::size_t probe : uptime_.take_stale(now())) saw_up(probe);
}

// Windows do not span a restart; what answers now may not be up yet.
void Evidence::note_restarts(const Poll& poll) {
  for (const Reading& reading : poll.readings) {
    if (reading.series->name != "process_start_time_seconds") continue;
    double& start = process_start_[{poll.probe, poll.instance}];
    const bool restarted = start != 0 && reading.value > start;
    start = std::max(start, reading.value);
    if (!restarted) continue;
    restarted_at_ = now();
    note_flapping(poll.probe, flapping_.restarted(poll.probe, poll.instance));
    warming_.begin_where_up(probes_, poll.started, now() + spec_.start_deadline);
    warming_.polled(poll);
    is_changed_ = true;
  }
}

// While a rule fires, or a deployment is said to be under way, people know.
void Evidence::note_flapping(const ProbeName& probe, bool is_due) {
  if (!is_due || !firing_.empty() || is_deploying()) return;
  std::vector<const RuleSpec*> specs;
  for (const WatchedRule* rule : rules_) specs.push_back(&rule->spec());
  flapping_.tell(spec_.name, probe, specs);
}

// A process that was up and whose port is closed at the next poll was stopped, or ended.
void Evidence::note_stop(const Poll& poll, Up before) {
  if (poll.probe != spec_.health) return;
  const bool is_closed = poll.fault && poll.fault->kind == FaultKind::refused;
  if (is_closed && before == Up::up) stopped_since_ = poll.ended;
  if (measuring_.measurements.up(poll.probe, now()) != Up::up) return;
  stopped_since_.reset();
  stopped_by_hand_.reset();
}

void Evidence::note_health(const Poll& poll) {
  if (poll.probe != spec_.health) return;
  const Up up = measuring_.measurements.up(poll.probe, now());
  if (up == Up::up) last_up_ = {poll.ended, measuring_.measurements.up_until(poll.probe, now()), {}};
  if (up == Up::down && last_up_ && last_up_->since == Instant()) last_up_->since = poll.ended;
}

bool Evidence::is_health_down() const {
  return spec_.health && measuring_.measurements.up(*spec_.health, now()) == Up::down;
}

std::optional<Evidence::Outage> Evidence::outage() const {
  return is_health_down() && last_up_ && last_up_->since != Instant() ? last_up_ : std::nullopt;
}

void Evidence::advance() {
  see_stale();
  for (const std::size_t which : due_.take(now())) {
    rules_[which]->advance(now());
    look_at(which, nullptr);
  }
  look_again();
}

void Evidence::look_again() {
  if (counts_differently()) look_at_all(nullptr);
}

// Asked once for each look at all of them.
bool Evidence::counts_differently() {
  const bool blinded = measuring_.trouble.blinds();
  const bool changed = is_changed_ || now() >= changes_at_ || blinded != was_blinded_;
  if (!changed) return false;
  is_changed_ = false;
  was_blinded_ = blinded;
  changes_at_ = warming_.next_end(now());
  if (is_deploying()) changes_at_ = std::min(changes_at_, *deploying_until_);
  if (is_switching()) changes_at_ = std::min(changes_at_, *switching_until_);
  return true;
}

void Evidence::look_at_all(const ProbeName* polled) {
  for (std::size_t which = 0; which < rules_.size(); ++which) {
    look_at(which, polled != nullptr && rules_[which]->probes().contains(*polled) ? polled : nullptr);
  }
}

// A rule of the polled probe has a fresh sample; another is judged again when its evidence went stale or counts
// differently than before.
void Evidence::look_at(std::size_t which, const ProbeName* polled) {
  WatchedRule& rule = *rules_[which];
  const std::optional<Cause> under = blanket(rule);
  if (polled != nullptr || rule.needs_judging({not_before_, under}, now())) {
    rule.judge(measuring_.measurements, scope(under), polled, now());
    ++evaluations_;
  }
  if (rule.take_change_of_sight(now())) blindness_.changed(rule);
  if (rule.take_confirmation_request()) {
    measuring_.effects.note("confirming", {{"rule", rule.name().text}, {"service", spec_.name.text}});
    for (const ProbeName& probe : rule.probes()) measuring_.effects.emit(PollNow{probe});
  }
  looked_at_.push_back(which);
  note(which);
}

void Evidence::note(std::size_t which) {
  const WatchedRule& rule = *rules_[which];
  const auto keep = [which](Seldom<std::set<std::size_t>>& in, bool is) {
    is ? void(in.insert(which)) : void(in.erase(which));
  };
  keep(firing_, rule.is_firing());
  if (rule.is_firing()) flapping_.is_known();
  keep(bad_, (rule.is(Verdict::bad) || rule.is_firing()) && rule.spec().severity != Severity::p3);
  keep(blind_, rule.is_blind());
  if (rule.is(Verdict::bad)) note_bad(which);
  const Instant next = rule.next_change(now());
  due_.set(which, next == Instant::max() ? std::nullopt : std::optional(next));
}

void Evidence::note_bad(std::size_t which) {
  const RuleSpec& spec = rules_[which]->spec();
  if (!troubles_others(spec)) return;
  const bool is_longer = now() + recovery_hold(spec) >= last_bad_until_;
  if (!is_longer && last_bad_) return;
  last_bad_ = which;
  last_bad_until_ = now() + recovery_hold(spec);
}

const WatchedRule* Evidence::in_trouble() const {
  for (const std::size_t which : bad_) {
    if (troubles_others(rules_[which]->spec())) return rules_[which];
  }
  return last_bad_ && now() < last_bad_until_ ? rules_[*last_bad_] : nullptr;
}

std::optional<Evidence::Firing> Evidence::next_firing() const {
  std::optional<Firing> first;
  for (const std::size_t which : bad_) {
    const WatchedRule& rule = *rules_[which];
    if (rule.is_firing() || !rule.is(Verdict::bad) || !troubles_others(rule.spec())) continue;
    const std::optional<Duration> to_fire = rule.progress(now()).to_fire;
    if (!to_fire) continue;
    const Instant at = now() + *to_fire;
    if (!first || at < first->at) first = {at, rule.spec().sustain};
  }
  return first;
}

void Evidence::tell_of_sight() {
  // Of what is down people know already where a rule fires for it: the rest is told if it stays when that is over.
  const bool is_known_outage = is_health_down() && !firing_.empty();
  if (blindness_.has_changed() && !is_known_outage) blindness_.tell(std::as_const(*this).rules(), flapping_.told_as());
}

void Evidence::take_looked_at(std::vector<WatchedRule*>& out) {
  std::sort(looked_at_.begin(), looked_at_.end());
  looked_at_.erase(std::unique(looked_at_.begin(), looked_at_.end()), looked_at_.end());
  out.clear();
  for (const std::size_t which : looked_at_) out.push_back(rules_[which]);
  looked_at_.clear();
}

Instant Evidence::next_change() const { return std::min({due_.next(), changes_at_, uptime_.next_change()}); }

}  // namespace rules
