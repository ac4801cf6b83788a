#include "rules/engine/evidence/flapping.hpp"

#include <algorithm>
#include <string>
#include <utility>
#include <variant>

#include "rules/engine/told.hpp"

namespace rules {

namespace {

// Deployments and our own actions bring fewer.
constexpr std::size_t often = 5;
constexpr Duration counted_over = std::chrono::minutes(10);
constexpr std::size_t times_kept_max = 100;

bool asks_for_that(const RuleSpec& rule, const ProbeName& probe) {
  const std::vector<Condition::Reference> references = rule.when.references();
  return std::any_of(references.begin(), references.end(), [&](const Condition::Reference& reference) {
    const auto* const restarts = std::get_if<RestartsRef>(&reference.to);
    const auto* const field = std::get_if<FieldRef>(&reference.to);
    return (restarts != nullptr && restarts->probe == probe) ||
           (field != nullptr && field->probe == probe && field->field == "up" && reference.over_time);
  });
}

}  // namespace

bool Flapping::count(const Key& key) {
  Times& times = times_[key];
  while (!times.at.empty() && times.at.front() + counted_over <= effects_.now()) times.at.pop_front();
  if (times.at.empty()) times.is_told = false;
  times.at.push_back(effects_.now());
  if (times.at.size() > times_kept_max) times.at.pop_front();
  return times.at.size() >= often && !times.is_told;
}

bool Flapping::is_told_of(const Times& times) const {
  return times.is_told && !times.at.empty() && effects_.now() < times.at.back() + counted_over;
}

std::optional<Severity> Flapping::told_as() const {
  const bool is_told =
      std::any_of(times_.begin(), times_.end(), [this](const auto& one) { return is_told_of(one.second); });
  return is_told ? std::optional(told_as_) : std::nullopt;
}

void Flapping::tell(const ServiceName& service, const ProbeName& probe, const std::vector<const RuleSpec*>& rules) {
  const std::string& name = probe.text;
  std::size_t downs = 0;
  std::size_t restarts = 0;
  const bool was_told = told_as().has_value();
  for (auto times = times_.lower_bound({probe, 0}); times != times_.end() && times->first.first == probe; ++times) {
    std::size_t& most = times->first.second == down ? downs : restarts;
    most = std::max(most, times->second.at.size());
    times->second.is_told = true;
  }
  const auto asks = [&](const RuleSpec* rule) { return asks_for_that(*rule, probe); };
  if (was_told || std::any_of(rules.begin(), rules.end(), asks)) return;
  Severity severity = Severity::p1;
  for (const RuleSpec* rule : rules) severity = std::min(severity, rule->severity);
  const bool is_restarted = restarts >= often;
  const std::string what = is_restarted ? name + " is restarted again and again, " + std::to_string(restarts)
                                        : name + " comes and goes, down " + std::to_string(downs);
  const std::string when = is_restarted ? "restarts(" + name + ", 10m) > 3" : "avg(" + name + ".up, 10m) < 95%";
  effects_.note("flapping", {{"service", service.text},
                             {"probe", name},
                             {"restarts", std::to_string(restarts)},
                             {"downs", std::to_string(downs)}});
  told_as_ = severity;
  found_ = Found{service.text + ": " + what + " times in " + rules::told(counted_over),
                 "It is up again each time before a rule was bad for long enough, and windows begin anew each time: no "
                 "rule fires for it, and nothing is done by itself.",
                 "A rule that fires for it: when = \"" + when + "\", for = \"1m\".", severity};
}

}  // namespace rules
