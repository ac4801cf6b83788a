#include "rules/signals/store.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

namespace rules {

namespace {

struct Uses {
  std::vector<Use> uses;
  std::size_t signal;

  void operator()(const std::vector<RatioOf>& candidates) {
    for (const RatioOf& ratio : candidates) {
      uses.push_back({ratio.numerator, signal, true});
      uses.push_back({ratio.denominator, signal, true});
    }
  }
  void operator()(const std::vector<QuantileOf>& candidates) {
    for (const QuantileOf& quantile : candidates) {
      uses.push_back({quantile.family, signal, false});
      uses.push_back({bucket_selector(quantile), signal, true});
      uses.push_back({count_selector(quantile), signal, true});
    }
  }
  void operator()(const ExpressionOf& expression) {
    for (const SignalExpression::Read& read : expression.parsed->reads()) {
      uses.push_back({read.selector, signal, read.range > Duration::zero()});
    }
  }
};

bool same(const RatioOf& a, const RatioOf& b) {
  return a.numerator == b.numerator && a.denominator == b.denominator && a.rank == b.rank;
}
bool same(const QuantileOf& a, const QuantileOf& b) {
  return a.family == b.family && a.unit == b.unit && a.rank == b.rank;
}

// Whether two signals need the same of the same page, so that what was kept for one serves the other.
bool same_measure(const SignalSpec& a, const SignalSpec& b) {
  if (a.probe != b.probe || a.of.index() != b.of.index()) return false;
  const auto same_candidates = [](const auto& left, const auto& right) {
    return std::equal(left.begin(), left.end(), right.begin(), right.end(),
                      [](const auto& x, const auto& y) { return same(x, y); });
  };
  if (const auto* ratios = std::get_if<std::vector<RatioOf>>(&a.of)) {
    return same_candidates(*ratios, std::get<std::vector<RatioOf>>(b.of));
  }
  if (const auto* quantiles = std::get_if<std::vector<QuantileOf>>(&a.of)) {
    return same_candidates(*quantiles, std::get<std::vector<QuantileOf>>(b.of));
  }
  return std::get<ExpressionOf>(a.of).text == std::get<ExpressionOf>(b.of).text;
}

Duration reach_of(const SignalSpec& spec) {
  const Duration window = std::max(spec.window, spec.window_max);
  const auto* expression = std::get_if<ExpressionOf>(&spec.of);
  return expression == nullptr ? window : expression->parsed->range_max();
}

}  // namespace

Store::Store(std::vector<ProbeShape> probes, std::vector<SignalSpec> signals,
             const std::vector<Condition>& conditions) {
  for (ProbeShape& shape : probes) {
    Probe& probe = probes_[shape.name];
    probe.horizon = 2 * shape.max_gap;
    probe.shape = std::move(shape);
  }
  for (auto& [name, probe] : probes_) {
    probe_numbers_.add(name.text);
    numbered_.push_back(&probe);
  }
  for (SignalSpec& spec : signals) add(std::move(spec));
  for (auto& [name, probe] : probes_) {
    const Instance fresh(probe.uses, probe.signals.size(), probe.horizon);
    for (std::size_t i = 0; i < probe.shape.instances; ++i) probe.instances.push_back(fresh);
  }
  for (const Condition& condition : conditions) {
    if (!condition.empty()) track(condition.root());
  }
}

void Store::add(SignalSpec spec) {
  const auto probe = probes_.find(spec.probe);
  Signal signal;
  if (probe != probes_.end()) {
    Probe& of = probe->second;
    signal.index = of.signals.size();
    signal.first_use = of.uses.size();
    Uses uses{std::move(of.uses), signal.index};
    std::visit(uses, spec.of);
    of.uses = std::move(uses.uses);
    of.horizon = std::max(of.horizon, reach_of(spec) + of.shape.max_gap);
  }
  const SignalName name = spec.name;
  signal.spec = std::move(spec);
  Signal& added = signals_.insert_or_assign(name, std::move(signal)).first->second;
  if (probe != probes_.end()) probe->second.signals.push_back(&added);
}

void Store::track(const ConditionNode& node) {
  struct Visitor {
    Store& store;
    void operator()(const Compare& compare) const {
      store.track(*compare.left);
      store.track(*compare.right);
    }
    void operator()(const And& terms) const {
      for (const ConditionPtr& term : terms.terms) store.track(*term);
    }
    void operator()(const Or& terms) const {
      for (const ConditionPtr& term : terms.terms) store.track(*term);
    }
    void operator()(const Not& negated) const { store.track(*negated.of); }
  };
  std::visit(Visitor{*this}, node.node);
}

void Store::track(const Expression& expression) {
  if (const auto* over_time = std::get_if<OverTimeRef>(&expression.node)) {
    track(*over_time);
  } else if (const auto* arithmetic = std::get_if<Arithmetic>(&expression.node)) {
    track(*arithmetic->left);
    track(*arithmetic->right);
  } else if (const auto* negation = std::get_if<Negation>(&expression.node)) {
    track(*negation->of);
  }
}

void Store::track(const OverTimeRef& over_time) {
  std::optional<ProbeName> name;
  std::variant<SignalRef, FieldRef> of;
  if (const auto* field = std::get_if<FieldRef>(&over_time.of->node)) {
    name = field->probe;
    of = *field;
  } else {
    const auto& signal = std::get<SignalRef>(over_time.of->node);
    name = probe_of(signal.signal);
    of = signal;
  }
  const auto probe = name ? probes_.find(*name) : probes_.end();
  if (probe == probes_.end()) return;
  const Duration kept = over_time.window + probe->second.shape.max_gap;
  const auto [at, added] = probe->second.tracked.try_emplace(frozen_key(*over_time.of), Tracked{of, History(kept)});
  if (!added) at->second.history.keep_at_least(kept);
}

void Store::observe(const Poll& poll) {
  // A poll that was broken off is no evidence of anything.
  if (poll.fault && poll.fault->kind == FaultKind::cancelled) return;
  Probe* const probe = find(poll.probe);
  if (probe == nullptr || poll.instance >= probe->instances.size()) return;
  if (!probe->instances[poll.instance].observe(poll, probe->uses)) return;
  choose_candidates(*probe);
  record_tracked(*probe, poll.ended);
}

void Store::record_tracked(Probe& probe, Instant at) {
  const Scope everything;
  for (auto& [key, tracked] : probe.tracked) {
    if (const auto* field_ref = std::get_if<FieldRef>(&tracked.of)) {
      tracked.history.record(at, field(*field_ref, everything, at));
    } else {
      tracked.history.record(at,
                             estimate(std::get<SignalRef>(tracked.of).signal, everything, at, Part::window).number());
    }
  }
}

void Store::instance_restarted(const ProbeName& probe, Instant at) {
  const auto found = probes_.find(probe);
  if (found == probes_.end()) return;
  for (Instance& instance : found->second.instances) instance.restarted(at);
}

void Store::adopt(Store&& old) {
  for (auto& [name, probe] : probes_) {
    const auto before = old.probes_.find(name);
    if (before == old.probes_.end() || before->second.instances.size() != probe.instances.size()) continue;
    // Two pages of the same name: a window over both would measure neither.
    if (before->second.shape.source != probe.shape.source) continue;
    adopt_probe(probe, std::move(before->second), old);
  }
}

void Store::adopt_probe(Probe& probe, Probe&& old, const Store& from) {
  std::vector<std::optional<std::size_t>> old_signal(probe.signals.size());
  const auto find_same = [&](const SignalSpec& spec) {
    return std::find_if(from.signals_.begin(), from.signals_.end(),
                        [&](const auto& candidate) { return same_measure(candidate.second.spec, spec); });
  };
  for (Signal* const signal : probe.signals) {
    const auto known = find_same(signal->spec);
    if (known == from.signals_.end()) continue;
    old_signal[signal->index] = known->second.index;
    signal->taken = known->second.taken;
    signal->rank_most = known->second.rank_most;
    signal->families = known->second.families;
  }
  probe.instances = std::move(old.instances);
  for (Instance& instance : probe.instances) instance.use_for(probe.uses, old_signal, probe.horizon);
  choose_candidates(probe);
  for (auto& [key, tracked] : probe.tracked) {
    const auto known = old.tracked.find(key);
    if (known == old.tracked.end()) continue;
    if (const auto* signal = std::get_if<SignalRef>(&tracked.of)) {
      const auto before = from.signals_.find(signal->signal);
      const auto now = signals_.find(signal->signal);
      if (before == from.signals_.end() || !same_measure(before->second.spec, now->second.spec)) continue;
    }
    tracked.history.adopt(std::move(known->second.history));
  }
}

const Store::Probe* Store::find(const ProbeName& name) const {
  const std::optional<std::size_t> number = probe_numbers_.find(name.text);
  return number ? numbered_[*number] : nullptr;
}

Store::Probe* Store::find(const ProbeName& name) { return const_cast<Probe*>(std::as_const(*this).find(name)); }

std::size_t Store::kept(const ProbeName& probe, std::size_t instance) const {
  const Probe* const of = find(probe);
  return of == nullptr || instance >= of->instances.size() ? 0 : of->instances[instance].bytes();
}

std::optional<ProbeName> Store::probe_of(const SignalName& name) const {
  const auto found = signals_.find(name);
  return found == signals_.end() ? std::nullopt : std::optional(found->second.spec.probe);
}

bool Store::windowed(const SignalName& name) const {
  const auto found = signals_.find(name);
  if (found == signals_.end()) return false;
  const auto* expression = std::get_if<ExpressionOf>(&found->second.spec.of);
  return expression == nullptr || expression->parsed->range_max() > Duration::zero();
}

}  // namespace rules
