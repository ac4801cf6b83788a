#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <map>
#include <set>

#include "watcher/cli/check_online.hpp"
#include "watcher/cli/table.hpp"
#include "watcher/cli/thresholds.hpp"

namespace watcher {

namespace {

using Kind = OnlineFinding::Kind;

// What a probe's targets answered: the series of all its instances.
using Page = std::vector<const rules::Reading*>;

bool has_series(const Page& page, const rules::Selector& selector) {
  return std::any_of(page.begin(), page.end(),
                     [&](const rules::Reading* reading) { return selector.matches(*reading->series); });
}

rules::Selector part_of(const rules::Selector& family, std::string_view suffix) {
  rules::Selector out = family;
  out.name += suffix;
  return out;
}

bool has_family(const Page& page, const rules::Selector& family) {
  return has_series(page, part_of(family, "_bucket")) || has_series(page, family);
}

// The highest finite bound of the histogram's buckets; none when there is no bucket.
std::optional<double> highest_bound(const Page& page, const rules::Selector& family) {
  const rules::Selector buckets = part_of(family, "_bucket");
  std::optional<double> highest;
  for (const rules::Reading* reading : page) {
    if (!buckets.matches(*reading->series)) continue;
    for (const rules::Label& label : reading->series->labels) {
      if (label.name != "le") continue;
      const double bound = std::strtod(label.value.c_str(), nullptr);
      if (std::isfinite(bound) && (!highest || bound > *highest)) highest = bound;
    }
  }
  return highest;
}

class Lint {
 public:
  Lint(const Config& config, const std::vector<rules::Poll>& polls) : config_(config) {
    for (const rules::Poll& poll : polls) {
      Page& page = pages_[poll.probe];
      for (const rules::Reading& reading : poll.readings) page.push_back(&reading);
      if (poll.up == rules::Up::up) answered_.insert(poll.probe);
    }
    gather_conditions();
  }

  void look_at(const rules::Poll& poll);
  void look_at(const rules::SignalSpec& signal);
  std::vector<OnlineFinding> take() { return std::move(out_); }

 private:
  void gather_conditions();
  void add(Kind kind, const std::string& subject, const std::string& text) { out_.push_back({kind, subject, text}); }
  void look_at_ratios(const std::string& subject, const std::vector<rules::RatioOf>& ratios, const Page& page);
  void look_at_quantiles(const rules::SignalSpec& signal, const std::string& subject,
                         const std::vector<rules::QuantileOf>& quantiles, const Page& page);
  void look_at_bounds(const rules::SignalSpec& signal, const std::string& subject, const rules::Selector& family,
                      const Page& page);

