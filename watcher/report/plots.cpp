#include "watcher/report/plots.hpp"

#include <algorithm>
#include <set>
#include <utility>
#include <variant>

#include "rules/signals/measurements.hpp"

namespace watcher {

namespace {

constexpr int points_max = 300;
constexpr rules::Duration before_least = std::chrono::seconds(15);
constexpr rules::Duration before_most = std::chrono::minutes(15);

bool has_joined(const rules::IncidentRecord& incident, const rules::RuleSpec& rule) {
  return std::any_of(incident.rules.begin(), incident.rules.end(),
                     [&](const rules::JoinedRule& joined) { return joined.rule == rule.name; });
}

// Those of the incident first, and then the others of its service.
std::vector<const rules::RuleSpec*> rules_of(const rules::CoreConfig& core, const rules::IncidentRecord& incident) {
  std::vector<const rules::RuleSpec*> out;
  for (const rules::RuleSpec& rule : core.rules) {
    if (has_joined(incident, rule)) out.push_back(&rule);
  }
  for (const rules::RuleSpec& rule : core.rules) {
    if (rule.service == incident.service && !has_joined(incident, rule)) out.push_back(&rule);
  }
  return out;
}

void add_signals(std::set<rules::SignalName>& out, const rules::Condition& condition) {
  for (const rules::Condition::Reference& reference : condition.references()) {
    if (const auto* const signal = std::get_if<rules::SignalRef>(&reference.to)) out.insert(signal->signal);
  }
}

// That no rule compares, of the probes that are asked for this service.
std::vector<const rules::SignalSpec*> signals_beside(const rules::CoreConfig& core,
                                                     const std::set<rules::ProbeName>& probes) {
  std::set<rules::SignalName> compared;
  for (const rules::RuleSpec& rule : core.rules) add_signals(compared, rule.when);
  std::vector<const rules::SignalSpec*> out;
  for (const rules::SignalSpec& signal : core.signals) {
    const bool is_its = core.services.size() == 1 || probes.contains(signal.probe);
    if (is_its && !compared.contains(signal.name)) out.push_back(&signal);
  }
  return out;
}

rules::Instant first_bad(const rules::IncidentRecord& incident) {
  rules::Instant first = incident.opened;
  for (const rules::JoinedRule& rule : incident.rules) first = std::min(first, rule.bad_since.value_or(first));
  return first;
}

// Windows do not reach back over what a deployment or a switch changed.
std::vector<rules::Instant> changes_in(const rules::IncidentRecord& incident) {
  std::vector<rules::Instant> out;
  if (incident.times.deployed) out.push_back(*incident.times.deployed);
  for (const rules::TimelineEntry& entry : incident.timeline) {
    if (entry.event == "switched") out.push_back(entry.at);
  }
  return out;
}

class Replay {
 public:
  Replay(const rules::CoreConfig& core, const rules::IncidentRecord& incident)
      : incident_(incident), rules_(rules_of(core, incident)), measurements_(measuring(core)) {
    changes_ = changes_in(incident);
    if (rules_.empty()) return;
    signals_ = signals_beside(core, probes_);
    for (const rules::SignalSpec* signal : signals_) probes_.insert(signal->probe);
    for (const rules::RuleSpec* rule : rules_) {
      if (has_joined(incident, *rule)) continue;
      Bystander bystander;
      bystander.rule = rule->name;
      bystander.severity = rule->severity;
      bystander.sustain = rule->sustain;
      out_.bystanders.push_back(std::move(bystander));
    }
  }

  const std::set<rules::ProbeName>& probes() const { return probes_; }
  bool concerns(const rules::Poll& poll) const { return probes_.contains(poll.probe); }
  void observe(const rules::Poll& poll) { measurements_.observe(poll); }
  // What is so then holds on for `step`.
  void look(rules::Instant at, rules::Duration step) {
    std::size_t number = 0;
    std::size_t bystander = 0;
    for (const rules::RuleSpec* rule : rules_) {
      const rules::Judgement judgement = measurements_.judge(rule->when, scope(at), at);
      for (const rules::Comparison& comparison : judgement.comparisons) note(number++, comparison, at);
      if (!has_joined(incident_, *rule)) note(out_.bystanders[bystander++], judgement, at, step);
    }
    for (const rules::SignalSpec* signal : signals_) {
      rules::Comparison bare;
      bare.text = signal->name.text;
      bare.value = measurements_.signal(signal->name, scope(at), at);
      note(number++, bare, at);
    }
  }
  Around take() {
    std::vector<Plot> all = std::exchange(out_.plots, {});
    for (Plot& plot : all) {
      const bool is_measured =
          std::any_of(plot.points.begin(), plot.points.end(), [](const PlotPoint& p) { return p.value; });
      if (is_measured)
        out_.plots.push_back(std::move(plot));
      else
        out_.unmeasured.push_back(std::move(plot.condition));
    }
    return std::move(out_);
  }

