#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "rules/conditions/unit.hpp"
#include "watcher/serve/api.hpp"
#include "watcher/serve/evidence_json.hpp"
#include "watcher/serve/json_text.hpp"

namespace watcher {

namespace {

json::array flags_of(const rules::ServiceView& service) {
  json::array flags;
  const auto add = [&flags](bool is_set, const char* flag) {
    if (is_set) flags.push_back(json::value(flag));
  };
  add(service.paused, "paused");
  add(service.fused, "fused");
  add(service.blind, "blind");
  add(!service.unreadable.empty(), "unreadable");
  add(service.deploying, "deploying");
  add(service.warming_up, "warming_up");
  return flags;
}

// Where it has several: the first that is ready is the one that a rollback would go by.
json::array drivers_of(const rules::ServiceView& service) {
  json::array out;
  for (const rules::DriverReadiness& driver : service.drivers) {
    json::object one;
    one["driver"] = driver.driver;
    one["ready"] = driver.why_not.empty();
    one["not_ready_reason"] = text_or_null(driver.why_not);
    out.push_back(std::move(one));
  }
  return out;
}

json::array later_of(const rules::ServiceView& service) {
  json::array out;
  for (const rules::LaterView& later : service.later) {
    json::object one;
    one["incident"] = later.incident.text;
    one["due"] = to_rfc3339(later.check.due);
    one["when"] = text_or_null(later.check.when);
    one["text"] = text_or_null(later.check.text);
    out.push_back(std::move(one));
  }
  return out;
}

std::string label_of(const rules::EngineView& view, const rules::ServiceView& service,
                     const rules::Revision& revision) {
  const auto found = std::find_if(view.ledger.begin(), view.ledger.end(), [&](const rules::LedgerRecord& record) {
    return record.service == service.service && record.revision == revision;
  });
  return found == view.ledger.end() ? std::string() : found->label;
}

json::object to_object(const rules::ServiceView& service, const rules::EngineView& view) {
  const rules::Instant now = view.at;
  json::object object;
  object["revision"] = text_or_null(service.revision.text);
  object["label"] = text_or_null(label_of(view, service, service.revision));  // what people call it
  object["last_good"] = text_or_null(service.last_good.text);
  object["last_good_label"] = text_or_null(label_of(view, service, service.last_good));
  object["state"] = rules::to_string(service.state);
  object["flags"] = flags_of(service);
  object["rollback_ready"] = service.rollback_ready;
  object["not_ready_reason"] = text_or_null(service.not_ready_reason);
  object["drivers"] = drivers_of(service);
  object["by_hand_not_ready"] = text_or_null(service.by_hand_not_ready);
  object["incident"] = service.incident ? json::value(service.incident->text) : json::value(nullptr);
  object["paused_until"] = to_json(service.paused_until);
  object["unreadable_reason"] = text_or_null(service.unreadable);
  object["unfinished"] = text_or_null(service.unfinished);
  object["stopped"] = text_or_null(service.stopped);
  object["fused_reason"] = text_or_null(service.fused_reason);
  object["warming_up_seconds"] = nullptr;  // at most
  if (service.warming_until) object["warming_up_seconds"] = std::max(0.0, rules::seconds(*service.warming_until - now));
  object["baked_seconds"] = rules::seconds(service.baked);
  object["bake_seconds"] = rules::seconds(service.bake);
  object["progress"] = to_json(service.progress);
  object["later"] = later_of(service);
  return object;
}

json::object to_object(const rules::ProbeView& probe) {
  json::object object;
  switch (probe.up) {
    case rules::Up::up:
      object["up"] = 1;
      break;
    case rules::Up::down:
      object["up"] = 0;
      break;
    case rules::Up::unknown:
      object["up"] = nullptr;
      break;
  }
  object["last_seen"] = nullptr;
  object["error"] = nullptr;
  object["fault"] = nullptr;
  if (!probe.last) return object;
  object["last_seen"] = to_rfc3339(probe.last->ended);
  if (probe.unread_lines > 0) object["unread_lines"] = probe.unread_lines;
  if (probe.last->fault) {
    object["error"] = probe.last->fault->what;
    object["fault"] = rules::to_string(probe.last->fault->kind);
  }
  return object;
}

// In which people read the signal: the unit of the first rule that compares it with a number in one.
std::string_view unit_of(const rules::SignalName& signal, const std::vector<rules::RuleSpec>& rules) {
  for (const rules::RuleSpec& rule : rules) {
    if (const std::string_view unit = rules::unit_of(rule.when, signal); !unit.empty()) return unit;
  }
  return {};
}

json::object to_object(const rules::SignalView& signal, std::string_view unit) {
  const rules::Measured& measured = signal.measured;
  json::object object;
  object["value"] = to_json(measured.value);
  object["unit"] = text_or_null(std::string(unit));
  object["unknown"] = nullptr;
  if (!measured.value) object["unknown"] = rules::to_string(measured.cause);
  object["count"] = measured.count;
  object["detail"] = text_or_null(measured.detail);
  object["approximate"] = measured.approximate;
  object["window_seconds"] = rules::seconds(measured.window);
  object["taken"] = text_or_null(signal.taken);
  return object;
}

// The contract has four states; the short confirmation belongs to the pending one.
std::string_view state_word(rules::RuleState state) {
  return rules::to_string(state == rules::RuleState::confirming ? rules::RuleState::pending : state);
}

void add_judgement(json::object& object, const rules::Judgement& judgement) {
  object["verdict"] = rules::to_string(judgement.verdict);
  object["cause"] = nullptr;
  object["detail"] = nullptr;
  if (judgement.verdict == rules::Verdict::unknown) {
    object["cause"] = rules::to_string(judgement.cause);
    object["detail"] = text_or_null(judgement.detail);
  }
  object["value"] = nullptr;
  object["threshold"] = nullptr;
  object["unit"] = nullptr;  // in which people read the two; here they are in base units
  if (judgement.decisive < judgement.comparisons.size()) {
    const rules::Comparison& decisive = judgement.comparisons[judgement.decisive];
    object["value"] = to_json(decisive.value.value);
    object["threshold"] = to_json(decisive.threshold);
    object["unit"] = text_or_null(decisive.unit);
  }
  object["comparisons"] = to_json(judgement.comparisons);
}

json::object to_object(const rules::RuleView& rule) {
  const rules::RuleProgress& progress = rule.progress;
  json::object object;
  object["service"] = rule.service.text;
  object["severity"] = rules::to_string(rule.severity);
  object["condition"] = rule.condition;
  add_judgement(object, rule.judgement);
  object["state"] = state_word(progress.state);
  object["since"] = to_json(progress.since);
  object["bad_seconds"] = rules::seconds(progress.bad);
  object["for_seconds"] = rules::seconds(rule.sustain);
  object["seconds_to_fire"] = nullptr;
  if (progress.to_fire) object["seconds_to_fire"] = rules::seconds(*progress.to_fire);
  object["bad_samples"] = progress.bad_samples;
  object["observed_share"] = progress.observed_share;
  object["blind"] = progress.blind;
  object["preexisting"] = rule.preexisting;
  object["missing"] = json::array(rule.missing.begin(), rule.missing.end());
  return object;
}

json::object watcher_object(const rules::EngineView& view, const Config& config, rules::Instant started) {
  json::object object;
  object["name"] = config.watcher.name;
  object["version"] = ROLLBACKD_VERSION;
  object["mode"] = rules::to_string(view.mode);
  object["uptime_seconds"] = rules::seconds(view.at - started);
  object["degraded"] = json::array(view.degraded.begin(), view.degraded.end());
  return object;
}

}  // namespace

std::string status_json(const rules::EngineView& view, const Config& config, rules::Instant started) {
  json::object services;
  for (const rules::ServiceView& service : view.services) services[service.service.text] = to_object(service, view);
  json::object probes;
  for (const rules::ProbeView& probe : view.probes) probes[probe.probe.text] = to_object(probe);
  json::object signals;
  for (const rules::SignalView& signal : view.signals) {
    signals[signal.signal.text] = to_object(signal, unit_of(signal.signal, config.core.rules));
  }
  json::object rules;
  for (const rules::RuleView& rule : view.rules) rules[rule.rule.text] = to_object(rule);
  json::object status;
  status["watcher"] = watcher_object(view, config, started);
  status["services"] = std::move(services);
  status["probes"] = std::move(probes);
  status["signals"] = std::move(signals);
  status["rules"] = std::move(rules);
  return to_text(status);
}

}  // namespace watcher
