#include <algorithm>
#include <map>
#include <set>

#include "watcher/cli/check_online.hpp"
#include "watcher/cli/page_seen.hpp"
#include "watcher/cli/table.hpp"
#include "watcher/cli/thresholds.hpp"
#include "watcher/report/text.hpp"

namespace watcher {

namespace {

using Kind = OnlineFinding::Kind;

std::string text_of(const rules::RatioOf& ratio) {
  return rules::to_string(ratio.numerator) + " of " + rules::to_string(ratio.denominator);
}
std::string text_of(const rules::QuantileOf& of) { return rules::to_string(of.family); }

// "web_" of the probe web_metrics, which a short form stands for.
std::string prefix_of(const std::string& probe) {
  constexpr std::string_view own = "metrics";
  return probe.ends_with(own) ? probe.substr(0, probe.size() - own.size()) : probe + "_";
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
  void look_at_bounds(const rules::SignalSpec& signal, const std::string& subject, const rules::QuantileOf& of,
                      const Page& page);
  template <class Candidates, class Name>
  std::optional<std::size_t> taken_of(const std::string& subject, const Candidates& candidates, const Page& page,
                                      const Name& name);
  template <class Candidates, class Name>
  void tell_of_several(const std::string& subject, const Candidates& candidates, const Page& page, const Name& name);
  void tell_own_requests(const std::string& subject, const rules::Selector& taken);

  const Config& config_;
  std::map<rules::ProbeName, Page> pages_;
  std::set<rules::ProbeName> answered_;
  std::string prefix_;  // of the probes of the short form whose signal is looked at
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
    for (const rules::Missing& one : poll.missing) {
      // Whose memory it is says another line.
      if (one.cause != rules::Cause::no_data) add(Kind::wrong, subject, one.field + " cannot be measured: " + one.why);
    }
    if (poll.unread.lines == 0) return;
    add(Kind::advice, subject,
        std::to_string(poll.unread.lines) +
            " lines of its page cannot be read, and nothing selects them; the first: " + poll.unread.first);
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
  prefix_ = prefix_of(signal.probe.text);
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

// Which candidate of several was taken, and why not the others that the page has too.
template <class Candidates, class Name>
std::optional<std::size_t> Lint::taken_of(const std::string& subject, const Candidates& candidates, const Page& page,
                                          const Name& name) {
  const std::vector<rules::CandidateSeen> seen = seen_of(page, candidates);
  const std::optional<std::size_t> taken = rules::choose(seen);
  if (!taken) {
    tell_of_several(subject, candidates, page, name);
    return taken;
  }
  std::string others;
  for (std::size_t i = 0; i < seen.size(); ++i) {
    if (i == *taken || !seen[i].present) continue;
    others += "; " + rules::to_string(name(candidates[i])) + " " + why_not(seen[*taken], seen[i]);
  }
  add(Kind::fine, subject, "takes " + text_of(candidates[*taken]) + others);
  if (candidates.size() > 1 && !seen[*taken].leaves_out) tell_own_requests(subject, name(candidates[*taken]));
  return taken;
}

// Why none was taken though the page has what one of them may mean.
template <class Candidates, class Name>
void Lint::tell_of_several(const std::string& subject, const Candidates& candidates, const Page& page,
                           const Name& name) {
  if (candidates.size() == 1) return;
  for (const auto& candidate : candidates) {
    const std::string names = several_families(page, name(candidate));
    if (names.empty()) continue;
    add(Kind::advice, subject,
        "takes none of " + names +
            ": one of them may count what is asked of others, and added up they tell of nothing");
    return;
  }
}

// How many requests a minute the watcher itself makes, where no label tells them apart (they dilute the others).
void Lint::tell_own_requests(const std::string& subject, const rules::Selector& taken) {
  const bool would = std::any_of(taken.matchers.begin(), taken.matchers.end(), [](const rules::Matcher& matcher) {
    return matcher.kind() == rules::MatchKind::not_regex;
  });
  double a_minute = 0;
  for (const probes::ProbeConfig& probe : config_.probes) {
    const std::string& name = probe.name.text;
    if (name == prefix_ + "health" || name == prefix_ + "metrics") a_minute += 60 / rules::seconds(probe.interval);
  }
  if (a_minute <= 0) return;
  add(Kind::advice, subject,
      (would ? "no label of it tells our own requests apart: " : "it has no label for the path: ") +
          number_text(a_minute) + " a minute, of health and metrics, may be among those it counts");
}

void Lint::look_at_ratios(const std::string& subject, const std::vector<rules::RatioOf>& ratios, const Page& page) {
  const auto name = [](const rules::RatioOf& ratio) -> const rules::Selector& { return ratio.denominator; };
  if (const std::optional<std::size_t> taken = taken_of(subject, ratios, page, name)) {
    const std::string elsewhere = counted_elsewhere(name(ratios[*taken]));
    if (!elsewhere.empty()) add(Kind::advice, subject, elsewhere);
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
  const auto name = [](const rules::QuantileOf& of) -> const rules::Selector& { return of.family; };
  if (const std::optional<std::size_t> taken = taken_of(subject, quantiles, page, name)) {
    const std::string about = about_summaries(page, quantiles[*taken]);
    if (!about.empty()) add(Kind::advice, subject, about);
    return look_at_bounds(signal, subject, quantiles[*taken], page);
  }
  if (const rules::QuantileOf* const counted = only_counted(page, quantiles)) {
    add(Kind::advice, subject,
        "the page has " + rules::to_string(rules::count_selector(*counted)) +
            ", but neither buckets nor quantiles of it: unknown(no_data) until the library is told to publish a "
            "histogram (Spring Boot: management.metrics.distribution.percentiles-histogram.http.server.requests=true)");
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
void Lint::look_at_bounds(const rules::SignalSpec& signal, const std::string& subject, const rules::QuantileOf& of,
                          const Page& page) {
  const std::optional<double> last = highest_bound(page, of);
  if (!last) return;
  const double bound = *last / rules::divisor(rules::unit_of(signal, of));
  for (const auto& [name, condition] : conditions_) {
    for (const double threshold : thresholds_of(*condition, signal.name)) {
      if (threshold <= bound) continue;
      add(Kind::wrong, subject,
          "undecidable_bucket: " + name + " compares it with " + number_text(threshold) +
              ", but the highest finite bucket of " + rules::to_string(of.family) + " ends at " + number_text(bound) +
              "; add a bucket above the threshold, or lower the threshold");
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
  for (const rules::ActionSpec& action : config_.core.actions) {
    const std::string name = "action." + action.name.text;
    add_one(name + ".verify.when", action.verify.when);
    for (const rules::LaterSpec& later : action.later) add_one(name + ".later.when", later.when);
  }
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