  const Config& config_;
  std::map<rules::ProbeName, Page> pages_;
  std::set<rules::ProbeName> answered_;
  std::vector<std::pair<std::string, const rules::Condition*>> conditions_;  // "rule.slow.when"
  std::vector<OnlineFinding> out_;
};

void Lint::look_at(const rules::Poll& poll) {
  std::string subject = "probe " + poll.probe.text;
  for (const rules::ProbeShape& shape : config_.core.probes) {
    if (shape.name == poll.probe && shape.instances > 1) subject += "[" + std::to_string(poll.instance) + "]";
  }
  const std::string took = short_duration(rules::seconds(poll.ended - poll.started));
  if (poll.up == rules::Up::up) {
    add(Kind::fine, subject, "up, answered in " + took + " with " + std::to_string(poll.readings.size()) + " values");
    return;
  }
  const std::string why = poll.fault ? ": " + poll.fault->what : "";
  add(Kind::wrong, subject, (poll.up == rules::Up::down ? "down" : "cannot be measured") + why);
  if (!poll.fault || poll.up == rules::Up::down) return;
  if (poll.fault->kind == rules::FaultKind::dns) {
    add(Kind::advice, subject,
        "a name that does not resolve is no evidence; where Docker or Kubernetes serves it, write down_on = [\"dns\"]");
  } else if (poll.fault->kind == rules::FaultKind::no_route) {
    add(Kind::advice, subject, "a missing route is no evidence; where it means down, write down_on = [\"no_route\"]");
  }
}

void Lint::look_at(const rules::SignalSpec& signal) {
  if (!answered_.contains(signal.probe)) return;  // the probe's own finding says why
  const Page& page = pages_[signal.probe];
  const std::string subject = "signal " + signal.name.text;
  if (const auto* ratios = std::get_if<std::vector<rules::RatioOf>>(&signal.of)) {
    look_at_ratios(subject, *ratios, page);
  } else if (const auto* quantiles = std::get_if<std::vector<rules::QuantileOf>>(&signal.of)) {
    look_at_quantiles(signal, subject, *quantiles, page);
  } else if (const auto* expression = std::get_if<rules::ExpressionOf>(&signal.of)) {
    for (const rules::Selector& selector : rules::selectors_of(*expression)) {
      if (!has_series(page, selector)) {
        add(Kind::advice, subject,
            "the page has no " + rules::to_string(selector) + " yet: unknown(no_data) until it does");
      }
    }
  }
}

void Lint::look_at_ratios(const std::string& subject, const std::vector<rules::RatioOf>& ratios, const Page& page) {
  for (const rules::RatioOf& ratio : ratios) {
    if (!has_series(page, ratio.denominator)) continue;
    add(Kind::fine, subject,
        "takes " + rules::to_string(ratio.numerator) + " of " + rules::to_string(ratio.denominator));
    return;
  }
  if (ratios.size() == 1) {
    add(Kind::advice, subject,
        "the page has no " + rules::to_string(ratios.front().denominator) + " yet: unknown(no_data) until it does");
    return;
  }
  add(Kind::advice, subject,
      "none of the usual request counters is in the page yet; when requests have been made and none appears, define [" +
          std::string("signal.") + subject.substr(subject.find(' ') + 1) + "] with ratio = ['ERRORS', 'ALL']");
}

void Lint::look_at_quantiles(const rules::SignalSpec& signal, const std::string& subject,
                             const std::vector<rules::QuantileOf>& quantiles, const Page& page) {
  for (const rules::QuantileOf& quantile : quantiles) {
    if (!has_family(page, quantile.family)) continue;
    add(Kind::fine, subject, "takes " + rules::to_string(quantile.family));
    look_at_bounds(signal, subject, quantile.family, page);
    return;
  }
  add(Kind::advice, subject,
      quantiles.size() == 1
          ? "the page has no " + rules::to_string(quantiles.front().family) + " yet: unknown(no_data) until it does"
          : "none of the usual histograms is in the page yet; when requests have been made and none appears, define "
            "[signal." +
                signal.name.text + "] with quantile and of");
}

// A quantile in the +Inf bucket cannot be compared with a threshold above the last bound (SPEC 2.7).
void Lint::look_at_bounds(const rules::SignalSpec& signal, const std::string& subject, const rules::Selector& family,
                          const Page& page) {
  const std::optional<double> bound = highest_bound(page, family);
  if (!bound) return;
  const double scale = signal.unit == rules::Unit::milliseconds ? 0.001 : 1;
  for (const auto& [name, condition] : conditions_) {
    for (const double threshold : thresholds_of(*condition, signal.name)) {
      if (threshold <= *bound * scale) continue;
      add(Kind::wrong, subject,
          "undecidable_bucket: " + name + " compares it with " + short_number(threshold) +
              ", but the highest finite bucket of " + rules::to_string(family) + " ends at " +
              short_number(*bound * scale) + "; add a bucket above the threshold, or lower the threshold");
    }
  }
}

void Lint::gather_conditions() {
  const auto add_one = [this](const std::string& name, const std::optional<rules::Condition>& condition) {
    if (condition && !condition->empty()) conditions_.emplace_back(name, &*condition);
  };
  for (const rules::RuleSpec& rule : config_.core.rules) {
    const std::string name = "rule." + rule.name.text;
    conditions_.emplace_back(name + ".when", &rule.when);
    add_one(name + ".clear", rule.clear);
    add_one(name + ".unless", rule.unless);
  }
  for (const rules::ActionSpec& action : config_.core.actions)
    add_one("action." + action.name.text + ".verify.when", action.verify.when);
}

}  // namespace

std::vector<OnlineFinding> lint_polls(const Config& config, const std::vector<rules::Poll>& polls) {
  std::vector<const rules::Poll*> ordered;
  for (const rules::Poll& poll : polls) ordered.push_back(&poll);
  std::sort(ordered.begin(), ordered.end(), [](const rules::Poll* a, const rules::Poll* b) {
    return std::tie(a->probe, a->instance) < std::tie(b->probe, b->instance);
  });
  Lint lint(config, polls);
  for (const rules::Poll* poll : ordered) lint.look_at(*poll);
  for (const rules::SignalSpec& signal : config.core.signals) lint.look_at(signal);
  return lint.take();
}

}  // namespace watcher
