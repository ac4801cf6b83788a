#include <algorithm>
#include <cassert>
#include <cstdint>
#include <string>
#include <utility>

#include "rules/engine/core.hpp"

// From measurements to what each rule's tracker is told.

namespace rules {

namespace {

// Enough to find what was so some minutes ago even when a verdict flaps at every poll.
constexpr std::size_t known_verdicts_max = 512;

// FNV-1a: equal texts only, and not the whole text in every span that is saved.
std::string short_form(const std::string& text) {
  constexpr std::uint64_t prime = 1099511628211ULL;
  std::uint64_t hash = 14695981039346656037ULL;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * prime;
  return std::to_string(hash);
}

std::vector<Condition> conditions_of(const std::vector<StepSpec>& steps) {
  std::vector<Condition> out;
  for (const StepSpec& step : steps) {
    if (const auto* wait = std::get_if<WaitStep>(&step.what)) out.push_back(wait->until);
  }
  return out;
}

}  // namespace

std::vector<Condition> all_conditions(const CoreConfig& config) {
  std::vector<Condition> out;
  for (const RuleSpec& rule : config.rules) {
    out.push_back(rule.when);
    if (rule.clear) out.push_back(*rule.clear);
    if (rule.unless) out.push_back(*rule.unless);
  }
  for (const ActionSpec& action : config.actions) {
    if (action.verify.when) out.push_back(*action.verify.when);
    for (const auto* steps : {&action.steps, &action.on_success, &action.on_failure, &action.always}) {
      for (Condition& condition : conditions_of(*steps)) out.push_back(std::move(condition));
    }
  }
  return out;
}

// A rule whose text stayed but whose signals or probes became others is another rule (SPEC 2.13).
std::string Core::measured_by(const RuleSpec& rule) const {
  std::set<ProbeName> probes = measurements_.probes_of(rule.when);
  std::string text;
  for (const std::optional<Condition>& condition : {std::optional(rule.when), rule.clear}) {
    if (!condition) continue;
    probes.merge(measurements_.probes_of(*condition));
    for (const Condition::Reference& reference : condition->references()) {
      const auto* read = std::get_if<SignalRef>(&reference.to);
      if (read == nullptr) continue;
      for (const SignalSpec& signal : config_.signals) {
        if (signal.name == read->signal) text += describe(signal) + "\n";
      }
    }
  }
  for (const ProbeShape& probe : config_.probes) {
    if (probes.contains(probe.name)) text += probe.source + "\n";
  }
  return short_form(text);
}

WatchedRule Core::make_rule(const RuleSpec& written, Instant now) const {
  RuleSpec spec = written;
  spec.measured_by = measured_by(written);
  WatchedRule rule{.spec = spec,
                   .tracker = RuleTracker(spec, now),
                   .probes = {},
                   .when_probes = {},
                   .when = {},
                   .judged_in = {},
                   .withheld_since = {},
                   .withheld_by = {},
                   .withheld_before = {},
                   .known = {}};
  rule.when_probes = measurements_.probes_of(spec.when);
  rule.probes = rule.when_probes;
  if (spec.clear) rule.probes.merge(measurements_.probes_of(*spec.clear));
  rule.windowed = measurements_.windowed(spec.when);
  return rule;
}

void Core::build_rules(Instant now) {
  rules_.clear();
  rules_of_probe_.clear();
  services_of_probe_.clear();
  for (auto& [name, service] : services_) {
    service.probes.clear();
    service.rules.clear();
  }
  for (const RuleSpec& spec : config_.rules) {
    assert(services_.contains(spec.service));
    WatchedRule rule = make_rule(spec, now);
    for (const ProbeName& probe : rule.probes) rules_of_probe_[probe].insert(spec.name);
    WatchedService& service = services_.at(spec.service);
    service.probes.insert(rule.probes.begin(), rule.probes.end());
    for (const ProbeName& probe : rule.probes) services_of_probe_[probe].insert(spec.service);
    if (spec.unless) {
      for (const ProbeName& probe : measurements_.probes_of(*spec.unless)) {
        services_of_probe_[probe].insert(spec.service);
      }
    }
    service.rules.push_back(&rules_.emplace(spec.name, std::move(rule)).first->second);
  }
  for (auto& [name, service] : services_) {
    service.max_gap = Duration::zero();
    for (const ProbeShape& shape : config_.probes) {
      if (service.probes.contains(shape.name)) service.max_gap = std::max(service.max_gap, shape.max_gap);
    }
  }
}

bool Core::is_warming(const WatchedService& service, const std::set<ProbeName>& probes) const {
  return std::any_of(service.warming.begin(), service.warming.end(),
                     [&](const auto& entry) { return now_ < entry.second.until && probes.contains(entry.first); });
}

std::optional<Cause> Core::blanket(const WatchedService& service, const WatchedRule& rule) const {
  for (const SelfDegraded& one : degraded_) {
    if (!one.ask_instead_of_act && !one.observe_only) return Cause::self_degraded;
  }
  if (is_deploying(service)) return Cause::deploying;
  if (is_warming(service, rule.when_probes)) return Cause::warming_up;
  return std::nullopt;
}

Scope Core::scope(const WatchedService& service, std::optional<Cause> blanket) const {
  Scope out;
  out.not_before = service.not_before;
  out.not_before_cause = service.not_before_cause;
  out.blanket = blanket;
  if (const LedgerRecord* running = ledger_.find(service.spec.name, service.record.running)) {
    out.baselines = &running->baselines;
  }
  if (const LiveIncident* incident = open_incident(service)) out.before = &incident->record.before;
  return out;
}

void Core::judge(WatchedRule& rule, Fresh fresh) {
  const WatchedService& service = services_.at(rule.spec.service);
  const Scope in = scope(service, blanket(service, rule));
  rule.when = measurements_.judge(rule.spec.when, in, now_);
  rule.judged_in = {in.not_before, in.blanket};
  rule.judged = true;
  rule.tracker.advance(now_);
  const RuleState state = rule.tracker.state();
  const bool may_fire = state == RuleState::pending || state == RuleState::confirming;
  const bool look_closer = rule.windowed && may_fire && rule.when.verdict == Verdict::bad;
  const bool is_firing = state == RuleState::firing || state == RuleState::recovering;
  const Judgement clear = rule.spec.clear && is_firing ? measurements_.judge(*rule.spec.clear, in, now_) : rule.when;
  const Judgement newest = look_closer ? measurements_.judge(rule.spec.when, in, now_, Part::newest) : rule.when;
  rule.tracker.observe(now_, rule.when, clear, newest, fresh);
  note_known(rule);
  note_blindness(rule);
}

// Rules of the polled probe have a fresh sample; others are looked at again when their evidence went stale or counts
// differently than before.
void Core::rejudge(const ProbeName* polled) {
  const auto of_polled = polled == nullptr ? rules_of_probe_.end() : rules_of_probe_.find(*polled);
  for (auto& [name, service] : touched_) {
    for (WatchedRule* rule : service->rules) {
      rejudge(*rule, of_polled != rules_of_probe_.end() && of_polled->second.contains(rule->spec.name));
    }
  }
}

void Core::rejudge(WatchedRule& rule, bool polled) {
  const WatchedService& service = services_.at(rule.spec.service);
  const JudgedIn in{service.not_before, blanket(service, rule)};
  if (polled) {
    judge(rule, Fresh::sample);
  } else if (!rule.judged || in != rule.judged_in || rule.when.valid_until <= now_) {
    judge(rule, Fresh::same_evidence);
  }
  if (!rule.tracker.take_confirmation_request()) return;
  note("confirming", {{"rule", rule.spec.name.text}, {"service", rule.spec.service.text}});
  for (const ProbeName& probe : rule.probes) emit(PollNow{probe});
}

void Core::note_known(WatchedRule& rule) {
  if (rule.when.verdict == Verdict::unknown) return;
  if (rule.when.verdict == Verdict::good) rule.withheld_before.reset();
  if (!rule.known.empty() && rule.known.back().second == rule.when.verdict) return;
  rule.known.emplace_back(now_, rule.when.verdict);
  if (rule.known.size() > known_verdicts_max) rule.known.pop_front();
}

void Core::note_blindness(WatchedRule& rule) {
  const bool blind = rule.tracker.progress(now_).blind;
  if (blind == rule.blind) return;
  rule.blind = blind;
  Tell tell;
  tell.stage = blind ? Stage::blind : Stage::seeing;
  tell.context.service = rule.spec.service;
  tell.context.rule = rule.spec.name;
  tell.context.severity = rule.spec.severity;
  tell.title =
      rule.spec.service.text + ": rule " + rule.spec.name.text + (blind ? " is blind" : " can be observed again");
  tell.text = blind ? "Less than 60 % of the last " + told(blind_after(rule.spec)) +
                          " could be observed: " + std::string(to_string(rule.when.cause)) +
                          (rule.when.detail.empty() ? "" : ", " + rule.when.detail) + ". It cannot fire."
                    : rule.spec.when.text();
  tell.evidence = rule.when.comparisons;
  tell.at = now_;
  note(blind ? "blind" : "seeing", {{"rule", rule.spec.name.text}, {"cause", std::string(to_string(rule.when.cause))}});
  emit(std::move(tell));
}

// A broken measuring path is told at once, and again when it works.
void Core::note_probe(const Poll& poll) {
  const bool broken = poll.fault && poll.up == Up::unknown;
  const auto known = probe_faults_.find(poll.probe);
  if (broken == (known != probe_faults_.end())) return;
  Tell tell;
  tell.stage = Stage::fault;
  tell.title = "probe " + poll.probe.text + (broken ? " cannot measure" : " measures again");
  tell.text = broken ? poll.fault->what : "It was: " + known->second;
  tell.at = now_;
  note(broken ? "probe_fault" : "probe_well",
       {{"probe", poll.probe.text}, {"what", broken ? poll.fault->what : std::string()}});
  emit(std::move(tell));
  if (broken) {
    probe_faults_[poll.probe] = poll.fault->what;
  } else {
    probe_faults_.erase(known);
  }
}

void Core::restart_spans(WatchedService& service, Leaves leaves) {
  for (WatchedRule* rule : service.rules) {
    rule->tracker.restart(now_, leaves);
    rule->withheld_since.reset();
    rule->withheld_before.reset();
    rule->answered = false;
    rule->recovered = false;
    rule->judged = false;
  }
}

Duration Core::max_gap(const WatchedRule& rule) const {
  Duration gap{};
  for (const ProbeShape& probe : config_.probes) {
    if (rule.when_probes.contains(probe.name)) gap = std::max(gap, probe.max_gap);
  }
  return gap;
}

Up Core::worst_up(const WatchedService& service) const {
  Up worst = Up::up;
  for (const ProbeName& probe : service.probes) {
    switch (measurements_.up(probe, now_)) {
      case Up::up:
        break;
      case Up::down:
        return Up::down;
      case Up::unknown:
        worst = Up::unknown;
        break;
    }
  }
  return service.probes.empty() ? Up::unknown : worst;
}

}  // namespace rules
