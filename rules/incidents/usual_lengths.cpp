#include "rules/incidents/usual_lengths.hpp"

#include <algorithm>
#include <cstddef>

namespace rules {

namespace {

// Of a step: what was usual a year ago is not any more.
constexpr std::size_t runs_kept = 9;
// Steps of plans that have left the configuration are not looked for; they must not add up for ever.
constexpr std::size_t steps_kept = 200;

std::string key_of(std::string_view kind, const std::string& text) {
  return kind == "switch" ? std::string(kind) : text;
}

// No step is described so.
std::string verifying_key(const ActionSpec& action, bool by_hand) {
  return "verifying " + action.name.text + (by_hand ? " by hand" : "");
}

}  // namespace

void UsualLengths::learn(const StepRecord& step) {
  if (step.status != StepStatus::succeeded || !step.ended) return;
  learn(key_of(step.kind, step.text), *step.ended - step.started);
}

void UsualLengths::learn_verifying(const ActionSpec& action, bool by_hand, Duration length) {
  learn(verifying_key(action, by_hand), length);
}

void UsualLengths::learn(const std::string& key, Duration length) {
  if (lengths_.size() >= steps_kept && !lengths_.contains(key)) lengths_.clear();
  std::vector<std::int64_t>& runs = lengths_[key];
  if (runs.size() >= runs_kept) runs.erase(runs.begin());
  runs.push_back(length.count());
}

std::optional<Duration> UsualLengths::of(const StepSpec& step) const {
  return of(key_of(kind_of(step), describe(step)));
}

std::optional<Duration> UsualLengths::of_verifying(const ActionSpec& action, bool by_hand) const {
  return of(verifying_key(action, by_hand));
}

std::optional<Duration> UsualLengths::of(const std::string& key) const {
  const auto known = lengths_.find(key);
  if (known == lengths_.end() || known->second.empty()) return std::nullopt;
  std::vector<std::int64_t> runs = known->second;
  const auto middle = runs.begin() + static_cast<std::ptrdiff_t>(runs.size() / 2);
  std::nth_element(runs.begin(), middle, runs.end());
  return Duration(*middle);
}

std::optional<Duration> UsualLengths::of(const ActionSpec& action) const {
  Duration total{};
  for (const StepSpec& step : action.steps) {
    const std::optional<Duration> usual = of(step);
    if (!usual) return std::nullopt;
    total += *usual;
  }
  return total;
}

}  // namespace rules