 private:
  // Of what these rules need alone.
  rules::Measurements measuring(const rules::CoreConfig& core) {
    std::vector<rules::Condition> conditions;
    for (const rules::RuleSpec* rule : rules_) conditions.push_back(rule->when);
    const auto all = [&](const auto& list) {
      using Spec = std::decay_t<decltype(*list.begin())>;
      return std::vector<Spec>(list.begin(), list.end());
    };
    rules::Measurements out(all(core.probes), all(core.signals), conditions);
    for (const rules::Condition& condition : conditions) probes_.merge(out.probes_of(condition));
    return out;
  }

  rules::Scope scope(rules::Instant at) const {
    rules::Scope out;
    for (const rules::Instant change : changes_) {
      if (change <= at) out.not_before = std::max(out.not_before, change);
    }
    out.before = &incident_.before;
    return out;
  }

  void note(std::size_t number, const rules::Comparison& comparison, rules::Instant at) {
    if (number == out_.plots.size()) out_.plots.push_back({comparison.text, comparison.unit, {}, {}});
    Plot& plot = out_.plots[number];
    if (comparison.threshold) plot.threshold = comparison.threshold;
    plot.points.push_back({at, comparison.value.value});
  }

  void note(Bystander& bystander, const rules::Judgement& judgement, rules::Instant at, rules::Duration step) const {
    if (at <= incident_.opened || bystander.judgement.comparisons.empty()) bystander.judgement = judgement;
    bystander.at_end = judgement.verdict;
    if (judgement.verdict == rules::Verdict::bad) bystander.bad += step;
  }

  const rules::IncidentRecord& incident_;
  std::vector<const rules::RuleSpec*> rules_;
  std::set<rules::ProbeName> probes_;
  rules::Measurements measurements_;
  std::vector<const rules::SignalSpec*> signals_;
  std::vector<rules::Instant> changes_;
  Around out_;
};

}  // namespace

PlotSpan plot_span(const rules::IncidentRecord& incident) {
  const rules::Instant to = incident.closed.value_or(incident.opened);
  const rules::Instant bad = first_bad(incident);
  const rules::Instant deployed = incident.times.deployed.value_or(bad);
  const rules::Instant begin = bad - deployed < before_most ? std::min(bad, deployed) : bad;
  return {begin - std::clamp<rules::Duration>((to - begin) / 2, before_least, before_most), to};
}

rules::Instant polls_since(const rules::CoreConfig& core, const rules::IncidentRecord& incident) {
  rules::Duration window{};
  for (const rules::SignalSpec& signal : core.signals)
    window = std::max(window, std::max(signal.window, signal.window_max));
  return plot_span(incident).from - std::min<rules::Duration>(window, before_most);
}

std::vector<PlotMark> plot_marks(const rules::IncidentRecord& incident) {
  std::vector<PlotMark> out;
  if (incident.times.deployed) out.push_back({*incident.times.deployed, "deployed"});
  out.push_back({incident.opened, incident.by_hand ? "begun by hand" : "fired"});
  for (const rules::TimelineEntry& entry : incident.timeline) {
    if (entry.event == "switched") out.push_back({entry.at, "switched"});
  }
  if (incident.times.recovered) out.push_back({*incident.times.recovered, "good again"});
  std::stable_sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.at < b.at; });
  return out;
}

std::set<rules::ProbeName> plotted_probes(const rules::CoreConfig& core, const rules::IncidentRecord& incident) {
  return Replay(core, incident).probes();
}

Around around(const rules::CoreConfig& core, const rules::IncidentRecord& incident,
              const std::vector<rules::Poll>& polls) {
  Replay replay(core, incident);
  const PlotSpan span = plot_span(incident);
  const rules::Duration step =
      std::max<rules::Duration>((span.to - span.from) / points_max, std::chrono::milliseconds(1));
  const auto first = std::find_if(polls.begin(), polls.end(), [&](const rules::Poll& p) { return replay.concerns(p); });
  if (first == polls.end()) return {};
  rules::Instant at = std::max(span.from, first->ended);
  const auto look_until = [&](rules::Instant until) {
    for (; at <= span.to && at < until; at += step) replay.look(at, step);
  };
  for (const rules::Poll& poll : polls) {
    if (!replay.concerns(poll)) continue;
    look_until(poll.ended);
    replay.observe(poll);
  }
  look_until(rules::Instant::max());
  return replay.take();
}

}  // namespace watcher
