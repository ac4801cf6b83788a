#include <algorithm>

#include "rules/engine/core.hpp"

// The host's lock: one mutating action on the host at a time (SPEC 2.14, 2.20).

namespace rules {

namespace {

// Between two attempts to get the host's lock: 1 s, doubled up to this.
constexpr Duration lock_backoff_max = std::chrono::seconds(30);

Duration lock_backoff(int refusals) {
  const int doublings = std::min(refusals, 5);
  return std::min<Duration>(std::chrono::seconds(1) * (1 << doublings), lock_backoff_max);
}

}  // namespace

std::optional<Instant> Core::lock_patience_ends(const LiveIncident& incident) const {
  if (!incident.lock_wanted_since) return std::nullopt;
  return *incident.lock_wanted_since + service_of(incident).spec.deploy_timeout;
}

bool Core::have_lock(LiveIncident& incident) {
  if (incident.lock == HostLockState::held) return true;
  if (incident.lock == HostLockState::asked) return false;
  if (incident.lock_retry_at && now_ < *incident.lock_retry_at) return false;
  if (host_owner_) return false;
  if (!incident.lock_wanted_since) incident.lock_wanted_since = now_;
  incident.lock = HostLockState::asked;
  host_owner_ = incident.record.id;
  const IncidentRecord& record = incident.record;
  emit(LockHost{StepId{record.id, record.rung, record.section, lock_step, incident.lock_refusals}});
  return false;
}

void Core::locked(LiveIncident& incident, const StepResult& result) {
  if (incident.lock != HostLockState::asked) return;
  if (result.status == StepStatus::succeeded) {
    incident.lock = HostLockState::held;
    incident.lock_retry_at.reset();
    incident.lock_wanted_since.reset();
    return;
  }
  incident.lock = HostLockState::none;
  host_owner_.reset();
  incident.lock_holder = result.detail.empty() ? "somebody else has it" : result.detail;
  incident.lock_retry_at = now_ + lock_backoff(incident.lock_refusals++);
  if (incident.record.phase == IncidentPhase::acting) enter(incident, IncidentPhase::held);
}

// A step that has to wait for ever would keep the incident open for ever.
bool Core::lock_given_up(const LiveIncident& incident) const {
  const std::optional<Instant> patience = lock_patience_ends(incident);
  const bool is_refused = incident.lock == HostLockState::none && incident.lock_retry_at;
  return is_refused && patience && *patience <= now_;
}

void Core::release_host(LiveIncident& incident) {
  if (incident.lock == HostLockState::none) return;
  incident.lock = HostLockState::none;
  host_owner_.reset();
  emit(ReleaseHost{incident.record.id});
}

}  // namespace rules
