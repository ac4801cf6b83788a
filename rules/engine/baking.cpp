#include <algorithm>
#include <utility>

#include "rules/engine/core.hpp"

// A revision proves itself: armed until it is baked, and its baselines (SPEC 2.9, 2.17).

namespace rules {

bool Core::is_armed(const WatchedService& service) const {
  if (service.spec.arm == Arm::always) return true;
  const LedgerRecord* running = ledger_.find(service.spec.name, service.record.running);
  return running != nullptr && running->standing != Standing::good;
}

bool Core::is_baking(const WatchedService& service) const {
  const LedgerRecord* running = ledger_.find(service.spec.name, service.record.running);
  if (running == nullptr || running->baked_ns >= service.spec.bake.count()) return false;
  if (is_deploying(service) || service.unconfirmed || service.incident) return false;
  if (!service.probes.empty() && worst_up(service) != Up::up) return false;
  return std::none_of(service.rules.begin(), service.rules.end(), [](const WatchedRule* rule) {
    return rule->spec.severity != Severity::p3 && rule->when.verdict == Verdict::bad;
  });
}

// Adds the time since the last look at it, during which what held then held on.
void Core::bake(WatchedService& service) {
  if (service.bake_from == Instant::max()) return;
  LedgerRecord* running = ledger_.find(service.spec.name, service.record.running);
  if (running == nullptr) return;
  running->baked_ns += (now_ - service.bake_from).count();
  service.bake_from = now_;
  const bool done = running->baked_ns >= service.spec.bake.count();
  if (!done && service.bake_saved + seen_saved_every > now_) return;
  service.bake_saved = now_;
  for (const auto& [key, value] : service.collector.freeze()) running->collected[key] = value;
  if (done) {
    service.bake_from = Instant::max();
    running->standing = Standing::good;
    note("baked", {{"service", service.spec.name.text}, {"revision", running->revision.text}});
  }
  save(*running);
}

void Core::collect_baselines(WatchedService& service, const ProbeName& probe) {
  if (service.baseline_of.empty() || !service.probes.contains(probe)) return;
  const bool counts = is_baking(service);
  const Scope in = scope(service, std::nullopt);
  for (const auto& [key, expression] : service.baseline_of) {
    Measured measured;
    if (const auto* signal = std::get_if<SignalRef>(&expression.node)) {
      measured = measurements_.signal(signal->signal, in, now_);
    } else if (const auto* field = std::get_if<FieldRef>(&expression.node)) {
      measured = measurements_.field(*field, in, now_);
    }
    if (counts && measured.value) {
      service.collector.observe(key, now_, *measured.value, service.max_gap);
    } else {
      service.collector.interrupt(key);
    }
  }
}

std::map<std::string, double> Core::baselines_after(WatchedService& service, const LedgerRecord* old) const {
  if (old == nullptr) return {};
  std::map<std::string, double> out = old->baselines;
  if (old->standing != Standing::good) return out;
  for (const auto& [key, value] : old->collected) out[key] = value;
  for (const auto& [key, value] : service.collector.freeze()) out[key] = value;
  return out;
}

}  // namespace rules
