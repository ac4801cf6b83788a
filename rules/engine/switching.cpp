#include <utility>

#include "rules/engine/core.hpp"

// The look before a switch, its target, and the switch that a crash left in flight (SPEC 2.23, 2.24, section 6).

namespace rules {

namespace {

// A look that is not answered in this time counts as one that could not be read.
constexpr Duration look_limit = std::chrono::seconds(30);
// Looks that may fail before the switch goes out without: an identity that only the broken application can tell must
// not keep it from being rolled back.
constexpr int looks_failed_max = 2;

}  // namespace

const SwitchStep* Core::switch_of(const ActionSpec& action) const {
  for (const StepSpec& step : action.steps) {
    if (const auto* found = std::get_if<SwitchStep>(&step.what)) return found;
  }
  return nullptr;
}

void Core::ask_look(LiveIncident& incident) {
  incident.look_asked = now_;
  incident.look.reset();
  emit(ReadRevision{incident.record.service});
}

Core::Look Core::look_before_switch(LiveIncident& incident) {
  if (!service_of(incident).spec.has_identity) return Look::go;
  if (!incident.look_asked) {
    ask_look(incident);
    return Look::pending;
  }
  const bool unanswered = !incident.look && now_ >= *incident.look_asked + look_limit;
  if (!incident.look && !unanswered) return Look::pending;
  if (incident.look && incident.look->revision) {
    const Revision& running = *incident.look->revision;
    Revision& from = incident.record.from;
    if (from.empty()) from = running;
    return running == from ? Look::go : Look::superseded;
  }
  if (++incident.looks_failed >= looks_failed_max) {
    story(incident, "revision_unread", "what runs could not be read; last seen " + incident.record.from.text);
    return Look::go;
  }
  ask_look(incident);
  return Look::pending;
}

// Never to a bad revision, never to what runs already, never roll back a rollback.
std::optional<Revision> Core::target(const LiveIncident& incident, const SwitchStep& step, std::string& why) const {
  const WatchedService& service = service_of(incident);
  const IncidentRecord& record = incident.record;
  if (record.by_hand && !record.to.empty()) return record.to;
  if (!service.spec.has_identity) return record.to;
  if (service.record.rolled_back_here && !record.by_hand) {
    why = "what runs was brought by a rollback, which is not rolled back";
    return std::nullopt;
  }
  std::optional<Revision> chosen;
  const LedgerRecord* from = ledger_.find(record.service, record.from);
  switch (step.kind) {
    case SwitchTargetKind::last_good:
      chosen = ledger_.last_good(record.service, record.from);
      break;
    case SwitchTargetKind::revision:
      chosen = step.revision;
      break;
    case SwitchTargetKind::at_backup:
      if (from != nullptr && !from->backup.empty()) chosen = service.record.previous;
      break;
  }
  if (!chosen || chosen->empty()) {
    why = "no good revision is known that ran before " + record.from.text;
    return std::nullopt;
  }
  const LedgerRecord* known = ledger_.find(record.service, *chosen);
  if (*chosen == record.from) {
    why = chosen->text + " runs already";
    return std::nullopt;
  }
  if (known != nullptr && known->standing == Standing::bad) {
    why = chosen->text + " is quarantined";
    return std::nullopt;
  }
  return chosen;
}

void Core::switched(LiveIncident& incident) {
  const IncidentRecord& record = incident.record;
  tell(incident, Stage::progress, "switched", record.from.text + " → " + record.to.text);
  incident.looks_elsewhere = 0;
  incident.still_old = false;
  incident.look_asked.reset();
  incident.look.reset();
  if (service_of(incident).spec.has_identity) emit(ReadRevision{record.service});
}

// A crash left the switch in flight: what runs says whether it happened; it is not done again unless it bears that.
bool Core::settle_interrupted_switch(LiveIncident& incident) {
  const bool unanswered = !incident.look && incident.look_asked && now_ >= *incident.look_asked + look_limit;
  if (!incident.look && !unanswered) return false;
  const bool read = incident.look && incident.look->revision;
  if (!read && ++incident.looks_failed < looks_failed_max) {
    ask_look(incident);
    return true;
  }
  incident.look_settles_switch = false;
  const IncidentRecord& record = incident.record;
  if (!read) {
    end_step(incident, {StepStatus::interrupted, std::nullopt, "what runs could not be read after a restart", "", 0});
    return true;
  }
  const Revision running = *incident.look->revision;
  if (running == record.to) {
    own_switch_seen(service_of(incident), running);
    end_step(incident, {StepStatus::succeeded, std::nullopt, "found done after a restart", "", 0});
    return true;
  }
  const StepSpec& step = plan(incident)->steps[record.step];
  if (running == record.from && step.idempotent) {
    // Begun anew rather than commanded at once: the host's lock has to be had again first.
    incident.look_asked.reset();
    incident.record.in_flight = false;
    save(incident);
    return true;
  }
  end_step(incident, {StepStatus::interrupted, std::nullopt, "revision " + running.text + " was found running", "", 0});
  return true;
}

}  // namespace rules
