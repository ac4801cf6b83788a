#include "rules/incidents/plan.hpp"

#include <algorithm>
#include <type_traits>

#include "rules/base/command_secrets.hpp"
#include "rules/base/parse.hpp"

namespace rules {

namespace {

template <class... Fs>
struct Overloaded : Fs... {
  using Fs::operator()...;
};
template <class... Fs>
Overloaded(Fs...) -> Overloaded<Fs...>;

// Without the secrets that stand in it.
std::string told(const std::vector<std::string>& argv) {
  std::string out;
  for (const std::string& word : told_words(argv)) {
    if (!out.empty()) out += ' ';
    out += word;
  }
  return out;
}

// A secret that stood in the file itself is known by what is left when it is taken out.
std::string shown(const Text& text) {
  if (!text.secret) return text.value;
  const bool masked = text.origin.size() >= 2 && (text.origin.front() == '"' || text.origin.front() == '\'');
  return masked ? text.origin.substr(1, text.origin.size() - 2) : "(secret)";
}

std::string target_text(const SwitchStep& step) {
  switch (step.kind) {
    case SwitchTargetKind::last_good:
      return "last-good";
    case SwitchTargetKind::revision:
      return step.revision.text;
    case SwitchTargetKind::at_backup:
      return "at-backup";
  }
  return "";
}

// Length-prefixed, so that two different lists never read the same.
void add(std::string& out, const std::string& part) {
  out += std::to_string(part.size());
  out += ':';
  out += part;
}

void add(std::string& out, const Expectation& expect) {
  for (const auto& [from, to] : expect.status) add(out, std::to_string(from) + "-" + std::to_string(to));
  for (const auto& [pointer, value] : expect.json) add(out, pointer + "=" + value);
  add(out, expect.body);
}

void add(std::string& out, const StepSpec& step) {
  add(out, std::string(kind_of(step)));
  std::visit(Overloaded{
                 [&](const RunStep& s) {
                   for (const std::string& word : told_words(s.argv)) add(out, word);
                 },
                 [&](const HttpStep& s) {
                   add(out, s.method);
                   add(out, shown(s.url));
                   for (const auto& [name, value] : s.headers) add(out, name + ": " + shown(value));
                   add(out, shown(s.body));
                   add(out, s.content_type);
                   add(out, s.expect);
                 },
                 [&](const NotifyStep& s) { add(out, s.notifier.text); },
                 [&](const CaptureStep& s) {
                   add(out, s.file);
                   for (const std::string& word : told_words(s.argv)) add(out, word);
                 },
                 [&](const SwitchStep& s) { add(out, target_text(s)); },
                 [&](const WaitStep& s) { add(out, s.until.text() + " for " + to_string(s.hold)); },
                 [&](const SleepStep& s) { add(out, to_string(s.length)); },
                 [&](const AskStep& s) { add(out, s.question); },
             },
             step.what);
  add(out, step.dir + "|" + step.user + "|" + step.stdin_file + "|" + step.stdout_file);
  for (const auto& [name, value] : step.env) add(out, name + "=" + shown(value));
  add(out, to_string(step.timeout) + "|" + std::to_string(step.retry) + (step.idempotent ? "|idempotent" : "|once") +
               (step.on_failure == OnFailure::abort ? "|abort" : "|continue"));
}

void add(std::string& out, const std::vector<StepSpec>& steps) {
  add(out, std::to_string(steps.size()));
  for (const StepSpec& step : steps) add(out, step);
}

}  // namespace

std::string_view kind_of(const StepSpec& step) {
  return std::visit(Overloaded{
                        [](const RunStep&) -> std::string_view { return "run"; },
                        [](const HttpStep&) -> std::string_view { return "http"; },
                        [](const NotifyStep&) -> std::string_view { return "notify"; },
                        [](const CaptureStep&) -> std::string_view { return "capture"; },
                        [](const SwitchStep&) -> std::string_view { return "switch"; },
                        [](const WaitStep&) -> std::string_view { return "wait"; },
                        [](const SleepStep&) -> std::string_view { return "sleep"; },
                        [](const AskStep&) -> std::string_view { return "ask"; },
                    },
                    step.what);
}

bool is_mutating(const StepSpec& step) {
  return std::visit(Overloaded{
                        [](const RunStep&) { return true; },
                        [](const HttpStep&) { return true; },
                        [](const NotifyStep&) { return false; },
                        [](const CaptureStep&) { return false; },
                        [](const SwitchStep&) { return true; },
                        [](const WaitStep&) { return false; },
                        [](const SleepStep&) { return false; },
                        [](const AskStep&) { return false; },
                    },
                    step.what);
}

std::string describe(const StepSpec& step) {
  if (!step.shown.empty()) return step.shown;
  return std::visit(Overloaded{
                        [](const RunStep& s) { return "run " + told(s.argv); },
                        [](const HttpStep& s) { return "http " + s.method + " " + shown(s.url); },
                        [](const NotifyStep& s) { return "notify " + s.notifier.text; },
                        [](const CaptureStep& s) { return "capture " + s.file + ": " + told(s.argv); },
                        [](const SwitchStep& s) { return "switch " + target_text(s); },
                        [](const WaitStep& s) { return "wait " + s.until.text() + " for " + to_string(s.hold); },
                        [](const SleepStep& s) { return "sleep " + to_string(s.length); },
                        [](const AskStep& s) { return "ask " + s.question; },
                    },
                    step.what);
}

const SwitchStep* ActionSpec::switch_step() const {
  for (const StepSpec& step : steps) {
    if (const auto* found = std::get_if<SwitchStep>(&step.what)) return found;
  }
  return nullptr;
}

bool ActionSpec::switches() const { return switch_step() != nullptr; }

bool ActionSpec::switches_from(std::size_t step) const {
  return std::any_of(steps.begin() + static_cast<std::ptrdiff_t>(std::min(step, steps.size())), steps.end(),
                     [](const StepSpec& one) { return std::holds_alternative<SwitchStep>(one.what); });
}

bool ActionSpec::mutates() const { return std::any_of(steps.begin(), steps.end(), is_mutating); }

bool ActionSpec::may_restart() const {
  return std::any_of(steps.begin(), steps.end(), [](const StepSpec& step) {
    return std::holds_alternative<SwitchStep>(step.what) || std::holds_alternative<RunStep>(step.what);
  });
}

bool ActionSpec::uses_backup() const {
  return std::any_of(steps.begin(), steps.end(), [](const StepSpec& step) { return step.uses_backup; });
}

std::vector<std::string> ActionSpec::loses() const {
  std::vector<std::string> out = undoes;
  std::erase(out, "code");
  return out;
}

std::string ActionSpec::fingerprint() const {
  std::string out;
  add(out, name.text);
  for (const std::string& kind : undoes) add(out, kind);
  add(out, verify.when ? verify.when->text() : "");
  add(out, verify.hold ? to_string(*verify.hold) : "");
  add(out, verify.timeout ? to_string(*verify.timeout) : "");
  add(out, settle ? to_string(*settle) : "");
  add(out, steps);
  add(out, on_success);
  add(out, on_failure);
  add(out, always);
  return out;
}

}  // namespace rules
