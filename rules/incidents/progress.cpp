#include "rules/incidents/progress.hpp"

#include <algorithm>
#include <chrono>

namespace rules {

namespace {

constexpr std::int64_t percent_max = 99;  // what is not over is not done

std::string to_the_second(Duration length) {
  const auto whole = std::chrono::round<std::chrono::seconds>(length);
  return whole < std::chrono::seconds(1) ? "less than a second" : to_string(Duration(whole));
}

}  // namespace

// What takes longer than usual holds the share where it would have ended: it must not be said to be done.
Progress progress_of(const ActionSpec& action, const UsualLengths& usual, const Reached& reached) {
  Progress out;
  out.steps = static_cast<std::int64_t>(action.steps.size());
  out.done = std::min(static_cast<std::int64_t>(reached.step), out.steps);
  const std::optional<Duration> verifying = usual.of_verifying(action, reached.by_hand);
  const std::optional<Duration> steps = usual.of(action);
  if (!verifying || !steps) return out;
  Duration done{};
  for (std::size_t i = 0; i < action.steps.size() && i < reached.step; ++i) done += *usual.of(action.steps[i]);
  const Duration at_this = reached.step < action.steps.size() ? *usual.of(action.steps[reached.step]) : *verifying;
  done += std::clamp(reached.worked, Duration::zero(), at_this);
  const Duration whole = *steps + *verifying;
  if (whole <= Duration::zero()) return out;
  out.percent = std::min<std::int64_t>(percent_max, 100 * done.count() / whole.count());
  out.left = whole - done;
  return out;
}

std::string told(const Progress& progress) {
  std::string text;
  if (progress.percent) text = std::to_string(*progress.percent) + " % done, ";
  if (progress.done < progress.steps) {
    text += "step " + std::to_string(progress.done + 1) + " of " + std::to_string(progress.steps);
  } else {
    text += progress.steps == 1 ? "its step is done" : "its " + std::to_string(progress.steps) + " steps are done";
  }
  if (progress.left) text += ", usually " + to_the_second(*progress.left) + " more";
  return text;
}

}  // namespace rules
