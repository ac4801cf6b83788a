#include <algorithm>
#include <cstdint>
#include <iterator>

#include "rules/engine/evidence/evidence.hpp"
#include "rules/engine/told.hpp"

// Which rules a service has, and what they are measured by.

namespace rules {

namespace {

// What is looked at over time may reach back for hours; a minute of it that is explained decides nothing there.
constexpr Duration over_time_reach = std::chrono::minutes(10);

// FNV-1a: equal texts only, and not the whole text in every span that is saved.
std::string short_form(const std::string& text) {
  constexpr std::uint64_t prime = 1099511628211ULL;
  std::uint64_t hash = 14695981039346656037ULL;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * prime;
  return std::to_string(hash);
}

std::string signals_of(const Condition& condition, const std::vector<SignalSpec>& signals) {
  std::string text;
  for (const Condition::Reference& reference : condition.references()) {
    const auto* read = std::get_if<SignalRef>(&reference.to);
    if (read == nullptr) continue;
    for (const SignalSpec& signal : signals) {
      if (signal.name == read->signal) text += describe(signal) + "\n";
    }
  }
  return text;
}

// A rule whose text stayed but whose signals or probes became others is another rule (SPEC 2.13).
std::string measured_by(const RuleSpec& rule, const CoreConfig& config, const Measurements& measurements) {
  std::set<ProbeName> probes = measurements.probes_of(rule.when);
  std::string text = signals_of(rule.when, config.signals);
  if (rule.clear) {
    probes.merge(measurements.probes_of(*rule.clear));
    text += signals_of(*rule.clear, config.signals);
  }
  for (const ProbeShape& probe : config.probes) {
    if (probes.contains(probe.name)) text += probe.source.str() + "\n";
  }
  return short_form(text);
}

void add_waits(const std::vector<StepSpec>& steps, std::vector<Condition>& out) {
  for (const StepSpec& step : steps) {
    if (const auto* wait = std::get_if<WaitStep>(&step.what)) out.push_back(wait->until);
  }
}

std::vector<Condition> conditions_of(const SharedList<ActionSpec>& actions) {
  std::vector<Condition> out;
  for (const ActionSpec& action : actions) {
    if (action.verify.when) out.push_back(*action.verify.when);
    for (const auto* steps : {&action.steps, &action.on_success, &action.on_failure, &action.always}) {
      add_waits(*steps, out);
    }
    for (const LaterSpec& later : action.later) {
      if (later.when) out.push_back(*later.when);
    }
  }
  return out;
}

}  // namespace

std::string frozen_key(const Condition::Reference& signal_or_field) {
  Expression expression;
  if (const auto* signal = std::get_if<SignalRef>(&signal_or_field.to)) expression.node = *signal;
  if (const auto* field = std::get_if<FieldRef>(&signal_or_field.to)) expression.node = *field;
  return frozen_key(expression);
}

std::vector<Condition> all_conditions(const CoreConfig& config) {
  std::vector<Condition> out;
  for (const RuleSpec& rule : config.rules) {
    out.push_back(rule.when);
    if (rule.clear) out.push_back(*rule.clear);
    if (rule.unless) out.push_back(*rule.unless);
  }
  std::vector<Condition> of_plans = conditions_of(config.actions);
  std::move(of_plans.begin(), of_plans.end(), std::back_inserter(out));
  return out;
}

bool Evidence::withholds(WatchedRule& rule) {
  if (!rule.spec().unless) return false;
  const bool withheld = rule.withhold(measuring_.measurements, scope(std::nullopt), measuring_.effects);
  note(owned_.at(rule.name()).number);
  if (withheld && rule.spec().severity != Severity::p3 && rule.take_withheld_news(now())) {
    const std::string until = told(*rule.withheld_until());
    measuring_.effects.tell_fault(
        spec_.name.text + ": " + rule.name().text + " is bad, and something else explains it",
        rule.withheld_by() + " explains it; if it still does, it is acted on at " + until + ".", spec_.name);
  }
  if (withheld || !rule.take_explained(now())) return withheld;
  measuring_.effects.save(rule.record(now(), false));
  is_changed_ = true;
  return true;
}

bool Evidence::take_look_request(WatchedRule& rule) {
  const bool wanted = rule.take_look_request();
  note(owned_.at(rule.name()).number);
  return wanted;
}

WatchedRule Evidence::make(std::shared_ptr<const RuleSpec> spec) const {
  const std::string by = measured_by(*spec, measuring_.config, measuring_.measurements);
  return WatchedRule(std::move(spec), by, measuring_.measurements, now());
}

void Evidence::watch() {
  std::map<RuleName, Owned> old = std::exchange(owned_, {});
  rules_.clear();
  const std::set<ProbeName> old_probes = std::exchange(probes_, {});
  for (std::size_t i = 0; i < measuring_.config.rules.size(); ++i) {
    const RuleSpec& written = measuring_.config.rules[i];
    if (written.service != spec_.name) continue;
    auto rule = std::make_unique<WatchedRule>(make(measuring_.config.rules.share(i)));
    if (const auto before = old.find(written.name); before != old.end()) rule->take_over(*before->second.rule, now());
    probes_.insert(rule->probes().begin(), rule->probes().end());
    rules_.push_back(rule.get());
    owned_.emplace(written.name, Owned{std::move(rule), rules_.size() - 1});
  }
  const std::vector<ServiceSpec>& services = measuring_.config.services;
  is_configured_ =
      std::any_of(services.begin(), services.end(), [&](const auto& one) { return one.name == spec_.name; });
  const auto is_health = [this](const ProbeShape& shape) { return shape.name == spec_.health; };
  const std::vector<ProbeShape>& shapes = measuring_.config.probes;
  warming_.heed(std::any_of(shapes.begin(), shapes.end(), is_health) ? spec_.health : std::nullopt);
  max_gap_ = slowest_interval_ = Duration::zero();
  for (const ProbeShape& shape : measuring_.config.probes) {
    if (!probes_.contains(shape.name)) continue;
    max_gap_ = std::max(max_gap_, shape.max_gap);
    slowest_interval_ = std::max(slowest_interval_, shape.interval);
  }
  reach_ = max_gap_ + window_max();
  number_probes(old_probes);
  watch_values();
  note_all();
}

Duration Evidence::window_max() const {
  Duration longest{};
  for (const WatchedRule* rule : rules_) {
    for (const Condition::Reference& reference : rule->spec().when.references()) {
      if (reference.over_time) longest = std::max(longest, over_time_reach);
      const auto* read = std::get_if<SignalRef>(&reference.to);
      if (read == nullptr) continue;
      for (const SignalSpec& signal : measuring_.config.signals) {
        if (signal.name == read->signal) longest = std::max(longest, signal.window_max);
      }
    }
  }
  return longest;
}

void Evidence::watch_values() {
  std::vector<Condition::Reference> references;
  const auto add = [&](const Condition& condition) {
    if (condition.empty()) return;
    for (Condition::Reference& one : condition.references()) references.push_back(std::move(one));
  };
  for (const WatchedRule* rule : rules_) {
    add(rule->spec().when);
    if (rule->spec().clear) add(*rule->spec().clear);
  }
  for (const Condition& condition : conditions_of(measuring_.config.actions)) add(condition);
  last_known_.watch(std::move(references));
}

void Evidence::number_probes(const std::set<ProbeName>& old) {
  std::vector<std::optional<std::size_t>> before;
  watched_.clear();
  for (const ProbeName& probe : probes_) {
    const auto known = old.find(probe);
    const auto number = static_cast<std::size_t>(std::distance(old.begin(), known));
    before.push_back(known == old.end() ? std::nullopt : std::optional(number));
    watched_.push_back({&probe, {}});
  }
  for (std::size_t which = 0; which < rules_.size(); ++which) {
    for (const ProbeName& probe : rules_[which]->probes()) watched_[*number_of(probe)].rules.push_back(which);
  }
  uptime_.watch(before);
  for (std::size_t probe = 0; probe < watched_.size(); ++probe) saw_up(probe);
}

std::optional<std::size_t> Evidence::number_of(const ProbeName& probe) const {
  const auto found = std::lower_bound(watched_.begin(), watched_.end(), probe,
                                      [](const Watched& one, const ProbeName& name) { return *one.name < name; });
  if (found == watched_.end() || *found->name != probe) return std::nullopt;
  return static_cast<std::size_t>(found - watched_.begin());
}

// Nothing that was known of them together is left.
void Evidence::note_all() {
  due_.clear();
  looked_at_.clear();
  firing_.clear();
  bad_.clear();
  blind_.clear();
  last_bad_.reset();
  last_bad_until_ = Instant::min();
  for (std::size_t which = 0; which < rules_.size(); ++which) note(which);
  is_changed_ = true;
}

std::set<ProbeName> Evidence::all_probes() const {
  std::set<ProbeName> out = probes_;
  for (const WatchedRule* rule : rules_) {
    if (rule->spec().unless) out.merge(measuring_.measurements.probes_of(*rule->spec().unless));
  }
  if (spec_.health) out.insert(*spec_.health);
  return out;
}

void Evidence::restore(const std::vector<SpanRecord>& records) {
  for (const SpanRecord& record : records) {
    if (WatchedRule* rule = find(record.rule)) rule->restore(record, now(), max_gap_of(*rule));
  }
  note_all();
  for (std::size_t which = 0; which < rules_.size(); ++which) {
    const Ring<KnownVerdict>& known = rules_[which]->known();
    if (!known.empty() && known.back().verdict == Verdict::bad) note_bad(which);
  }
}

Duration Evidence::max_gap_of(const WatchedRule& rule) const {
  Duration gap{};
  for (const ProbeShape& probe : measuring_.config.probes) {
    if (rule.when_probes().contains(probe.name)) gap = std::max(gap, probe.max_gap);
  }
  return gap;
}

}  // namespace rules
